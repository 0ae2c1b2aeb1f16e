"""ONNX Runtime and OpenVINO, imported without their telemetry: footage is private, and so is who scores what."""

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Final, cast

_OPENVINO_TELEMETRY: Final = "openvino_telemetry"


def import_onnxruntime() -> Any:
    """ONNX Runtime, which since 1.29 reports sessions to its maker unless this variable stands before its import."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    return import_module("onnxruntime")


def import_openvino() -> Any:
    """OpenVINO, whose import reports itself to its maker unless `openvino_telemetry` is missing.

    None in `sys.modules` stands for a missing module; OpenVINO then takes a stub.
    """
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    hidden = sys.modules.setdefault(_OPENVINO_TELEMETRY, cast(ModuleType, None)) is None
    try:
        return import_module("openvino")
    finally:
        if hidden:
            del sys.modules[_OPENVINO_TELEMETRY]
