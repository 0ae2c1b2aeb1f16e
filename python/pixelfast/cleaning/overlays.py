"""What of a picture is better left out: text that changes every second, and what never stands still."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

CELL: Final = 8
"""Pixels a side of what is left out or not, in frames of at most `WIDTH` columns."""
WIDTH: Final = 480

_CHANGE: Final = 12.0
"""Grey levels by which a pixel changes, at least; noise stays below."""
_SHARE: Final = 0.02
"""Of a cell's pixels that change in a frame in which the cell does."""
_ALWAYS: Final = 0.5
"""Of the frames of each tenth of the footage, in which a cell changes that always moves."""
_SECONDS: Final = 5
_UNTOLD_SECONDS: Final = 10
"""That a clock must be watched for, where the frame rate is known and where it is guessed."""
_ON_THE_BEAT, _BEATS, _MOST = 0.8, 0.6, 0.34
"""Of a clock's changes at one moment of the second; of the seconds that have one; of all frames, at most."""
_CONTRAST: Final = 70.0
"""Grey levels between the darkest and the lightest pixels of a cell with text."""
_APART: Final = 2
"""Cells between two characters."""
_RATES: Final = (25, 30, 20, 15, 10, 50, 60, 24, 12, 8, 5)
"""Frames a second that are tried where nobody tells."""


@dataclass(frozen=True, eq=False)
class Overlays:
    """What was found, cell by cell.

    Attributes:
        clock: bool[rows, columns], text that changes every second, and what stands beside it.
        moving: bool[rows, columns], what always moves.
    """

    clock: NDArray[np.bool_]
    moving: NDArray[np.bool_]

    def mask(self, height: int, width: int) -> NDArray[np.bool_]:
        """Returns bool[height, width]: what is to be left out of frames of a size."""
        found = self.clock | self.moving
        rows = np.minimum(np.arange(height) * len(found) // height, len(found) - 1)
        columns = np.minimum(np.arange(width) * found.shape[1] // width, found.shape[1] - 1)
        return np.asarray(found[np.ix_(rows, columns)])


def find_overlays(frames: NDArray[np.uint8], rate: float | None) -> Overlays:
    """Looks for them in neighbouring frames of one video.

    Args:
        frames: u8[N,H,W], grey; H and W multiples of `CELL`.
        rate: frames a second; None where it is not known.
    """
    changes = _changes(frames)
    moving = np.ones(changes.shape[1:], np.bool_)
    for block in np.array_split(changes, min(10, len(changes))):
        moving &= block.mean(axis=0) >= _ALWAYS
    rates = [rate] if rate is not None else [float(one) for one in _RATES]
    least = _SECONDS if rate is not None else _UNTOLD_SECONDS
    clocks = [_ticking(changes, one, least) for one in rates]
    seeds = max(clocks, key=lambda found: int(found.sum())) & ~moving
    contrast = _contrast(frames)
    seeds &= contrast >= _CONTRAST
    return Overlays(_beside(seeds, (contrast >= _CONTRAST) & (changes.mean(axis=0) < _MOST)), moving)


def _changes(frames: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """bool[N-1, rows, columns]: whether each cell changes from frame to frame."""
    rows, columns = frames.shape[1] // CELL, frames.shape[2] // CELL
    found = np.empty((len(frames) - 1, rows, columns), np.bool_)
    for index in range(len(found)):
        step = np.abs(frames[index + 1].astype(np.int16) - frames[index]) > _CHANGE
        found[index] = step.reshape(rows, CELL, columns, CELL).mean(axis=(1, 3)) > _SHARE
    return found


def _ticking(changes: NDArray[np.bool_], rate: float, least: float) -> NDArray[np.bool_]:
    """Cells that change at one moment of each second, of at least so many."""
    seconds, period = len(changes) / rate, max(1, round(rate))
    none = np.zeros(changes.shape[1:], np.bool_)
    if seconds < least or period < 4:
        return none
    phase = np.floor(np.arange(len(changes)) % rate).astype(int) % period
    by_phase = np.stack([changes[phase == at].sum(axis=0) for at in range(period)])
    near = by_phase + np.roll(by_phase, 1, axis=0) + np.roll(by_phase, -1, axis=0)
    total, best = by_phase.sum(axis=0), near.max(axis=0)
    often = (best >= _BEATS * seconds) & (total <= _MOST * len(changes))
    return np.asarray(often & (best >= _ON_THE_BEAT * np.maximum(total, 1)))


def _contrast(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    """f64[rows, columns]: from the darkest to the lightest pixel of each cell, as a rule."""
    some = frames[np.linspace(0, len(frames) - 1, min(len(frames), 20)).astype(int)]
    cells = some.reshape(len(some), some.shape[1] // CELL, CELL, some.shape[2] // CELL, CELL).astype(np.float64)
    return np.asarray(np.median(cells.max(axis=(2, 4)) - cells.min(axis=(2, 4)), axis=0))


def _beside(seeds: NDArray[np.bool_], text: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells of a clock, the text beside them in their rows, and one cell around."""
    found = seeds.copy()
    while True:
        reach = found.copy()
        for by in range(1, _APART + 1):
            reach[:, by:] |= found[:, :-by]
            reach[:, :-by] |= found[:, by:]
        grown = found | (reach & text)
        if (grown == found).all():
            break
        found = grown
    for axis in (0, 1):
        found = found | np.roll(_edgeless(found, axis, -1), 1, axis) | np.roll(_edgeless(found, axis, 0), -1, axis)
    return found


def _edgeless(found: NDArray[np.bool_], axis: int, edge: int) -> NDArray[np.bool_]:
    """The same without the row or column at an edge, so that a roll does not come round."""
    cut = found.copy()
    cut[(edge, slice(None)) if axis == 0 else (slice(None), edge)] = False
    return cut
