"""From the cells of a video to its four streams: how fast, which way, what it looks like, and what is there at all."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.density import STREAMS
from pixelfast.methods.density.carrying import carry
from pixelfast.methods.density.cells import Cells
from pixelfast.methods.density.levels import RESTLESS
from pixelfast.methods.density.over_time import Arrays, Values, over_time
from pixelfast.methods.density.recipe import DensityRecipe, Times
from pixelfast.model.tails import quantiles, rarity

_MOVES: Final = 0.3
"""Share of the usual speed above which a cell moves."""
_STILL: Final = 0.03
_WHERE_DIRECTION: Final = 0.35
_WHERE_LOOK: Final = 0.5
"""How much the place in the picture counts beside what is there."""


class Units(NamedTuple):
    """What the footage of a training measures itself by.

    Attributes:
        speed: the usual one, in pixels of the working image a frame.
        edges: their usual strength in a cell.
        times: how long things are smoothed.
    """

    speed: float
    edges: float
    times: Times


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
    """What the cells of n frames say, beside what is known of normal footage.

    Attributes:
        speed: f32[n, h, w], how fast, in usual speeds.
        direction: f32[n, h, w], how far from the directions that were seen.
        look: f32[n, h, w], how far from the looks of what moved.
        place: f32[n, h, w], how far from all that this place showed, in training or lately.
        moves: f32[n, h, w], how much a cell moves, from 0 to 1.
        way: u8[n, h, w], which of the 8 directions it moves along most.
        flow: f32[n, h, w, 2], cells a frame.
    """

    speed: Values
    direction: Values
    look: Values
    place: Values
    moves: Values
    way: NDArray[np.uint8]
    flow: Values

    def rare(self, tails: "Tails") -> dict[str, Values]:
        """Returns how rare each stream is, f32[n, h, w]; all but the place speak of moving cells alone."""
        weight = np.minimum(1, 2 * self.moves)
        found = {name: rarity(getattr(self, name), tails.at[name], tails.knee) for name in STREAMS}
        if tails.allowed is not None:
            found["speed"][self.speed <= tails.allowed] = 0
        if tails.restless is not None:
            own = rarity(self.place / tails.restless, tails.at[RESTLESS], tails.knee)
            found["place"] = (found["place"] + own) * np.float32(0.5)
        return {name: values if name == "place" else values * weight for name, values in found.items()}


def _restless(places: Sequence[Values]) -> Values:
    """How restless each place f32[h, w] is in the mean of videos, half-way to what all places are."""
    usual = np.array([one.mean(0) for one in places]).mean(0)
    restless: Values = np.maximum((usual + usual.mean()) / 2, 1e-6).astype(np.float32)
    return restless


class Tails(NamedTuple):
    """What streams are rare by.

    Attributes:
        at: the quantiles f64[9] of each stream on held-out cells.
        knee: see `DensityRecipe.knee`.
        restless: f32[h, w], how restless each place usually is, half-way to what all are; None measures by no place.
        allowed: f32[h, w], up to which speed a person called what is fast there normal; None where nobody did.
    """

    at: Mapping[str, NDArray[np.float64]]
    knee: int
    restless: Values | None
    allowed: Values | None = None

    @classmethod
    def of(cls, held: Sequence[Streams], recipe: DensityRecipe) -> "Tails":
        """Measures held-out streams of videos."""
        restless: Values | None = None
        if recipe.restless:
            restless = _restless([one.place for one in held])
        at: dict[str, NDArray[np.float64]] = {}
        for name in STREAMS:
            values = [getattr(one, name) for one in held]
            if name != "place":
                values = [some[one.moves > 0.5] for some, one in zip(values, held, strict=True)]
            at[name] = quantiles(np.concatenate([some.ravel() for some in values]))
        if restless is not None:
            at[RESTLESS] = quantiles(np.concatenate([(one.place / restless).ravel() for one in held]))
        return cls(at, recipe.knee, restless)


def streams_of(
    cells: Iterable[Cells], units: Units, exemplars: Exemplars, threads: int, stopwatch: Stopwatch | None = None
) -> Iterator[Streams]:
    """Yields the streams of a video's cells, whose motion is smoothed, a few frames at a time."""
    seen, times = _Distances(units, exemplars, threads, stopwatch or Stopwatch()), units.times
    with_moves = over_time(map(seen.with_moves, cells), (0, 0, 0, 0, 0, times.moves), live=times.live)
    pieces: Iterable[Arrays] = map(seen.distances, with_moves)
    look = Streams._fields.index("look")
    if times.carried:
        pieces = carry(pieces, Streams._fields.index("flow"), (look,), times.motion, live=times.live)
    sigmas = {"place": times.place, "look": 0 if times.carried else times.motion}
    for piece in over_time(pieces, [sigmas.get(name, 0) for name in Streams._fields], live=times.live):
        yield Streams(*piece)


def moves_of(cells: Cells, units: Units) -> Values:
    """Returns f32[n, h, w]: 1 where a cell moves, not smoothed."""
    moves: Values = (cells.toward.sum(-1) > _MOVES * units.speed).astype(np.float32)
    return moves


def direction_points(toward: Values, units: Units) -> Values:
    """Returns f32[n, h, w, 10]: which way each cell moves, and where it is."""
    return _placed(toward / (toward.sum(-1, keepdims=True) + np.float32(_STILL * units.speed)), _WHERE_DIRECTION)


def look_points(look: Values, units: Units) -> Values:
    """Returns f32[n, h, w, 34]: what each cell looks like, and where it is."""
    return _placed(plain_look(look, units), _WHERE_LOOK)


def plain_look(look: Values, units: Units) -> Values:
    """Returns f32[n, h, w, 32]: edges whatever the light, nearly nothing where there are none."""
    plain: Values = look / (np.linalg.norm(look, axis=-1, keepdims=True) + np.float32(units.edges))
    return plain


def _placed(own: Values, weight: float) -> Values:
    n, h, w, _ = own.shape
    y, x = np.mgrid[:h, :w].astype(np.float32) * np.float32(weight / max(h + 1, w + 1))
    places = np.broadcast_to(np.stack([y, x], -1), (n, h, w, 2))
    return np.concatenate([own, places], axis=-1, dtype=np.float32)


class _Distances:
    """How far each cell is from all that normal footage held."""

    def __init__(self, units: Units, exemplars: Exemplars, threads: int, stopwatch: Stopwatch) -> None:
        self._units, self._exemplars, self._threads, self._watch = units, exemplars, threads, stopwatch
        self._directions = _core.Exemplars(exemplars.directions)
        self._looks = _core.Exemplars(exemplars.looks)
        self._slow = exemplars.usual.copy()

    def with_moves(self, cells: Cells) -> Arrays:
        moves = moves_of(cells, self._units)
        return cells.toward, cells.speed, cells.look, cells.flow, moves, moves

    def distances(self, piece: Arrays) -> Arrays:
        with self._watch.phase("engine", piece[0].nbytes):
            return self._distances(piece)

    def _distances(self, piece: Arrays) -> Arrays:
        toward, speed, look, flow, moved, moves = piece
        near = (moved if self._units.times.carried else moves) > 0
        direction, unlike = np.zeros_like(moves), np.zeros_like(moves)
        direction[near] = self._directions.nearest(direction_points(toward, self._units)[near], self._threads)
        unlike[near] = self._looks.nearest(look_points(look, self._units)[near], self._threads)
        place = self._place(plain_look(look, self._units))
        way = toward.argmax(-1).astype(np.uint8)
        return speed / np.float32(self._units.speed), direction, unlike, place, moves, way, flow

    def _place(self, look: Values) -> Values:
        """The distance to what was at each place, in training or lately."""
        n, h, w, d = look.shape
        flat = np.ascontiguousarray(look.reshape(n, h * w, d))
        lately, rate = np.empty((n, h * w), np.float32), np.float32(1 - np.exp(-1 / self._units.times.slow))
        for index, own in enumerate(flat):
            self._slow += rate * (own - self._slow)
            lately[index] = np.linalg.norm(own - self._slow, axis=-1)
        ever = _core.place_distances(flat, self._exemplars.places, self._threads)
        return np.minimum(ever, lately).reshape(n, h, w)
