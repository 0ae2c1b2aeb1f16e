"""The ONNX Runtime runner."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError, first_line
from pixelfast.machine.gpu import has_driver
from pixelfast.machine.imports import import_onnxruntime
from pixelfast.runtime.external import broken_onnx, check_external
from pixelfast.runtime.runner import Runner, Tensor, check_file, still_open

_NEWER = "which is newer than ONNX Runtime here: export it for an older one, or update onnxruntime"
_LACKED = "which ONNX Runtime lacks: export it again with standard operators alone"
# What a whole file needs that is not here, by how ONNX Runtime says it.
_FOREIGN = {
    r"[Oo]pset (\d+) is under development": f"needs opset {{0}}, {_NEWER}",
    r"IR version: (\d+), max": f"is of ONNX IR version {{0}}, {_NEWER}",
    r"No Op registered for (\S+) with domain_version of (\d+)": f"needs the operator {{0}} in opset {{1}}, {_LACKED}",
    r"([^\s:]+:[^\s:]+)\(-?\d+\) is not a registered function/op": f"needs the custom operator {{0}}, {_LACKED}",
    r"NOT_IMPLEMENTED.*implementation for (\S+?)\(": f"needs the operator {{0}}, {_LACKED}",
}


class OnnxRunner(Runner):
    """An ONNX file in ONNX Runtime, on the GPU where the installed ONNX Runtime has one, else on the CPU.

    Raises:
        EngineError: no such file, no ONNX file, or damaged.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.path = path
        session = _open_session(path, threads)
        self._session: Any | None = session
        self.inputs = tuple(_tensor(node) for node in session.get_inputs())
        self.outputs = tuple(_tensor(node) for node in session.get_outputs())
        self.metadata = dict(session.get_modelmeta().custom_metadata_map)

    def __call__(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """See `Runner.__call__`."""
        session = still_open(self.path, self._session)
        try:
            return self._interruptible(session, array)
        except Exception as error:  # ONNX Runtime's errors have no common base but Exception
            shape = list(array.shape)
            raise EngineError(f"{self.path}: the engine fails on {array.dtype} {shape}: {first_line(error)}") from error

    def close(self) -> None:
        """See `Loaded.close`."""
        self._session = None

    def put_first(self, output: int) -> None:
        """Makes this one of the file's outputs the one that a call gives."""
        self.outputs = (self.outputs[output], *self.outputs[:output], *self.outputs[output + 1 :])

    def _interruptible(self, session: Any, array: NDArray[Any]) -> NDArray[Any]:
        """One call on a thread of its own: Ctrl-C reaches the waiting caller, who then stops the call."""
        options = import_onnxruntime().RunOptions()
        with ThreadPoolExecutor(1, "pixelfast-engine") as thread:
            call = thread.submit(session.run, [self.outputs[0].name], {self.inputs[0].name: array}, options)
            try:
                return np.asarray(call.result()[0])
            finally:
                options.terminate = True  # without effect on a call that has ended


def onnxruntime_on_gpu() -> bool:
    """Whether ONNX Runtime computes on an NVIDIA GPU here."""
    return has_driver() and "CUDAExecutionProvider" in import_onnxruntime().get_available_providers()


def _open_session(path: Path, threads: int) -> Any:
    check_file(path)
    check_external(path)
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors come as exceptions; nothing is printed beside them
    # Threads that spin while they wait would take the cores from the decoder, which runs meanwhile.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # as above
        raise EngineError(_refusal(path, error)) from error


def _refusal(path: Path, error: Exception) -> str:
    reason = first_line(error)
    for pattern, fact in _FOREIGN.items():
        if found := re.search(pattern, reason):
            return f"{path} {fact.format(*found.groups())}"
    return broken_onnx(path, reason)


def _tensor(node: Any) -> Tensor:
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    dtype = node.type.removeprefix("tensor(").removesuffix(")")
    return Tensor(node.name, {"float": "float32", "double": "float64"}.get(dtype, dtype), shape)
