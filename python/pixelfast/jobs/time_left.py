"""How long a whole training will take yet, said with each of its steps."""

import time
from dataclasses import replace
from typing import Final

from pixelfast.progress import Progress, ProgressCallback, duration

_PHASES: Final = ("train", "flip")  # in this order; what comes between and after takes little beside them


class TimeLeft:
    """Passes steps on, and says in the notes of the two long phases how long it is to the end of the last.

    Args:
        tell: gets the steps.
        flip_seconds: about how long the second phase will take.
    """

    def __init__(self, tell: ProgressCallback, flip_seconds: float) -> None:
        self._tell = tell
        self._later = {"train": flip_seconds, "flip": 0.0}
        self._begun: dict[str, tuple[float, int]] = {}  # when a phase began, and how much of it was done then

    def __call__(self, step: Progress) -> None:
        """Tells one step."""
        if step.phase in _PHASES and step.total is not None:
            begun, before = self._begun.setdefault(step.phase, (time.monotonic(), step.done))
            if step.done > before:
                seconds = (time.monotonic() - begun) / (step.done - before) * (step.total - step.done)
                epoch, _, rest = step.note.partition(", ")
                left = f"{epoch}, {duration(seconds + self._later[step.phase])} left of the whole training"
                step = replace(step, note=f"{left}, {rest}" if rest else left)
        self._tell(step)
