"""Splitting a call into pieces that an engine can take; neighbouring pieces share the items that windows reach over."""

from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError
from pixelfast.runtime.runner import Tensor

PIECES_A_CALL: Final = 4
"""Pieces of a call that keep a GPU busy: with fewer, copying in the first and out the last one shows."""


class Span(NamedTuple):
    """What an engine makes of items (frames, flows or cuboids): one result of each window of them.

    Attributes:
        window: items a result is made from.
        stride: items between the starts of neighbouring windows.
    """

    window: int
    stride: int = 1

    def results(self, items: int) -> int:
        """The results of so many items."""
        return max(0, (items - self.window) // self.stride + 1)

    def items(self, results: int) -> int:
        """The items that so many results, at least one, are made from."""
        return (results - 1) * self.stride + self.window

    def pieces(self, items: int, count: int) -> list[tuple[int, int]]:
        """First item and end of `count` pieces with as equal numbers of results as can be, which must be enough."""
        results = self.results(items)
        first = [results * piece // count for piece in range(count + 1)]
        return [(start * self.stride, start * self.stride + self.items(end - start)) for start, end in pairwise(first)]


class Piece(NamedTuple):
    """A call of an engine: items `start` to `end`, fed as `fed` items (the last one again), `results` of them kept."""

    start: int
    end: int
    fed: int
    results: int


class Buckets(NamedTuple):
    """The sizes of piece, in results, that an engine is prepared for.

    Attributes:
        sizes: from the smallest to the largest.
    """

    sizes: tuple[int, ...]

    @property
    def largest(self) -> int:
        """The largest size."""
        return self.sizes[-1]

    def cut(self, results: int, span: Span, least: int = 0) -> list[Piece]:
        """The pieces that give so many results, in order, each fed with at least `least` items.

        At most half of a piece is filling where that can be.
        """
        pieces: list[Piece] = []
        first = 0
        while first < results:
            size = self._size(results - first)
            kept, start = min(size, results - first), first * span.stride
            pieces.append(Piece(start, start + span.items(kept), max(least, span.items(size)), kept))
            first += size
        return pieces

    def smaller(self) -> "Buckets | None":
        """With half the largest size, for a GPU that has no memory for it; None where only the smallest is left."""
        *rest, largest = self.sizes
        if not rest:
            return None
        half = largest // 2
        return Buckets((*rest, half) if half > rest[-1] else tuple(rest))

    def _size(self, rest: int) -> int:
        """The smallest size that holds the rest, or, where most of that would be filling, the largest that it fills."""
        fitting = next((size for size in self.sizes if size >= rest), self.largest)
        filled = [size for size in self.sizes if size <= rest]
        return filled[-1] if filled and fitting > 2 * rest else fitting


def buckets(most: int, least: int = 1, step: int = 4) -> Buckets:
    """Sizes from `most` down to `least`, the one above `step` times as large: few to prepare, none mostly filling."""
    sizes = [most]
    while sizes[-1] // step >= least:
        sizes.append(sizes[-1] // step)
    return Buckets(tuple(reversed(sizes)))


class Ports(NamedTuple):
    """The input and the output of a graph, whose first sizes alone are open.

    Attributes:
        span: how many results so many items give.
        items: the input.
        results: the output.
    """

    span: Span
    items: Tensor
    results: Tensor

    def check(self, path: Path, array: NDArray[Any]) -> None:
        """Refuses an array that the engine at `path` does not take.

        Raises:
            EngineError: its type or shape is another, or it does not fill a window.
        """
        if array.dtype != self.items.dtype or array.shape[1:] != self.items.shape[1:] or len(array) < self.span.window:
            raise EngineError(f"{path}: the engine takes {self.items}, not {array.dtype} {list(array.shape)}")

    def room(self, items: int) -> NDArray[Any]:
        """An array for the results of so many items."""
        return np.empty((self.span.results(items), *sizes(self.results)), self.results.dtype)


def sizes(tensor: Tensor) -> tuple[int, ...]:
    """All sizes of a tensor but the first, as far as they are known."""
    return tuple(size for size in tensor.shape[1:] if size is not None)
