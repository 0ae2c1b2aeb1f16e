"""How long a whole training will take yet, said with each of its steps."""

import time
from dataclasses import replace
from typing import Final

from pixelfast.progress import Progress, ProgressCallback, duration

_PHASES: Final = ("train", "flip")  # in this order
EXPORT_SECONDS: Final = 5.0
"""About what it takes to write an engine: 4 to 7 s were measured on two cores, whatever the footage."""


class TimeLeft:
    """Passes steps on, and says in the notes of the two long phases how long it is to the end of the last.

    Args:
        tell: gets the steps.
        flip_seconds: about how long the second phase will take; 0 where there will be none.
        export_seconds: about how long it takes to write an engine, of which each phase leaves one.
        calibration_share: about how long the calibration at the end will take, of what the first phase takes.
    """

    def __init__(
        self, tell: ProgressCallback, flip_seconds: float, export_seconds: float = 0.0, calibration_share: float = 0.0
    ) -> None:
        self._tell = tell
        flip = flip_seconds + export_seconds if flip_seconds else 0.0
        self._later = {"train": export_seconds + flip, "flip": export_seconds}
        self._share, self._calibration = calibration_share, 0.0
        self._begun: dict[str, tuple[float, int]] = {}  # when a phase began, and how much of it was done then

    def __call__(self, step: Progress) -> None:
        """Tells one step."""
        if step.phase in _PHASES and step.total is not None:
            begun, before = self._begun.setdefault(step.phase, (time.monotonic(), step.done))
            if step.done > before:
                each = (time.monotonic() - begun) / (step.done - before)
                if step.phase == "train":
                    self._calibration = each * step.total * self._share
                seconds = each * (step.total - step.done) + self._later[step.phase] + self._calibration
                epoch, _, rest = step.note.partition(", ")
                left = f"{duration(seconds)} left of the whole training"
                step = replace(step, note=", ".join(filter(None, (epoch, left, rest))))
        self._tell(step)
