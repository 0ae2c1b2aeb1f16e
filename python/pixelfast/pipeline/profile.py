"""A run's profile: how its stages shared the time, the cores and the bytes."""

from dataclasses import dataclass

from pixelfast.pipeline.stopwatch import Laps

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
        seconds: of wall clock.
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
        slowest: the stage that was busy for the longest.
        busy: the share of `flowing` in which it was.
        cores: how many cores the process kept busy, on average over `total`.
        threads: how many it might use.
    """

    rows: tuple[ProfileRow, ...]
    total: float
    explained: float
    flowing: float
    slowest: str
    busy: float
    cores: float
    threads: int


def profile(laps: Laps, threads: int) -> Profile:
    """The profile of what a stopwatch saw."""
    stage_of = {name: stage for stage, names in _STAGES.items() for name in names}
    rows = tuple(
        ProfileRow(name, stage_of.get(name, ""), one.seconds, one.seconds / laps.total, one.nbytes)
        for name, one in laps.phases.items()
    )
    stages = {stage: sum(row.seconds for row in rows if row.stage == stage) for stage in _STAGES}
    slowest = max(stages, key=lambda stage: stages[stage])
    called = sum(one.seconds for one in laps.phases.values() if not one.ahead)
    return Profile(
        rows=rows,
        total=laps.total,
        explained=called / laps.total,
        flowing=laps.flowing,
        slowest=slowest,
        busy=stages[slowest] / laps.flowing if laps.flowing else 0.0,
        cores=laps.processor / laps.total,
        threads=threads,
    )
