"""The cores that a run may use: whoever computes takes some first, so never more threads compute than there are."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Cores:
    """A number of cores that the stages of a run share.

    Stages that run ahead of another are urgent: what they make waits in a bounded queue, and when that is full they
    wait themselves, so the stage behind them is served in time. Among equals, who came first is served first.

    Args:
        count: how many there are, at least 1.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = count
        self._urgent: deque[object] = deque()  # who waits, in order
        self._others: deque[object] = deque()
        self._changed = threading.Condition()

    def take(self, least: int = 1, most: int | None = None, *, urgent: bool = False) -> int:
        """Waits until `least` cores are free, takes up to `most` (None: `least`) and says how many.

        Ctrl-C ends the wait. Who wants none, as an engine on a GPU does, waits for nobody.
        """
        if least == 0 and not most:
            return 0
        least, place = min(least, self.count), object()
        waiting = self._urgent if urgent else self._others
        with self._changed:
            waiting.append(place)
            try:
                self._changed.wait_for(lambda: self._free >= least and self._next() is place)
                taken = min(self._free, max(least, most or 0))
                self._free -= taken
            finally:
                waiting.remove(place)
                self._changed.notify_all()
        return taken

    def _next(self) -> object:
        return self._urgent[0] if self._urgent else self._others[0]

    def give(self, count: int) -> None:
        """Gives cores back."""
        with self._changed:
            self._free += count
            self._changed.notify_all()

    @contextmanager
    def taken(self, least: int = 1, most: int | None = None, *, urgent: bool = False) -> Iterator[int]:
        """`take` for the time of a block."""
        count = self.take(least, most, urgent=urgent)
        try:
            yield count
        finally:
            self.give(count)
