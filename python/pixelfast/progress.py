"""What a long job tells while it runs."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One step of a job: `done` of `total` units of `phase` (frames, steps, epochs); `total` None where unknown."""

    phase: str
    done: int
    total: int | None
    note: str = ""


ProgressCallback = Callable[[Progress], None]
