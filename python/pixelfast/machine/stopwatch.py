"""Where the time of a run goes: seconds and bytes a phase, which of them overlap, and which stage bounds the run."""

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
        """The items, none of them None, the time that each is waited for counted under `wait`."""
        iterator = iter(items)
        while True:
            with self.phase(WAIT):
                item = next(iterator, None)
            if item is None:
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


DECODE, CLEAN, SCORE = "decode", "clean", "score"


_STAGES = {
    DECODE: ("fingerprint", "decode"),
    CLEAN: ("noise", "flip"),
    SCORE: ("flow", "engine", "aggregate"),
}


@dataclass(frozen=True)
class ProfileRow:
    """One phase.

    Attributes:
        name: "decode", "engine", …
        stage: the stage that it belongs to, each of which has a thread of its own (or two, while a video is read again
            without flip correction); "" for what comes before and after.
        seconds: of wall clock in which the phase computed; waiting for another stage is no part of it.
        share: of the whole run's wall clock; rows of different stages overlap.
        nbytes: what it took in or made.
    """

    name: str
    stage: str
    seconds: float
    share: float
    nbytes: int


@dataclass(frozen=True)
class Profile:
    """Where the time of a run went.

    Attributes:
        rows: its phases.
        total: seconds of wall clock, loading and writing included.
        explained: the share of `total` in which the calling thread was in one of the phases; `wait` is explained by
            the stages ahead of it.
        flowing: the seconds of it in which frames went through the stages.
        stages: by name the share of `flowing` in which a stage did not wait for another one.
        cores: how many cores the process kept busy, on average over `total`.
        threads: how many it might use.
    """

    rows: tuple[ProfileRow, ...]
    total: float
    explained: float
    flowing: float
    stages: dict[str, float]
    cores: float
    threads: int

    @property
    def slowest(self) -> str:
        """The stage that bounds the run, because it waits the least."""
        return max(self.stages, key=lambda stage: self.stages[stage])

    @property
    def busy(self) -> float:
        """The share of `flowing` in which the slowest stage did not wait."""
        return self.stages[self.slowest]

    def bound(self) -> str:
        """Names the stage that bounds the run, and says how long each was at work while frames flowed."""
        others = ", ".join(f"{name} {share:.0%}" for name, share in self.stages.items() if name != self.slowest)
        return f"{self.slowest}: at work for {self.busy:.0%} of the {self.flowing:.2f} s of flow ({others})"


def profile(laps: Laps, threads: int) -> Profile:
    """The profile of what a stopwatch saw."""
    stage_of = {name: stage for stage, names in _STAGES.items() for name in names}
    rows = tuple(
        ProfileRow(name, stage_of.get(name, ""), one.seconds, one.seconds / laps.total, one.nbytes)
        for name, one in laps.phases.items()
    )
    stages = {stage: sum(row.seconds for row in rows if row.stage == stage) for stage in (DECODE, CLEAN)}
    # The calling thread also keeps parts and tells the caller how far it is: it works whenever it does not wait.
    waited = laps.phases[WAIT].seconds if WAIT in laps.phases else 0.0
    stages[SCORE] = laps.flowing - waited
    called = sum(one.seconds for one in laps.phases.values() if not one.ahead)
    return Profile(
        rows=rows,
        total=laps.total,
        explained=called / laps.total,
        flowing=laps.flowing,
        stages={stage: seconds / laps.flowing if laps.flowing else 0.0 for stage, seconds in stages.items()},
        cores=laps.processor / laps.total,
        threads=threads,
    )
