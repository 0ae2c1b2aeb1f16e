"""The times of frames as they are read: always rising, whatever a file says."""


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
