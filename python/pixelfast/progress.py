"""What a long job tells while it runs."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One step of a job: `done` of `total` units of `phase` (frames, steps, epochs); `total` None where unknown.

    Examples:
        >>> steps = []
        >>> scores = pixelfast.score("new", engine="model", progress=steps.append)
        >>> (steps[-1].done, steps[-1].total)
        (80, 80)
    """

    phase: str
    done: int
    total: int | None
    note: str = ""


ProgressCallback = Callable[[Progress], None]


def duration(seconds: float) -> str:
    """Returns seconds as a person says them: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
