"""From an engine file to what runs it: the suffix decides."""

from pathlib import Path

from pixelfast.runtime.onnx import OnnxRunner
from pixelfast.runtime.runner import Runner
from pixelfast.runtime.tensorrt.check import PlanOrigin


def open_runner(path: Path, threads: int, origin: PlanOrigin | None = None) -> Runner:
    """The runner of an ONNX file or, where the name ends in `.plan`, of a TensorRT plan.

    Args:
        path: the file.
        threads: threads of a call on a CPU.
        origin: of a plan, what its model knows about it; None for a lone file.

    Raises:
        EngineError: the file is missing, damaged, or cannot be run on this machine.
    """
    if path.suffix.lower() == ".plan":
        from pixelfast.runtime.tensorrt.runner import open_plan

        return open_plan(path, origin)
    return OnnxRunner(path, threads)
