"""A device in NumPy that does what its streams hold as late, as early or as unevenly as CUDA would be allowed to."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


@dataclass
class _Stream:
    """What is still to be done, in order; an entry that returns False cannot be done yet."""

    entries: list[Callable[[], bool]] = field(default_factory=list)


class LazyDevice:
    """See `pixelfast.runtime.slots.Device`.

    Args:
        pick: given the streams that hold something, the number of one to advance now, or None to do nothing yet.
    """

    def __init__(self, pick: Callable[[list[int]], int | None]) -> None:
        self._pick = pick
        self._streams: dict[int, _Stream] = {}
        self._recorded: dict[int, int] = {}  # times that an event was put into a stream
        self._reached: dict[int, int] = {}  # and times that its stream got there
        self._memory: dict[int, Bytes] = {}
        self._next = 1000
        self.allocations = 0
        self.fails_at: int | None = None

    def _address(self) -> int:
        self._next += 1
        return self._next

    def allocate(self, size: int) -> int:
        address = self._address()
        self._memory[address] = np.full(size, 0xA5, np.uint8)
        self.allocations += 1
        return address

    def page_locked(self, size: int) -> Bytes:
        self.allocations += 1
        return np.full(size, 0x5A, np.uint8)

    def new_stream(self) -> int:
        address = self._address()
        self._streams[address] = _Stream()
        return address

    def new_event(self) -> int:
        address = self._address()
        self._recorded[address] = self._reached[address] = 0
        return address

    def memory(self, address: int) -> Bytes:
        return self._memory[address]

    def enqueue(self, stream: int, action: Callable[[], None]) -> None:
        def entry() -> bool:
            action()
            return True

        self._put(stream, entry)

    def copy_in(self, target: int, source: Bytes, stream: int) -> None:
        self.enqueue(stream, lambda: self._memory[target][: source.size].__setitem__(slice(None), source))

    def copy_out(self, target: Bytes, source: int, stream: int) -> None:
        self.enqueue(stream, lambda: target.__setitem__(slice(None), self._memory[source][: target.size]))

    def record(self, event: int, stream: int) -> None:
        self._recorded[event] += 1
        count = self._recorded[event]
        self.enqueue(stream, lambda: self._reached.__setitem__(event, count))

    def wait(self, stream: int, event: int) -> None:
        count = self._recorded[event]  # as CUDA: the event as it was last recorded when the wait was put in
        self._put(stream, lambda: self._reached[event] >= count)

    def synchronize(self, event: int) -> None:
        count = self._recorded[event]
        while self._reached[event] < count:
            self._advance_any()

    def busy(self) -> list[int]:
        """The streams that hold something."""
        return [number for number, stream in self._streams.items() if stream.entries]

    def drain(self) -> None:
        while self.busy():
            self._advance_any()

    def close(self) -> None:
        assert not self.busy()
        self._memory.clear()

    def _put(self, stream: int, entry: Callable[[], bool]) -> None:
        self._streams[stream].entries.append(entry)
        chosen = self._pick(self.busy())
        while chosen is not None and self._advance(chosen):
            chosen = self._pick(self.busy()) if self.busy() else None

    def _advance(self, stream: int) -> bool:
        entries = self._streams[stream].entries
        if not entries or not entries[0]():
            return False
        entries.pop(0)
        return True

    def _advance_any(self) -> None:
        # The last stream first: a copy out comes before its computation wherever nobody ordered them.
        if not any(self._advance(stream) for stream in reversed(self._streams)):
            raise AssertionError("the streams wait for each other")
