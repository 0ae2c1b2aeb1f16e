"""A plan that PyTorch computes, with TensorRT's interface: what runs plans is tried on a GPU without TensorRT."""

from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from pixelfast.geometry import FRAME_SIZE, GRID, WINDOW
from pixelfast.runtime.tensorrt.package import Messages
from pixelfast.runtime.tensorrt.runner import OpenPlan, PlanDevice, TensorRtRunner

if TYPE_CHECKING:
    from torch import Tensor

CALL_SIZES: Final = (16, 128, 128)
"""Frames a call of the made-up plan, as those that are exported have it: at least, best, at most."""

_CELL: Final = FRAME_SIZE // GRID
_INPUT, _OUTPUT = "frames", "window_errors"
_TYPES: Final = {_INPUT: "UINT8", _OUTPUT: "FLOAT"}


class Memory(Protocol):
    """How PyTorch reaches what a device allocated."""

    def tensor(self, address: int, shape: tuple[int, ...], dtype: str) -> "Tensor":
        """Returns the memory at an address as a tensor of a shape, of the type that NumPy calls so."""

    def within(self, stream: int) -> AbstractContextManager[Any]:
        """Puts what PyTorch does in the block into a stream."""


class CudaMemory:
    """That of the GPU, by addresses and streams of CUDA's runtime; see `Memory`."""

    def tensor(self, address: int, shape: tuple[int, ...], dtype: str) -> "Tensor":
        """See `Memory.tensor`."""
        import torch

        kind = np.dtype(dtype).str
        facts = {"data": (address, False), "shape": shape, "typestr": kind, "strides": None, "version": 3}
        return torch.as_tensor(type("_Raw", (), {"__cuda_array_interface__": facts})(), device="cuda")

    def within(self, stream: int) -> AbstractContextManager[Any]:
        """See `Memory.within`."""
        import torch

        external: Any = torch.cuda.ExternalStream
        return cast("AbstractContextManager[Any]", torch.cuda.stream(external(stream)))


class MadeUpPlan:
    """From `frames` u8[N,128,128] to how far each is from its window's mean: `window_errors` f32[N-15,16,8,8].

    Engine and context in one; see `runtime.tensorrt.package` for what each method does.

    Args:
        memory: how PyTorch reaches the runner's buffers.
        work: how often the mean is computed anew, so that a call takes long; 0 computes nothing at all.
    """

    num_io_tensors: Final = 2

    def __init__(self, memory: Memory, work: int = 1) -> None:
        self._memory, self._work, self._items = memory, work, 0
        self._addresses: dict[str, int] = {}

    def get_tensor_name(self, index: int, /) -> str:
        """See `Engine`."""
        return (_INPUT, _OUTPUT)[index]

    def get_tensor_mode(self, name: str, /) -> str:
        """See `Engine`."""
        return name

    def get_tensor_dtype(self, name: str, /) -> Any:
        """See `Engine`."""
        return SimpleNamespace(name=_TYPES[name])

    def get_tensor_location(self, name: str, /) -> Any:
        """`TensorLocation`: all of them lie on the device."""
        del name
        return SimpleNamespace(name="DEVICE")

    def get_tensor_format(self, name: str, /) -> Any:
        """`TensorFormat`: rows one after another."""
        del name
        return SimpleNamespace(name="LINEAR")

    def get_tensor_shape(self, name: str, /) -> tuple[int, ...]:
        """See `Engine` and `Context`."""
        if name == _INPUT:
            return self._items or -1, FRAME_SIZE, FRAME_SIZE
        return self._items - WINDOW + 1 if self._items else -1, WINDOW, GRID, GRID

    def get_tensor_profile_shape(self, name: str, profile_index: int, /) -> list[tuple[int, ...]]:
        """See `Engine`."""
        del name, profile_index
        return [(count, FRAME_SIZE, FRAME_SIZE) for count in CALL_SIZES]

    def create_execution_context(self) -> "MadeUpPlan":
        """See `Engine`."""
        return self

    def set_input_shape(self, name: str, shape: tuple[int, ...], /) -> bool:
        """See `Context`."""
        del name
        self._items = shape[0]
        return CALL_SIZES[0] <= shape[0] <= CALL_SIZES[-1]

    def set_tensor_address(self, name: str, memory: int, /) -> bool:
        """See `Context`."""
        self._addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle: int, /) -> bool:
        """See `Context`."""
        if self._work:
            frames = self._memory.tensor(self._addresses[_INPUT], self.get_tensor_shape(_INPUT), "uint8")
            errors = self._memory.tensor(self._addresses[_OUTPUT], self.get_tensor_shape(_OUTPUT), "float32")
            with self._memory.within(stream_handle):
                for _ in range(self._work):
                    errors.copy_(_errors(frames))
        return True


def _errors(frames: "Tensor") -> "Tensor":
    import torch.nn.functional as F

    cuboids = (frames.float() / 255).unfold(0, WINDOW, 1).permute(0, 3, 1, 2)
    return F.avg_pool2d((cuboids - cuboids.mean(1, keepdim=True)).square(), _CELL)


def expected_errors(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """f32[N-15,16,8,8]: what the made-up plan gives for frames u8[N,128,128], in NumPy."""
    scaled = frames.astype(np.float32) / 255
    errors = np.empty((len(frames) - WINDOW + 1, WINDOW, GRID, GRID), np.float32)
    for start, found in enumerate(errors):
        cuboid = scaled[start : start + WINDOW]
        squares = np.square(cuboid - cuboid.mean(axis=0))
        found[...] = squares.reshape(WINDOW, GRID, _CELL, GRID, _CELL).mean(axis=(2, 4))
    return errors


def run_made_up(memory: Memory, device: PlanDevice, work: int = 1) -> TensorRtRunner:
    """The runner of plans, as it is, with a made-up plan on a device."""
    plan = MadeUpPlan(memory, work)
    messages = cast("Messages", SimpleNamespace(last=lambda: "the plan is made up"))
    return TensorRtRunner(
        Path("made-up.plan"),
        OpenPlan(None, messages, plan, _INPUT, None, (), plan),
        device,
    )
