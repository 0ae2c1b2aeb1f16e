"""Work on one item while the one before is not done yet, its results in the order of the items."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def abreast(work: Callable[[Item], Result], items: Iterable[Item], most: int) -> Iterator[Result]:
    """Yields `work(item)` for each item, in order, while at most so many items are worked on or wait to be taken.

    With `most` of 1 the caller's thread does it, and nothing runs ahead. What an item raises is raised at its place,
    and nothing is begun after it. Once the iterator is closed, no thread is left.

    Args:
        work: called on several threads at once.
        items: asked for on the caller's thread.
        most: how many, at least 1.

    Examples:
        >>> from pixelfast.machine.abreast import abreast
        >>> list(abreast(abs, [3, -2, 1], most=2))
        [3, 2, 1]
    """
    if most == 1:
        yield from map(work, items)
        return
    coming, begun = iter(items), deque[Future[Result]]()
    with ThreadPoolExecutor(most, "pixelfast-abreast") as pool:
        try:
            while True:
                begun.extend(pool.submit(work, item) for item in islice(coming, most - len(begun)))
                if not begun:
                    return
                yield begun.popleft().result()
        finally:
            for one in begun:
                one.cancel()
