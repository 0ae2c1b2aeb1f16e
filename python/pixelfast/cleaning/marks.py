"""What is known of each frame of a video as it comes: truth values, and whether the picture stands still."""

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.frozen import FROZEN_FRAMES, FROZEN_SECONDS

Truths = NDArray[np.bool_]


class Marks:
    """Truth values of frames, by their position in the video; those that nobody needs any more can be let go of."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._first = 0

    def __len__(self) -> int:
        return self._first + len(self._kept)

    def __getitem__(self, frames: slice) -> Truths:
        start = max(0, (frames.start or 0) - self._first)
        stop = len(self._kept) if frames.stop is None else max(0, frames.stop - self._first)
        return np.frombuffer(self._kept[start:stop], np.bool_)

    def add(self, truths: Truths) -> None:
        """Takes those of the next frames, bool[n]."""
        self._kept += truths.tobytes()

    def forget(self, before: int) -> None:
        """Lets go of those of the frames before this one."""
        gone = max(0, before - self._first)
        del self._kept[:gone]
        self._first += gone


class StandingStill:
    """Says of the frames of one video, in order, whether they are part of a run of equal ones that is too long so far.

    What `frozen_runs` says in hindsight, of the whole run, is said here from the frame on by which it is certain.
    """

    def __init__(self) -> None:
        self._frames = 0  # of the run so far
        self._since = np.nan

    def frozen(self, equal: Truths, seconds: NDArray[np.float64]) -> Truths:
        """Takes which of the next frames equal the one before, bool[n], and their times f64[n], NaN where not known."""
        frozen = np.zeros(len(equal), np.bool_)
        for index, (same, time) in enumerate(zip(equal.tolist(), seconds.tolist(), strict=True)):
            if not same:
                self._frames, self._since = 0, time
            self._frames += 1
            span = time - self._since
            long = self._frames > FROZEN_FRAMES if np.isnan(span) else span > FROZEN_SECONDS
            frozen[index] = long and self._frames > 2
        return frozen
