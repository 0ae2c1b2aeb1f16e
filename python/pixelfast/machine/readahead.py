"""Work that runs ahead of its consumer, a bounded number of items, on a background thread."""

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
_POLL_SECONDS = 0.05


class _Close:
    """Closes the queue; carries the exception that ended the producer, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


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
        self._queue: queue.Queue[Item | _Close] = queue.Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pixelfast-readahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        item = self._queue.get()
        if not isinstance(item, _Close):
            return item
        self._queue.put(item)  # a further call ends the same way
        if item.error is not None:
            raise item.error
        raise StopIteration

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._feed()
        except BaseException as caught:  # handed to the consumer, whatever it is
            error = caught
        self._put(_Close(error))

    def _feed(self) -> None:
        items = self._produce()
        try:
            for item in items:
                if not self._put(item):
                    return
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    def _put(self, item: Item | _Close) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False
