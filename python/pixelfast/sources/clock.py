"""The times of frames as they are read: always rising, whatever a file says; and which are taken at a lower rate."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SLACK = 1e-6
"""Of a beat: what rounding may cost."""


class Timeline(NamedTuple):
    """All frames of a video of which only some are taken: numbers i64[N], seconds f64[N], and states u8[N]."""

    frame_ids: NDArray[np.int64]
    seconds: NDArray[np.float64]
    status: NDArray[np.uint8]


def beats(seconds: NDArray[np.float64], rate: float) -> NDArray[np.bool_]:
    """Returns bool[N]: which frames are the first at or after each beat of `rate` a second.

    Args:
        seconds: f64[N], rising times.
        rate: frames a second to take.

    Examples:
        >>> np.flatnonzero(beats(np.arange(9) / 25, 10.0)).tolist()
        [0, 3, 5, 8]
    """
    return np.diff(np.floor((seconds - seconds[:1]) * rate + _SLACK), prepend=-1.0) > 0


def beat_at(seconds: float, rate: float) -> int:
    """Returns the number of the beat at or before a time since the first frame."""
    return int(seconds * rate + _SLACK)


class Clock:
    """Tells the time of each frame since the first, in seconds.

    A time that is missing follows the one before by a step, one that is repeated by half a step; where a file's clock
    goes back, it is taken to go on from where it was.

    Attributes:
        step: seconds from a frame to the next, as a rule.
        last: of the last frame; None before the first.
        first: what the file's clock said of the first frame; 0 where it said nothing.
        mended: how many times were missing or did not rise.

    Examples:
        >>> clock = Clock(0.04)
        >>> [clock.tell(time) for time in (5.0, 5.04, 5.04, None)]
        [0.0, 0.04, 0.06, 0.1]
    """

    def __init__(self, step: float) -> None:
        self.step = step
        self.last: float | None = None
        self.first = 0.0
        self.mended = 0
        self._zero: float | None = None  # what the file's clock said at the first frame

    def tell(self, seconds: float | None) -> float:
        """Returns the time of the next frame, of which the file says `seconds`, or nothing."""
        if self._zero is None and seconds is not None:
            self._zero = seconds - (0.0 if self.last is None else self.last + self.step)
        time = None if seconds is None or self._zero is None else round(seconds - self._zero, 9)
        if self.last is None:
            self.mended += time is None
            self.last, self.first = time or 0.0, seconds or 0.0
            return self.last
        if time is None or time <= self.last:
            self.mended += 1
            if time is not None and time < self.last - self.step / 4:
                assert seconds is not None
                self._zero = seconds - self.last - self.step
                time = self.last + self.step
            else:
                time = self.last + (self.step if time is None else self.step / 2)
            time = round(time, 9)
        self.last = time
        return time
