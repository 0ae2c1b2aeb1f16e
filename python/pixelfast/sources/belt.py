"""What one thread hands to another: a short queue, bounded in number and in bytes."""

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Belt(Generic[Item]):
    """A queue that one thread puts on and another takes from; either may close it.

    Examples:
        >>> from pixelfast.sources.belt import Belt
        >>> belt = Belt(most=2, most_bytes=100)
        >>> belt.put("a", 10), belt.put("b", 10), belt.put("c", 10, wait=False)
        (True, True, False)
        >>> belt.take(1.0)
        'a'
    """

    def __init__(self, most: int, most_bytes: float) -> None:
        self._items: deque[tuple[Item, int]] = deque()
        self._most, self._most_bytes, self._bytes = most, most_bytes, 0
        self._changed, self._closed = threading.Condition(), False

    def put(self, item: Item, nbytes: int = 0, *, wait: bool = True) -> bool:
        """Puts an item on; returns whether it lies there: not where there is no room and none is waited for."""
        with self._changed:
            while not self._closed and self._is_full():
                if not wait:
                    return False
                self._changed.wait()
            if self._closed:
                return False
            self._items.append((item, nbytes))
            self._bytes += nbytes
            self._changed.notify_all()
            return True

    def take(self, seconds: float | None) -> Item | None:
        """Returns the next item; None where none came within so many seconds, or there are no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, seconds)
            if not self._items:
                return None
            item, nbytes = self._items.popleft()
            self._bytes -= nbytes
            self._changed.notify_all()
            return item

    def is_low(self) -> bool:
        """Returns whether a quarter of it is filled at most."""
        with self._changed:
            return 4 * len(self._items) <= self._most and 4 * self._bytes <= self._most_bytes

    def close(self) -> None:
        """Lets nothing more be put on, and whoever waits go on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_full(self) -> bool:
        return len(self._items) >= self._most or self._bytes >= self._most_bytes
