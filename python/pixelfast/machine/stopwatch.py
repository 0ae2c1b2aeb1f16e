"""Where the time of a run goes: seconds and bytes a phase, which of them overlap, and which stage bounds the run."""

import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

Item = TypeVar("Item")

_WAIT: Final = "wait"
"""The phase in which the calling thread waits for frames: what runs ahead of it is slower."""
_STAGES: Final = {
    **dict.fromkeys(("fingerprint", "decode"), "decode"),
    **dict.fromkeys(("noise", "flip"), "clean"),
    **dict.fromkeys(("dis", "cells"), "cells"),
    **dict.fromkeys(("flow", "engine", "aggregate"), "score"),
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
        stages: by name the share of `flowing` in which a stage did not wait for another one, for its frames or for room
            to put them.
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
        """Returns the stage that bounds the run, because it waits the least."""
        return max(self.stages, key=lambda stage: self.stages[stage])

    @property
    def busy(self) -> float:
        """Returns the share of `flowing` in which the slowest stage did not wait."""
        return self.stages[self.slowest]

    def bound(self) -> str:
        """Names the stage that bounds the run, and says how long each was at work while frames flowed."""
        others = ", ".join(f"{name} {share:.0%}" for name, share in self.stages.items() if name != self.slowest)
        return f"{self.slowest}: at work for {self.busy:.0%} of the {self.flowing:.2f} s of flow ({others})"


class Stopwatch:
    """Adds up wall-clock seconds and bytes under names, from any thread.

    Phases of two threads may overlap; where they have the same name, the time in which they do counts once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.restart()

    def restart(self) -> None:
        """Begins anew, with nothing counted; from now on the calling thread is that of the run."""
        with self._lock:
            self._seconds: defaultdict[str, float] = defaultdict(float)
            self._nbytes = Counter[str]()
            self._inside, self._since = Counter[str](), dict[str, float]()
            self._worked: defaultdict[str, float] = defaultdict(float)
            self._waited: defaultdict[int, float] = defaultdict(float)  # by thread
            self._called = self._flowing = 0.0
            self._caller = threading.get_ident()
            self._rested: tuple[float, float] | None = None
            self._started, self._processor = _now()

    def rest(self) -> None:
        """Stops the time of the whole run until `go_on`, which another thread may call for a run of its own."""
        self._rested = _now()

    def go_on(self) -> None:
        """Lets the time of the whole run pass again, where it rests."""
        if self._rested is not None:
            (wall, processor), (rested, worked) = _now(), self._rested
            self._started, self._processor = self._started + wall - rested, self._processor + processor - worked
            self._caller, self._rested = threading.get_ident(), None

    @contextmanager
    def phase(self, name: str, nbytes: int = 0) -> Iterator[None]:
        """Counts the block's time, and what it took in or made, under `name`."""
        if name == _WAIT and threading.get_ident() != self._caller:
            yield  # a stage between waits for the one before it: the caller's own waiting tells of both
            return
        started = self._count(name, 1)
        try:
            yield
        finally:
            ended = self._count(name, -1)
            with self._lock:
                self._nbytes[name] += nbytes
                self._called += ended - started if threading.get_ident() == self._caller else 0.0

    def _count(self, name: str, threads: int) -> float:
        """Counts the time so far, once for all threads that are in a phase; then so many more are. Returns the time."""
        with self._lock:
            now = time.perf_counter()
            if self._inside[name]:
                self._seconds[name] += now - self._since[name]
            self._since[name] = now
            self._inside[name] = max(0, self._inside[name] + threads)
            return now

    @contextmanager
    def flow(self) -> Iterator[None]:
        """Counts the block's time as the one in which frames flow, and a stage is busy or idle."""
        started = time.perf_counter()
        yield
        self._flowing += time.perf_counter() - started

    def waits(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yields the items, none of them None; the time that each is waited for counts under `wait`."""
        iterator = iter(items)
        while True:
            started = time.perf_counter()
            with self.phase(_WAIT):
                item = next(iterator, None)
            self._waited[threading.get_ident()] += time.perf_counter() - started
            if item is None:
                return
            yield item

    def works(self, stage: str, items: Generator[Item, None, None]) -> Generator[Item, None, None]:
        """Yields the items, none of them None, of a stage that has a thread of its own.

        The time that the stage takes to make each counts as its work, but not what it waits for meanwhile; nor does
        what passes until the next one is asked for.
        """
        with closing(items):
            while True:
                thread, started = threading.get_ident(), time.perf_counter()
                before = self._waited[thread]
                item = next(items, None)
                waited = self._waited[thread] - before
                with self._lock:
                    self._worked[stage] += time.perf_counter() - started - waited
                if item is None:
                    return
                yield item

    def add(self, name: str, *, seconds: float = 0.0, nbytes: int = 0) -> None:
        """Counts seconds under `name`, and bytes, which may be known only after the phase."""
        with self._lock:
            self._seconds[name] += seconds
            self._nbytes[name] += nbytes
            self._called += seconds if threading.get_ident() == self._caller else 0.0

    def seconds(self) -> dict[str, float]:
        """Returns the seconds of each phase so far, and `total` since the stopwatch was made."""
        with self._lock:
            return {**self._seconds, "total": time.perf_counter() - self._started}

    def profile(self, threads: int) -> Profile:
        """Returns the profile so far of a run that might use so many threads."""
        seconds = self.seconds()
        total = seconds.pop("total")
        rows = tuple(
            ProfileRow(name, _STAGES.get(name, ""), one, one / total, self._nbytes[name])
            for name, one in seconds.items()
        )
        busy = {stage: sum(row.seconds for row in rows if row.stage == stage) for stage in ("decode", "clean", "cells")}
        busy |= self._worked
        busy = {stage: one for stage, one in busy.items() if one or stage != "cells"}
        # The calling thread also keeps parts and tells the caller how far it is: it works whenever it does not wait.
        busy["score"] = self._flowing - seconds.get(_WAIT, 0.0)
        return Profile(
            rows=rows,
            total=total,
            explained=self._called / total,
            flowing=self._flowing,
            stages={stage: one / self._flowing if self._flowing else 0.0 for stage, one in busy.items()},
            cores=(sum(os.times()[:2]) - self._processor) / total,
            threads=threads,
        )


def _now() -> tuple[float, float]:
    """Seconds of wall clock, and of processors that the process has used."""
    return time.perf_counter(), sum(os.times()[:2])
