"""Why a frame stands out, as a sentence that a person can check in the picture."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.methods.density import STREAMS
from pixelfast.methods.density.cells import DIRECTIONS, Cells
from pixelfast.methods.density.judging import Said, Verdict
from pixelfast.methods.density.over_time import Values
from pixelfast.methods.density.streams import Units, moves_of

_WAYS: Final = ("right", "down and right", "down", "down and left", "left", "up and left", "up", "up and right")
_MOST_TIMES: Final = 20.0
_ABOUT_ONE: Final = 0.95, 1.05
_NEARLY_ALL: Final = 0.8
"""Share of what moved at a place that went one way, or nearly."""
_LITTLE: Final = 0.02
"""Share of the usual speed, or of the training's frames, that is as good as none."""
SPEED, DIRECTION, LOOK, PLACE = range(len(STREAMS))


class Habits:
    """How things moved at each place of the training footage.

    Attributes:
        fastest: f32[h, w], the highest speed, in usual speeds.
        ways: f32[h, w, 8], the share of frames in which something moved along each direction.
    """

    def __init__(self, fastest: Values, ways: Values) -> None:
        self.fastest, self.ways = fastest, ways

    @classmethod
    def of(cls, videos: list[Cells], units: Units) -> "Habits":
        """Finds them in the cells of training videos, whose motion is smoothed."""
        fastest: Values = np.stack([video.speed.max(0) for video in videos]).max(0) / np.float32(units.speed)
        ways = np.zeros((*fastest.shape, DIRECTIONS), np.float32)
        for video in videos:
            moves, way = moves_of(video, units) > 0, video.toward.argmax(-1)
            for direction in range(DIRECTIONS):
                ways[..., direction] += (moves & (way == direction)).sum(0)
        return cls(fastest, (ways / sum(len(video.speed) for video in videos)).astype(np.float32))

    def sentences(self, said: Said, verdict: Verdict) -> list[str]:
        """Returns a clause for each frame: what the cell that speaks does."""
        n = len(verdict.raw)
        rows, cells = np.arange(n), verdict.cell
        speed, way = said.speed.reshape(n, -1)[rows, cells], said.way.reshape(n, -1)[rows, cells]
        fastest, ways = self.fastest.ravel()[cells], self.ways.reshape(-1, DIRECTIONS)[cells]
        columns = verdict.stream.tolist(), speed.tolist(), fastest.tolist(), way.tolist(), ways
        return [_sentence(*one) for one in zip(*columns, strict=True)]


def _sentence(stream: int, speed: float, fastest: float, way: int, ways: NDArray[np.float32]) -> str:
    if stream == PLACE:
        return "something that was never here"
    if fastest < _LITTLE or ways.sum() == 0:
        return "moves where nothing ever moved"
    if stream == LOOK:
        return "looks like nothing that moved here"
    return _fast(speed / fastest) if stream == SPEED else _astray(way, ways)


def _fast(times: float) -> str:
    if times < _ABOUT_ONE[1]:
        return "faster than nearly all at this place" if times < _ABOUT_ONE[0] else "as fast as anything at this place"
    many = f"more than {_MOST_TIMES:.0f}" if times > _MOST_TIMES else f"{times:.1f}"
    return f"{many} times as fast as anything seen at this place"


def _astray(way: int, ways: NDArray[np.float32]) -> str:
    own, top = _WAYS[way], int(ways.argmax())
    near = ways[[(top + step) % DIRECTIONS for step in (-1, 0, 1)]].sum() / ways.sum()
    apart = min((way - top) % DIRECTIONS, (top - way) % DIRECTIONS)
    if near > _NEARLY_ALL and apart > 1:
        return f"moves {own} where {'all' if near > 0.99 else 'nearly all'} move {_WAYS[top]}"
    share = ways[way] / ways.sum()
    return (
        f"moves {own}, as {'nothing' if share == 0 else 'little'} does here"
        if share < 0.1
        else "moves as nothing does here"
    )
