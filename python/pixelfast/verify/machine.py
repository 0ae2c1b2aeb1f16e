"""What a machine has to run engines on: its GPU by cuda-bindings, by PyTorch, or by both."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import NamedTuple

from pixelfast.runtime.tensorrt.check import GpuMachine, read_machine
from pixelfast.runtime.torch.choice import gpu_by_torch


class TorchGpu(NamedTuple):
    """A GPU as PyTorch describes it."""

    name: str
    compute_capability: str


@dataclass(frozen=True)
class Machine:
    """A machine.

    Attributes:
        gpu: the GPU's name; None where neither cuda-bindings nor PyTorch reaches one.
        compute_capability: of the GPU, such as "8.6"; None likewise.
        plans_missing: why no plan can run; None where the GPU can be reached for them.
        by_torch: whether PyTorch reaches the GPU.
        torch_installed: whether PyTorch is there at all.
        versions: of the TensorRT packages, by name.
    """

    gpu: str | None
    compute_capability: str | None
    plans_missing: str | None
    by_torch: bool
    torch_installed: bool
    versions: Mapping[str, str]

    def words(self) -> str:
        """The GPU, and what reaches it."""
        if self.gpu is None:
            return f"none: {self.plans_missing}"
        torch = "PyTorch reaches it" if self.by_torch else "PyTorch does not reach it"
        plans = "" if self.plans_missing is None else f"; no plan can run: {self.plans_missing}"
        return f"{self.gpu}, compute capability {self.compute_capability}; {torch}{plans}"


def this_machine() -> Machine:
    """The one that this runs on."""
    return merged(read_machine(), _torch_gpu(), find_spec("torch") is not None)


def merged(found: GpuMachine, torch_gpu: TorchGpu | None, torch_installed: bool) -> Machine:
    """What cuda-bindings and PyTorch (None where it has no GPU) say together."""
    name, capability = found.gpu, found.compute_capability
    if name is None and torch_gpu is not None:
        name, capability = torch_gpu
    # What is missing is kept in words, as the GPU may be there all the same.
    missing = None if found.gpu is not None else found.gpu_missing or "cuda-bindings does not reach the GPU"
    return Machine(name, capability, missing, torch_gpu is not None, torch_installed, found.versions)


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
