"""A device whose memory is the host's, by its true addresses, and which does all at once."""

import ctypes
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch

from pixelfast.runtime.slots import Bytes


class HostDevice:
    """See `pixelfast.runtime.slots.Device`."""

    def __init__(self) -> None:
        self._kept: dict[int, Bytes] = {}

    def allocate(self, size: int) -> int:
        memory = np.full(size, 0xA5, np.uint8)
        self._kept[memory.ctypes.data] = memory
        return int(memory.ctypes.data)

    def page_locked(self, size: int) -> Bytes:
        return np.full(size, 0x5A, np.uint8)

    def new_stream(self) -> int:
        return 1

    def new_event(self) -> int:
        return 1

    def copy_in(self, target: int, source: Bytes, stream: int) -> None:
        self._kept[target][: source.size] = source

    def copy_out(self, target: Bytes, source: int, stream: int) -> None:
        target[...] = self._kept[source][: target.size]

    def record(self, event: int, stream: int) -> None: ...

    def wait(self, stream: int, event: int) -> None: ...

    def synchronize(self, event: int) -> None: ...

    def drain(self) -> None: ...

    def close(self) -> None: ...


class HostMemory:
    """See `pixelfast.verify.made_plan.Memory`."""

    def tensor(self, address: int, shape: tuple[int, ...], dtype: str) -> torch.Tensor:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        raw = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))
        return torch.from_numpy(raw.view(dtype).reshape(shape))

    def within(self, stream: int) -> AbstractContextManager[Any]:
        return nullcontext()
