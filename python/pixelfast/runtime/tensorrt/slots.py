"""Two sets of buffers, so that copying in, computing and copying out overlap on the device."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pixelfast.errors import EngineError
from pixelfast.runtime.tensorrt.cuda import Bytes, Device

SLOTS: Final = 2

Execute = Callable[[int, int, int, int], None]
"""Puts one call into a stream: number of items, address of the input, address of the output, stream."""


@dataclass(frozen=True)
class Piece:
    """A call of the engine: items `start` to `end`, fed as `fed` items (the last one again), `results` of them kept."""

    start: int
    end: int
    fed: int
    results: int


class _Slot:
    """Buffers of one call, and where in the results it belongs while it is under way."""

    def __init__(self, device: Device, input_bytes: int, output_bytes: int) -> None:
        self.host_in = device.page_locked(input_bytes)
        self.host_out = device.page_locked(output_bytes)
        self.device_in = device.allocate(input_bytes)
        self.device_out = device.allocate(output_bytes)
        self.copied_in, self.computed, self.copied_out = (device.new_event() for _ in range(3))
        self.target: Bytes | None = None  # u8[results, result_bytes], a view of the caller's results


class Slots:
    """Runs the pieces of a call, two at once; nothing is allocated while they run.

    Args:
        device: memory and streams.
        execute: one call of the engine.
        most: items of the largest piece that can be fed, and the results that these give.
        item_bytes: of one item of the input.
        result_bytes: of one result.

    Raises:
        EngineError: the device has not the memory.
    """

    def __init__(
        self, device: Device, execute: Execute, most: tuple[int, int], item_bytes: int, result_bytes: int
    ) -> None:
        self._device = device
        self._execute = execute
        self._in, self._compute, self._out = (device.new_stream() for _ in range(3))
        self._slots = [_Slot(device, most[0] * item_bytes, most[1] * result_bytes) for _ in range(SLOTS)]

    def run(self, items: Bytes, pieces: Sequence[Piece], results: Bytes) -> None:
        """Fills `results` u8[n, result_bytes] with those of the pieces of `items` u8[m, item_bytes], in order.

        Raises:
            EngineError: the device or the engine fails; nothing is under way then.
        """
        done = 0
        try:
            for index, piece in enumerate(pieces):
                slot = self._slots[index % SLOTS]
                self._collect(slot)
                self._begin(slot, items, piece, results[done : done + piece.results])
                done += piece.results
            for index in range(len(pieces), len(pieces) + SLOTS):
                self._collect(self._slots[index % SLOTS])
        except BaseException:  # Ctrl-C, too: no copy may go on into a buffer that the next call fills
            self._abandon()
            raise

    def _begin(self, slot: _Slot, items: Bytes, piece: Piece, target: Bytes) -> None:
        """Puts a piece into the streams; the slot is free."""
        own = items[piece.start : piece.end]
        source = slot.host_in[: piece.fed * items.shape[1]]
        rows = source.reshape(piece.fed, -1)
        rows[: len(own)] = own
        rows[len(own) :] = own[-1]
        device = self._device
        device.copy_in(slot.device_in, source, self._in)
        device.record(slot.copied_in, self._in)
        device.wait(self._compute, slot.copied_in)
        self._execute(piece.fed, slot.device_in, slot.device_out, self._compute)
        device.record(slot.computed, self._compute)
        device.wait(self._out, slot.computed)
        device.copy_out(slot.host_out[: target.size], slot.device_out, self._out)
        device.record(slot.copied_out, self._out)
        slot.target = target

    def _collect(self, slot: _Slot) -> None:
        """Waits for what the slot is doing, if anything, and keeps its results."""
        if slot.target is None:
            return
        self._device.synchronize(slot.copied_out)
        slot.target[...] = slot.host_out[: slot.target.size].reshape(slot.target.shape)
        slot.target = None

    def _abandon(self) -> None:
        with suppress(EngineError):  # a device that failed once fails again; the first failure is the one to tell
            self._device.drain()
        for slot in self._slots:
            slot.target = None
