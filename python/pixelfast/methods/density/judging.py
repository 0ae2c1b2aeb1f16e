"""From the streams of a video to what is said of each frame: its score, where, and which stream speaks (DENSITY)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast.methods.density import STREAMS
from pixelfast.methods.density.levels import SPEAKERS, Level, spoken
from pixelfast.methods.density.over_time import Values, over_time
from pixelfast.methods.density.streams import Streams, Tails, Units


class Said(NamedTuple):
    """What is said of n frames, smoothed in time.

    Attributes:
        frames: f32[n, 3], by each speaker.
        rare: f32[n, h, w, 4], how rare each stream is in each cell.
        speed: f32[n, h, w], how fast the cells are, in usual speeds.
        way: u8[n, h, w], which of the 8 directions they move along.
    """

    frames: Values
    rare: Values
    speed: Values
    way: NDArray[np.uint8]


class Verdict(NamedTuple):
    """What becomes of it.

    Attributes:
        raw: f32[n], from 0; a frame that is as usual has the value of `floor`.
        maps: f32[n, h, w], the same by cell: 0 where a cell is no more than usual.
        cell: i32[n], the cell that speaks, row by row.
        stream: i8[n], which of `STREAMS` speaks.
    """

    raw: Values
    maps: Values
    cell: NDArray[np.int32]
    stream: NDArray[np.int8]


def said_of(streams: Iterable[Streams], tails: Tails, units: Units) -> Iterator[Said]:
    """Yields what is said of a video's frames."""
    times, pieces = units.times, (_said(some, tails) for some in streams)
    for piece in over_time(pieces, (times.said, times.said, 0, 0), live=times.live):
        yield Said(*piece)


def _said(streams: Streams, tails: Tails) -> Said:
    rare = streams.rare(tails)
    frames = np.stack(list(spoken(rare).values()), -1)
    return Said(frames, np.stack([rare[name] for name in STREAMS], -1), streams.speed, streams.way)


def frame_scores(said: Values, levels: Mapping[str, Level]) -> Values:
    """Returns f32[n, 3]: what each speaker says, on the scale of its level; a frame's score is the largest."""
    return np.stack([levels[name].scale(said[..., place]) for place, name in enumerate(SPEAKERS)], -1)


def floor(levels: Mapping[str, Level]) -> float:
    """Returns how far below a usual frame the emptiest one lies: added to scores, none is below 0."""
    return float(-frame_scores(np.zeros((1, len(SPEAKERS)), np.float32), levels).max())


def raw_scores(scores: Values, levels: Mapping[str, Level]) -> Values:
    """Returns raw scores f32[n], from 0, of what `frame_scores` gives of n frames by these levels."""
    raw: Values = np.maximum(scores.max(-1) + np.float32(floor(levels)), 0)
    return raw


def judge(said: Said, levels: Mapping[str, Level]) -> Verdict:
    """Judges frames, and finds in each the cell and the stream that speak."""
    scores = frame_scores(said.frames, levels)
    speed, direction, look, place = np.moveaxis(said.rare, -1, 0)
    by_cell = frame_scores(np.stack([speed, direction + look, place], -1), levels)
    rows = np.arange(len(scores))
    speaker = scores.argmax(-1)
    loudest = by_cell.reshape(len(scores), -1, len(SPEAKERS))[rows, :, speaker].argmax(-1)
    rare = said.rare.reshape(len(scores), -1, len(STREAMS))[rows, loudest]
    stream = np.where(speaker == 0, 0, np.where(speaker == 2, 3, np.where(rare[:, 1] >= rare[:, 2], 1, 2)))
    raw = raw_scores(scores, levels)
    return Verdict(raw, np.maximum(by_cell.max(-1), 0), loudest.astype(np.int32), stream.astype(np.int8))
