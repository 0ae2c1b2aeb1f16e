"""The resizing of decoded luma by PyTorch, on a GPU or a CPU: the same bytes as `_core.resize_planes` gives."""

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

MOST: Final = 20
"""How much smaller a side may become: beyond it `_core.resize_planes` takes another way, which is not made again."""

_DOWN, _ALONG = 32_500.0, 16_384.0
"""What the whole weights down a column, and those along a row, add up to."""

_Tap = tuple["Tensor", "Tensor"]
"""Of each pixel made, i64[m]: which pixel counts, and how much, i32[m]."""


class LumaShrink:
    """Makes frames of one size of frames of another, by a triangle as wide as two pixels of the coarser side.

    Weights and sums are whole numbers, rounded where the kernel of `_core` rounds them (`decode/shrink.rs`), tap by
    tap, and the last step is of single-precision operations that round alike everywhere: so a GPU gives the same bytes.

    Args:
        size: height and width of the frames.
        into: height and width to make of them; at most `MOST` times smaller.
        limited: whether luma runs from 16 to 235, and is expanded.
        device: where it is computed, as PyTorch names it.

    Examples:
        >>> import torch
        >>> shrink = LumaShrink((4, 4), (2, 2), limited=False, device="cpu")
        >>> shrink(torch.full((1, 4, 4), 200, dtype=torch.uint8)).tolist()
        [[[200, 200], [200, 200]]]
    """

    def __init__(self, size: tuple[int, int], into: tuple[int, int], *, limited: bool, device: str) -> None:
        self._down = _taps(size[0], into[0], _DOWN, device)
        self._along = _taps(size[1], into[1], _ALONG, device)
        gain, black = (255.0 / 219.0, 16.0) if limited else (1.0, 0.0)
        level = _DOWN / 256.0 * _ALONG
        self._gain, self._base = float(np.float32(gain / level)), float(np.float32(-black * gain))

    def __call__(self, frames: "Tensor") -> "Tensor":
        """Returns u8[n, height, width] of frames u8[n, h, w], on their device."""
        import torch

        sums: Tensor | int = 0
        for at, weight in self._down:
            sums = sums + ((frames.index_select(1, at).to(torch.int32) * weight[:, None] + 128) >> 8)
        assert not isinstance(sums, int), "there is a tap"
        along: Tensor | int = 0
        for at, weight in self._along:
            along = along + sums.index_select(2, at) * weight
        assert not isinstance(along, int), "there is a tap"
        levels = along.to(torch.float32) * self._gain + self._base
        return levels.clamp(0.0, 255.0).round().to(torch.uint8)


def can_shrink(size: tuple[int, int], into: tuple[int, int]) -> bool:
    """Says whether `LumaShrink` gives what `_core.resize_planes` gives, from one height and width to another."""
    return all(side <= MOST * other for side, other in zip(size, into, strict=True))


def _taps(side: int, into: int, total: float, device: str) -> list[_Tap]:
    """The pixels that each of `into` is made of, nearest the start first; some count nothing."""
    import torch

    scale = side / into
    reach = max(scale, 1.0)
    each = [_weights(side, index, scale, reach, total) for index in range(into)]
    most = max(len(weights) for _, weights in each)
    starts = np.array([start for start, _ in each])
    padded = np.array([weights + [0] * (most - len(weights)) for _, weights in each], np.int32)
    return [
        (torch.from_numpy(np.minimum(starts + tap, side - 1)).to(device), torch.from_numpy(padded[:, tap]).to(device))
        for tap in range(most)
    ]


def _weights(side: int, index: int, scale: float, reach: float, total: float) -> tuple[int, list[int]]:
    """First pixel and whole weights of one pixel that is made: what is rounded off one goes to the next."""
    centre = (index + 0.5) * scale
    start, stop = int(max(0.0, centre - reach + 0.5)), min(int(centre + reach + 0.5), side)
    heights = [max(0.0, 1.0 - abs((at + 0.5 - centre) / reach)) for at in range(start, stop)]
    whole = reduce(add, heights, 0.0)  # `sum` has another rounding from Python 3.12 on
    through, given, weights = 0.0, 0, list[int]()
    for height in heights:
        through += height * total / whole
        weights.append(int(through + 0.5) - given)
        given += weights[-1]
    return start, weights
