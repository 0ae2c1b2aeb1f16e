"""What goes into a graph of PyTorch and what comes out (no torch here)."""

from dataclasses import dataclass

from pixelfast.engines.pieces import Span


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
