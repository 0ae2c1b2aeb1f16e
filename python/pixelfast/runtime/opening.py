"""From an engine file to what runs it: the suffix decides."""

from pathlib import Path

from pixelfast.runtime.onnx import OnnxRunner
from pixelfast.runtime.runner import Runner
from pixelfast.runtime.tensorrt.check import PlanOrigin
from pixelfast.runtime.torch.choice import TorchWish
from pixelfast.runtime.torch.runner import TorchRunner, Weights


def open_runner(
    path: Path, threads: int, weights: Weights, origin: PlanOrigin | None = None, wish: TorchWish | None = None
) -> Runner:
    """The runner of a file: `.safetensors` by PyTorch, `.plan` by TensorRT, and any other as ONNX.

    Args:
        path: the file.
        threads: threads of a call on a CPU.
        weights: what a `.safetensors` file holds.
        origin: of a plan, what its model knows about it; None for a lone file.
        wish: of a `.safetensors` file, where and how PyTorch shall compute.

    Raises:
        EngineError: the file is missing, damaged, or cannot be run on this machine.
    """
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        return TorchRunner(path, weights, threads, wish or TorchWish())
    if suffix == ".plan":
        from pixelfast.runtime.tensorrt.runner import open_plan

        return open_plan(path, origin)
    return OnnxRunner(path, threads)
