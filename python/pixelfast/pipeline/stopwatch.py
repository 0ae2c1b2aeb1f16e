"""Where the time of a run goes: seconds and bytes a phase, and which of them overlap."""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

Item = TypeVar("Item")

WAIT: Final = "wait"
"""The phase in which the calling thread waits for frames: what runs ahead of it is slower."""


class _End:
    """No item is left."""


_END = _End()


@dataclass
class Phase:
    """What is known of a phase so far.

    Attributes:
        seconds: of wall clock; phases on other threads than the caller's overlap with its own.
        nbytes: what it took in or made.
        ahead: whether it ran on a thread of its own, ahead of the caller.
    """

    seconds: float = 0.0
    nbytes: int = 0
    ahead: bool = False


@dataclass(frozen=True)
class Laps:
    """What a stopwatch has seen.

    Attributes:
        phases: by name, in the order in which they began.
        total: seconds since the stopwatch was made.
        flowing: seconds of `Stopwatch.flow`.
        processor: seconds of processor time that the process used meanwhile, on all its threads.
    """

    phases: dict[str, Phase]
    total: float
    flowing: float
    processor: float


@dataclass
class Stopwatch:
    """Adds up wall-clock seconds under names; phases of two threads may overlap."""

    _phases: dict[str, Phase] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _caller: int = field(default_factory=threading.get_ident)
    _flowing: float = 0.0
    _started: float = field(default_factory=time.perf_counter)
    _processor: float = field(default_factory=lambda: sum(os.times()[:2]))

    @contextmanager
    def phase(self, name: str, nbytes: int = 0) -> Iterator[None]:
        """Counts the block's time, and what it took in or made, under `name`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._add(name, time.perf_counter() - started, nbytes)

    @contextmanager
    def flow(self) -> Iterator[None]:
        """The block in which frames flow: what a stage is busy or idle in."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._flowing += time.perf_counter() - started

    def waits(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, the time that each is waited for counted under `wait`."""
        iterator = iter(items)
        while True:
            with self.phase(WAIT):
                item = next(iterator, _END)
            if isinstance(item, _End):
                return
            yield item

    def moved(self, name: str, nbytes: int) -> None:
        """Counts bytes of a phase that are known only after it."""
        self._add(name, 0.0, nbytes)

    def seconds(self) -> dict[str, float]:
        """Seconds of each phase so far, and `total` since the stopwatch was made."""
        laps = self.laps()
        return {**{name: phase.seconds for name, phase in laps.phases.items()}, "total": laps.total}

    def laps(self) -> Laps:
        """Everything so far."""
        with self._lock:
            phases = {name: Phase(one.seconds, one.nbytes, one.ahead) for name, one in self._phases.items()}
        now = time.perf_counter()
        return Laps(phases, now - self._started, self._flowing, sum(os.times()[:2]) - self._processor)

    def _add(self, name: str, seconds: float, nbytes: int) -> None:
        with self._lock:
            phase = self._phases.setdefault(name, Phase())
            phase.seconds += seconds
            phase.nbytes += nbytes
            phase.ahead |= threading.get_ident() != self._caller
