"""Splitting a call into pieces that an engine can take; neighbouring pieces share the items that windows reach over."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

PIECES_A_CALL: Final = 4
"""Pieces of a call that keep a GPU busy: with fewer, copying in the first and out the last one shows."""


@dataclass(frozen=True)
class Span:
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

    def full_pieces(self, items: int, size: int) -> list[tuple[int, int]]:
        """First item and end of pieces of `size` items, which must hold a window, and of one with the rest."""
        results, at_once = self.results(items), self.results(size)
        starts = range(0, results, at_once)
        ends = (min(start + at_once, results) for start in starts)
        return [
            (start * self.stride, start * self.stride + self.items(end - start))
            for start, end in zip(starts, ends, strict=True)
        ]


@dataclass(frozen=True)
class Ports:
    """The input and the output of a graph, whose first dimensions are free.

    Attributes:
        span: how many results so many items give.
        item: the shape of an item.
        bytes_in: items are u8; else they are f32.
        result: the shape of a result, which is f32.
    """

    span: Span
    item: tuple[int, ...]
    bytes_in: bool
    result: tuple[int, ...]

    def items(self, first: int, end: int) -> slice:
        """The items that the results from `first` up to `end` are made from."""
        start = first * self.span.stride
        return slice(start, start + self.span.items(end - first))
