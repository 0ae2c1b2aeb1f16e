"""Which packages are there; and ONNX Runtime, OpenVINO and NNCF without their telemetry: footage is private."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final, cast

from pixelfast.errors import ModelError

_TRAINING: Final = ("torch", "torchvision", "onnx", "onnxscript")


def installed_version(name: str) -> str | None:
    """Returns the version of an installed package; None where it is not installed."""
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def import_onnxruntime() -> Any:
    """Imports ONNX Runtime, which since 1.29 reports sessions to its maker unless this variable stands before."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    return import_module("onnxruntime")


def import_openvino() -> Any:
    """Imports OpenVINO, which reports its import to its maker unless `openvino_telemetry` is missing."""
    return _without_telemetry("openvino")


def import_nncf() -> Any:
    """Imports NNCF, which reports to OpenVINO's maker in the same way, and imports ONNX Runtime itself.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    import_onnxruntime()
    kind = logging.getLoggerClass()
    try:
        return _without_telemetry("nncf")
    finally:
        logging.setLoggerClass(kind)  # it leaves one of its own for every logger of the process


def _without_telemetry(name: str) -> Any:
    """Imports a package while None in `sys.modules` stands for a missing `openvino_telemetry`: it takes a stub."""
    if name in sys.modules:
        return sys.modules[name]
    hidden = sys.modules.setdefault("openvino_telemetry", cast("ModuleType", None)) is None
    try:
        return import_module(name)
    finally:
        if hidden:
            del sys.modules["openvino_telemetry"]


def require_training() -> None:
    """Refuses to go on where a package of the `train` extra is missing; none is imported yet.

    Raises:
        ModelError: one is.
    """
    with training_extra():
        for name in _TRAINING:
            if find_spec(name) is None:
                raise ModuleNotFoundError(name=name)


@contextmanager
def training_extra() -> Iterator[None]:
    """Stands around imports of what trains and exports: where PyTorch is missing, a sentence says so.

    Raises:
        ModelError: a package of the `train` extra is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in _TRAINING:
            raise
        raise ModelError(
            f"training and exporting need PyTorch, and {error.name} is missing: pip install 'pixelfast[train]'"
        ) from error
