"""Engines of frames with int8 convolutions, for a CPU: made from a float32 ONNX file by NNCF (extra `quantize`)."""

import io
import logging
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError, first_line
from pixelfast.files.atomic import atomic_path
from pixelfast.machine.imports import import_nncf
from pixelfast.runtime.external import check_external

_QUANTIZED: Final = {"Conv", "ConvTranspose", "Relu"}
"""The network itself; all else, scaling and the error side among it, stays in float32."""

_INSTALL: Final = "pip install 'pixelfast[quantize]'"


def write_int8(onnx_file: Path, out: Path, runs: Sequence[NDArray[np.uint8]]) -> None:
    """Writes an engine of frames in float32 with its convolutions in int8 (quantise and dequantise nodes around them).

    The ranges of the activations are taken from `runs`: neighbouring frames u8[n, H, W] of ordinary footage, n at least
    a window.

    Raises:
        EngineError: NNCF is missing, or cannot do it.
        OutputError: `out` cannot be written.
    """
    try:
        nncf = import_nncf()
    except ModuleNotFoundError as error:
        raise EngineError(f"int8 needs {error.name}, which is not installed: {_INSTALL}") from None
    model, metadata = _load(onnx_file)
    name = model.graph.input[0].name
    data = nncf.Dataset(list(runs), lambda frames: {name: frames})
    others = sorted({node.op_type for node in model.graph.node} - _QUANTIZED)
    logging.getLogger("nncf").setLevel(logging.ERROR)  # not by NNCF's own function, which changes others' handlers
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):  # progress bars that nobody asked for
            quantized = nncf.quantize(
                model,
                data,
                subset_size=len(runs),
                ignored_scope=nncf.IgnoredScope(types=others),
                # The fast correction shifts scores by 1.4% and costs the order of near-equal frames: 0.994 for 0.9999.
                fast_bias_correction=False,
            )
    except Exception as error:  # NNCF's errors have no common base but Exception
        raise EngineError(f"NNCF cannot make an int8 engine of {onnx_file}: {first_line(error)}") from error
    _save(quantized, {**metadata, "pixelfast.precision": "int8"}, out)


def write_bf16(onnx_file: Path, out: Path) -> None:
    """Writes `onnx_file` with the wish that a CPU computes it in bfloat16, where it can; the graph is the same.

    Raises:
        EngineError: onnx is missing, or the file is damaged.
        OutputError: `out` cannot be written.
    """
    model, metadata = _load(onnx_file)
    _save(model, {**metadata, "pixelfast.precision": "bf16"}, out)


def _load(path: Path) -> tuple[Any, dict[str, str]]:
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise EngineError(f"{path} cannot be rewritten without onnx: {_INSTALL}") from error
    check_external(path)
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf's, of a class that depends on how it was built
        raise EngineError(f"{path} is no ONNX file, or a damaged one: export it again") from error
    return model, {one.key: one.value for one in model.metadata_props}


def _save(model: Any, metadata: dict[str, str], out: Path) -> None:
    from onnx import helper

    helper.set_model_props(model, metadata)
    with atomic_path(out) as temporary:
        temporary.write_bytes(model.SerializeToString())
