"""What a machine has to run engines on: its GPU by cuda-bindings, by PyTorch, or by both."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import NamedTuple

from pixelfast.runtime.tensorrt.check import GpuMachine, read_machine
from pixelfast.runtime.torch.choice import gpu_by_torch


class TorchGpu(NamedTuple):
    """A GPU as PyTorch describes it."""

    name: str
    compute_capability: str


@dataclass(frozen=True, kw_only=True)
class Machine(GpuMachine):
    """A machine; its GPU is named where PyTorch alone reaches it, too: `gpu_missing` says then why no plan can run.

    Attributes:
        by_torch: whether PyTorch reaches the GPU.
        torch_installed: whether PyTorch is there at all.
    """

    by_torch: bool
    torch_installed: bool

    def words(self) -> str:
        """The GPU, and what reaches it."""
        if self.gpu is None:
            return f"none: {self.gpu_missing}"
        torch = "PyTorch reaches it" if self.by_torch else "PyTorch does not reach it"
        plans = "" if self.gpu_missing is None else f"; no plan can run: {self.gpu_missing}"
        return f"{self.gpu}, compute capability {self.compute_capability}; {torch}{plans}"


def this_machine() -> Machine:
    """The one that this runs on."""
    return merged(read_machine(), _torch_gpu(), find_spec("torch") is not None)


def merged(found: GpuMachine, torch_gpu: TorchGpu | None, torch_installed: bool) -> Machine:
    """What cuda-bindings and PyTorch (None where it has no GPU) say together."""
    name, capability, missing = found.gpu, found.compute_capability, found.gpu_missing
    if name is None:
        missing = missing or "cuda-bindings does not reach the GPU"
        name, capability = torch_gpu or (None, None)
    by_torch = torch_gpu is not None
    return Machine(name, capability, found.versions, missing, by_torch=by_torch, torch_installed=torch_installed)


def _torch_gpu() -> TorchGpu | None:
    if not gpu_by_torch():
        return None
    import torch

    try:
        name = torch.cuda.get_device_name()
    except RuntimeError:  # a GPU that is there and does not start
        return None
    major, minor = torch.cuda.get_device_capability()
    return TorchGpu(name, f"{major}.{minor}")
