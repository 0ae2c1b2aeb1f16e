"""The sizes of piece that PyTorch runs on a GPU, and cutting a call into them (no torch here)."""

from dataclasses import dataclass

_STEP = 4
"""Each size is this many times the next smaller one: few sizes to prepare, and no piece is mostly filling."""


@dataclass(frozen=True)
class Piece:
    """A part of a call.

    Attributes:
        start: its first result.
        results: how many it gives.
        size: results that are computed; those beyond `results` are dropped.
    """

    start: int
    results: int
    size: int


@dataclass(frozen=True)
class Buckets:
    """The sizes of piece, in results, that an engine is prepared for.

    Attributes:
        sizes: from the smallest to the largest.
    """

    sizes: tuple[int, ...]

    @property
    def largest(self) -> int:
        """The largest size."""
        return self.sizes[-1]

    def cut(self, results: int) -> list[Piece]:
        """The pieces that give so many results, in order; at most half of a piece is filling where that can be."""
        pieces: list[Piece] = []
        start = 0
        while start < results:
            size = self._size(results - start)
            pieces.append(Piece(start, min(size, results - start), size))
            start += size
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


def buckets(most: int, least: int = 1) -> Buckets:
    """Sizes from `most` down to `least`, each a quarter of the one above it."""
    sizes = [most]
    while sizes[-1] // _STEP >= least:
        sizes.append(sizes[-1] // _STEP)
    return Buckets(tuple(reversed(sizes)))
