"""Which frames of one video the optical flow may use: it can bear neither noise nor a frame that is half missing."""

import numpy as np
from numpy.typing import NDArray

LONGEST = 16
"""Frames in a row that are passed over at most; the next one is used as it is."""


class Gaps:
    """Passes over bad frames, but not for longer than `LONGEST`: a video that is bad throughout is scored, too."""

    def __init__(self) -> None:
        self._passed_over = 0

    def usable(self, bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool[n]: which of the next frames are to be used."""
        usable = ~bad
        for index in np.flatnonzero(bad):
            before = usable[:index]
            run = index - 1 - int(np.flatnonzero(before)[-1]) if before.any() else self._passed_over + int(index)
            usable[index] = run >= LONGEST
        used = np.flatnonzero(usable)
        self._passed_over = len(bad) - 1 - int(used[-1]) if len(used) else self._passed_over + len(bad)
        return usable
