"""What normal footage shows, learnt from the cells of its videos: exemplars, tails and levels (DENSITY)."""

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from pixelfast import _core
from pixelfast.methods.density.cells import Cells
from pixelfast.methods.density.judging import frame_scores, raw_scores, said_of
from pixelfast.methods.density.levels import Level, levels_of
from pixelfast.methods.density.over_time import Values, joined, over_time
from pixelfast.methods.density.reasons import Habits
from pixelfast.methods.density.recipe import DensityRecipe
from pixelfast.methods.density.streams import (
    Exemplars,
    Streams,
    Tails,
    Units,
    direction_points,
    look_points,
    moves_of,
    plain_look,
    streams_of,
)

FOLDS: Final = 3
A_PLACE: Final = 64
MOST_USUAL: Final = 3000
"""Frames, evenly spread, whose median is what a place usually looks like."""
_MOVING: Final = 0.3  # share of a cell's pixels, for the usual speed


class Known(NamedTuple):
    """All that a training leaves."""

    units: Units
    exemplars: Exemplars
    tails: Tails
    levels: dict[str, Level]
    habits: Habits


class Learnt(NamedTuple):
    """What was learnt, and what it says of the training's own videos where these are held out: f32[n, 3] each."""

    known: Known
    held_out: list[Values]

    def raw(self) -> list[Values]:
        """Returns the raw scores f32[n] of each held-out video."""
        levels = self.known.levels
        return [raw_scores(frame_scores(own, levels), levels) for own in self.held_out]


def learn(
    videos: Sequence[Cells], side: float, recipe: DensityRecipe, seed: int, threads: int, *, live: bool = False
) -> Learnt:
    """Learns from the cells of normal videos, all of one grid; fewer than three are cut into thirds.

    Each fold's videos are compared with what the other folds held: so tails and levels are those of videos that were
    not seen.

    Args:
        videos: their motion as it is, not smoothed.
        side: of a block, in pixels of the working image.
        recipe: how to learn.
        seed: of the random choice of exemplars.
        threads: of the searches.
        live: whether each frame is smoothed with those before it alone.
    """
    speed = _usual_speed(videos)
    times = recipe.times(side / speed, live=live)
    videos = [video.smoothed(times) for video in videos]
    units = Units(speed if recipe.by_crossing else _usual_speed(videos), _usual_edges(videos), times)
    habits = Habits.of(videos, units)
    folds, videos = _folds(videos)
    held: dict[int, Streams] = {}
    for fold in folds:
        others = [videos[index] for index in range(len(videos)) if index not in fold]
        seen = exemplars_of(others, units, recipe.points, seed, threads)
        for index in fold:
            held[index] = Streams(*joined(streams_of([videos[index]], units, seen, threads)))
    said: dict[int, Values] = {}
    for fold in folds:
        tails = Tails.of([held[index] for index in held if index not in fold], recipe)
        said |= {index: _frames(held[index], tails, units) for index in fold}
    ordered = [said[index] for index in range(len(videos))]
    everything = exemplars_of(videos, units, recipe.points, seed, threads)
    levels = levels_of(ordered, by_video=recipe.by_video)
    return Learnt(Known(units, everything, Tails.of(list(held.values()), recipe), levels, habits), ordered)


def _frames(streams: Streams, tails: Tails, units: Units) -> Values:
    return np.concatenate([some.frames for some in said_of([streams], tails, units)])


def exemplars_of(videos: Sequence[Cells], units: Units, points: int, seed: int, threads: int) -> Exemplars:
    """Chooses what stands for normal footage: moving cells at random, and of each place what differs most."""
    rng = np.random.default_rng(seed)
    moving = [_moves(video, units) > 0.5 for video in videos]
    if not any(one.any() for one in moving):  # whatever moves is far from what stands still
        moving = [one == one.max() for one in moving]
    count = sum(int(one.sum()) for one in moving)
    chosen = [rng.choice(count, min(points, count), replace=False) for _ in range(2)]
    directions = np.concatenate([direction_points(v.toward, units)[m] for v, m in zip(videos, moving, strict=True)])
    looks = np.concatenate([look_points(v.look, units)[m] for v, m in zip(videos, moving, strict=True)])
    still = np.concatenate([plain_look(video.look, units) for video in videos])
    flat = np.ascontiguousarray(still.reshape(len(still), -1, still.shape[-1]))
    places = _core.farthest_first(flat, min(A_PLACE, len(flat)), threads)
    usual = np.median(flat[:: math.ceil(len(flat) / MOST_USUAL)], axis=0).astype(np.float32)
    return Exemplars(directions[chosen[0]], looks[chosen[1]], places, usual)


def _moves(video: Cells, units: Units) -> Values:
    pieces: Iterable[tuple[Values]] = [(moves_of(video, units),)]
    return np.concatenate([some for (some,) in over_time(pieces, (units.times.chosen,), live=units.times.live)])


def _usual_speed(videos: Sequence[Cells]) -> float:
    speeds = np.concatenate([video.speed[video.moving > _MOVING] for video in videos])
    return float(np.median(speeds)) if len(speeds) else 1.0


def _usual_edges(videos: Sequence[Cells]) -> float:
    edges = np.concatenate([np.linalg.norm(video.look, axis=-1).ravel() for video in videos])
    return max(float(np.median(edges)), 1e-3)


def _folds(videos: Sequence[Cells]) -> tuple[list[list[int]], list[Cells]]:
    """Which videos make each fold; where there are fewer than three, the thirds of each."""
    if len(videos) >= FOLDS:
        return [part.tolist() for part in np.array_split(np.arange(len(videos)), FOLDS)], list(videos)
    thirds = [
        Cells._make(values[part[0] : part[-1] + 1] for values in video)
        for video in videos
        for part in np.array_split(np.arange(len(video.speed)), FOLDS)
        if len(part)
    ]
    return [[index for index in range(len(thirds)) if index % FOLDS == fold] for fold in range(FOLDS)], thirds
