"""From the cells of a video to its four streams: how fast, which way, what it looks like, and what is there at all."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.methods.density.cells import Cells
from pixelfast.methods.density.over_time import over_time
from pixelfast.methods.density.tails import STREAMS, Level, Values, rarity

_MOVES: Final = 0.3
"""Share of the usual speed above which a cell moves."""
_STILL: Final = 0.03
_WHERE_DIRECTION: Final = 0.35
_WHERE_LOOK: Final = 0.5
"""How much the place in the picture counts beside what is there."""
SLOW_FRAMES: Final = 1500.0
"""Frames after which the slow mean of a place has taken over most of what is new there."""
_SMOOTH: Final = 3.0
_SMOOTH_PLACE: Final = 12.0


class Units(NamedTuple):
    """What the footage of a training measures itself by: its speed in pixels a frame, and the strength of its edges."""

    speed: float
    edges: float


class Exemplars(NamedTuple):
    """What normal footage held.

    Attributes:
        directions: f32[M, 10], moving cells: their direction and place.
        looks: f32[M, 34], moving cells: their edges and place.
        places: f32[h * w, E, 32], the edges of each place, as different as they came.
        usual: f32[h * w, 32], their medians.
    """

    directions: Values
    looks: Values
    places: Values
    usual: Values


class Streams(NamedTuple):
    """f32[n, h, w] each: the four streams, and how much a cell moves, from 0 to 1."""

    speed: Values
    direction: Values
    look: Values
    place: Values
    moves: Values

    def rare(self, tails: dict[str, NDArray[np.float64]]) -> dict[str, Values]:
        """Returns how rare each stream is, f32[n, h, w]; all but the place speak of moving cells alone."""
        weight = np.minimum(1, 2 * self.moves)
        found = {name: rarity(getattr(self, name), tails[name]) for name in STREAMS}
        return {name: values if name == "place" else values * weight for name, values in found.items()}


class Known(NamedTuple):
    """All that a training leaves."""

    units: Units
    exemplars: Exemplars
    tails: dict[str, NDArray[np.float64]]
    levels: dict[str, Level]


def streams_of(cells: Iterable[Cells], units: Units, exemplars: Exemplars, threads: int) -> Iterator[Streams]:
    """Yields the streams of a video's cells, a few frames at a time."""
    seen = _Distances(units, exemplars, threads)
    with_moves = over_time(map(seen.with_moves, cells), (0, 0, 0, _SMOOTH))
    for piece in over_time(map(seen.distances, with_moves), (0, 0, _SMOOTH, _SMOOTH_PLACE, 0)):
        yield Streams(*piece)


def moves_of(cells: Cells, units: Units) -> Values:
    """Returns f32[n, h, w]: 1 where a cell moves, not smoothed."""
    return (cells.toward.sum(-1) > _MOVES * units.speed).astype(np.float32)


def direction_points(toward: Values, units: Units) -> Values:
    """Returns f32[n, h, w, 10]: which way each cell moves, and where it is."""
    return _placed(toward / (toward.sum(-1, keepdims=True) + np.float32(_STILL * units.speed)), _WHERE_DIRECTION)


def look_points(look: Values, units: Units) -> Values:
    """Returns f32[n, h, w, 34]: what each cell looks like, and where it is."""
    return _placed(plain_look(look, units), _WHERE_LOOK)


def plain_look(look: Values, units: Units) -> Values:
    """Returns f32[n, h, w, 32]: edges whatever the light, nearly nothing where there are none."""
    return look / (np.linalg.norm(look, axis=-1, keepdims=True) + np.float32(units.edges))


def _placed(own: Values, weight: float) -> Values:
    n, h, w, _ = own.shape
    y, x = np.mgrid[:h, :w].astype(np.float32) * np.float32(weight / max(h + 1, w + 1))
    places = np.broadcast_to(np.stack([y, x], -1), (n, h, w, 2))
    return np.concatenate([own, places], axis=-1, dtype=np.float32)


class _Distances:
    """How far each cell is from all that normal footage held."""

    def __init__(self, units: Units, exemplars: Exemplars, threads: int) -> None:
        self._units, self._exemplars, self._threads = units, exemplars, threads
        self._directions = _core.Exemplars(exemplars.directions)
        self._looks = _core.Exemplars(exemplars.looks)
        self._slow = exemplars.usual.copy()

    def with_moves(self, cells: Cells) -> tuple[NDArray[Any], ...]:
        return cells.toward, cells.speed, cells.look, moves_of(cells, self._units)

    def distances(self, piece: tuple[NDArray[Any], ...]) -> tuple[NDArray[Any], ...]:
        toward, speed, look, moves = piece
        near = moves > 0
        direction, unlike = np.zeros_like(moves), np.zeros_like(moves)
        direction[near] = self._directions.nearest(direction_points(toward, self._units)[near], self._threads)
        unlike[near] = self._looks.nearest(look_points(look, self._units)[near], self._threads)
        place = self._place(plain_look(look, self._units))
        return speed / np.float32(self._units.speed), direction, unlike, place, moves

    def _place(self, look: Values) -> Values:
        """The distance to what was at each place, in training or lately."""
        n, h, w, d = look.shape
        flat = np.ascontiguousarray(look.reshape(n, h * w, d))
        lately, rate = np.empty((n, h * w), np.float32), np.float32(1 - np.exp(-1 / SLOW_FRAMES))
        for index, own in enumerate(flat):
            self._slow += rate * (own - self._slow)
            lately[index] = np.linalg.norm(own - self._slow, axis=-1)
        ever = _core.place_distances(flat, self._exemplars.places, self._threads)
        return np.minimum(ever, lately).reshape(n, h, w)
