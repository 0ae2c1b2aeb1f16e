"""Two sets of buffers, so that copying in, computing and copying out overlap on a device."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pixelfast.runtime.pieces import Piece, Ports, sizes
from pixelfast.runtime.runner import Tensor

SLOTS: Final = 2
"""Pieces on their way at once: one is copied while the other is computed."""

Bytes = NDArray[np.uint8]
Memory = Any
Stream = Any
Event = Any
"""A device's own: addresses and handles by cuda-bindings, objects by PyTorch."""

Execute = Callable[[int, Memory, Memory, Stream], None]
"""Puts one call of an engine into a stream: the number of items, where they lie, where the results go, the stream."""


class Device(Protocol):
    """What `Slots` needs of a device. Calls that name a stream return at once; the stream does them in order."""

    def allocate(self, size: int) -> Memory:
        """`size` bytes on the device."""

    def page_locked(self, size: int) -> Bytes:
        """u8[size] on the host, which the device can copy from and to while the host goes on."""

    def new_stream(self) -> Stream:
        """A stream: what is put into it is done in order, beside the other streams."""

    def new_event(self) -> Event:
        """A mark that can be put into a stream; the host sleeps while it waits for one."""

    def copy_in(self, target: Memory, source: Bytes, stream: Stream) -> None:
        """Host to device."""

    def copy_out(self, target: Bytes, source: Memory, stream: Stream) -> None:
        """Device to host."""

    def record(self, event: Event, stream: Stream) -> None:
        """Puts the event into the stream."""

    def wait(self, stream: Stream, event: Event) -> None:
        """The stream goes on only after the event."""

    def synchronize(self, event: Event) -> None:
        """The host goes on only after the event."""

    def drain(self) -> None:
        """The host goes on only after everything."""


class _Slot:
    """Buffers of one call on both sides of the bus, and where its results belong while it is under way."""

    def __init__(self, device: Device, ports: Ports, most: int) -> None:
        self.items = _page_locked(device, ports.items, most)
        self.results = _page_locked(device, ports.results, ports.span.results(most))
        self.source, self.target = device.allocate(self.items.nbytes), device.allocate(self.results.nbytes)
        self.copied_in, self.computed, self.copied_out = (device.new_event() for _ in range(3))
        self.belongs: NDArray[Any] | None = None  # a view of the caller's results


class Slots:
    """Runs the pieces of a call, two at once; nothing is allocated while they run. One thread at a time may call it.

    Pieces of at most `most` items can be fed.

    Raises:
        Exception: what the device raises where it has not the memory.
    """

    def __init__(self, device: Device, ports: Ports, most: int) -> None:
        self._device = device
        self._in, self._compute, self._out = (device.new_stream() for _ in range(3))
        self._slots = [_Slot(device, ports, most) for _ in range(SLOTS)]

    def run(self, execute: Execute, items: NDArray[Any], pieces: Sequence[Piece], results: NDArray[Any]) -> None:
        """Fills `results` [R, ...] with what `execute` makes of the pieces of `items` [N, ...], in order.

        Raises:
            Exception: what the device or the engine raises where it fails; nothing is under way then.
        """
        done = 0
        try:
            for index, piece in enumerate(pieces):
                slot = self._slots[index % SLOTS]
                self._collect(slot)
                target = results[done : done + piece.results]
                self._begin(execute, slot, items[piece.start : piece.end], piece.fed, target)
                done += piece.results
            for index in range(len(pieces), len(pieces) + SLOTS):
                self._collect(self._slots[index % SLOTS])
        except BaseException:  # Ctrl-C, too: no copy may go on into a buffer that the next call fills
            with suppress(Exception):  # a device that failed once fails again; the first failure is the one to tell
                self._device.drain()
            for slot in self._slots:
                slot.belongs = None
            raise

    def _begin(self, execute: Execute, slot: _Slot, own: NDArray[Any], fed: int, target: NDArray[Any]) -> None:
        """Puts a piece into the streams; the slot is free."""
        slot.items[: len(own)] = own
        slot.items[len(own) : fed] = own[-1]
        device = self._device
        device.copy_in(slot.source, _bytes(slot.items[:fed]), self._in)
        device.record(slot.copied_in, self._in)
        device.wait(self._compute, slot.copied_in)
        execute(fed, slot.source, slot.target, self._compute)
        device.record(slot.computed, self._compute)
        device.wait(self._out, slot.computed)
        device.copy_out(_bytes(slot.results[: len(target)]), slot.target, self._out)
        device.record(slot.copied_out, self._out)
        slot.belongs = target

    def _collect(self, slot: _Slot) -> None:
        """Waits for what the slot is doing, if anything, and keeps its results."""
        if slot.belongs is not None:
            self._device.synchronize(slot.copied_out)
            slot.belongs[...] = slot.results[: len(slot.belongs)]
            slot.belongs = None


def _page_locked(device: Device, tensor: Tensor, count: int) -> NDArray[Any]:
    shape = (count, *sizes(tensor))
    return device.page_locked(int(np.prod(shape)) * np.dtype(tensor.dtype).itemsize).view(tensor.dtype).reshape(shape)


def _bytes(array: NDArray[Any]) -> Bytes:
    return array.reshape(-1).view(np.uint8)
