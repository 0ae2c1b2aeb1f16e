"""Work that runs ahead of its consumer, a bounded number of items, on a background thread."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, Self, TypeVar

Item = TypeVar("Item")
_POLL_SECONDS: Final = 0.05
_END: Final[Any] = object()


class Readahead(Generic[Item]):
    """Iterates over `produce()` on a thread of its own, at most `depth` items ahead.

    Use it in a `with` block: leaving the block, by an exception or Ctrl-C too, stops the producer after the item that
    it is making and waits for its thread. The producer's exceptions are raised where the consumer iterates.

    Args:
        produce: makes the iterator; called, advanced and closed on the background thread.
        depth: the bound of the queue.
    """

    def __init__(self, produce: Callable[[], Iterator[Item]], depth: int) -> None:
        self._produce = produce
        self._queue: queue.Queue[Item] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pixelfast-readahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        item = self._queue.get()
        if item is not _END:
            return item
        self._queue.put(_END)  # a further call ends the same way
        raise self._error or StopIteration

    def _run(self) -> None:
        try:
            items = self._produce()
            try:
                for item in items:
                    if not self._put(item):
                        break
            finally:
                if hasattr(items, "close"):
                    items.close()
        except BaseException as caught:  # handed to the consumer, whatever it is
            self._error = caught
        self._put(_END)

    def _put(self, item: Item) -> bool:
        """Returns False where the consumer has left meanwhile."""
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False
