"""The time that a verification may take, and what there was none left for."""

import time
from collections.abc import Callable


class Budget:
    """Seconds in all, from now on.

    Attributes:
        left_out: what no longer fitted, in the order in which it was asked for.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.left_out: list[str] = []
        self._clock, self._end, self._whole = clock, clock() + seconds, seconds

    def fits(self, what: str, seconds: float) -> bool:
        """Says whether something that takes so many seconds, about, can still be done; what cannot is remembered."""
        if self._clock() + seconds <= self._end:
            return True
        self.left_out.append(what)
        return False

    def words(self) -> str:
        """Returns what was left out, in a sentence; "" where nothing was."""
        if not self.left_out:
            return ""
        return f"{'; '.join(self.left_out)}: no longer within the budget of {self._whole:g} s, --budget gives more"
