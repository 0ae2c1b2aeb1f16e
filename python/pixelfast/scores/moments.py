"""Frames and runs of frames that stand out, as plain tuples."""

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast.model.events import EventCurve
from pixelfast.scores.why import Explanation

if TYPE_CHECKING:
    from pixelfast.scores.table import Scores


APART = 15
"""Frames between two of the most unusual moments: nearer ones are one and the same, as long as a window is."""


class Event(NamedTuple):
    """A run of neighbouring frames of one video, all above the threshold; `start` and `end` are both part of it.

    `start`, `end` and `peak_frame` are frame numbers, `peak_value` is the highest smoothed raw score. Where the method
    says it: the cell (row, column) that speaks at the peak, which of its streams, and why; else None. `seconds`,
    `end_seconds` and `peak_seconds` are their times, None where they are not known. Normal footage comes as high as the
    peak once in so many `hours`, by what was held out in training; `extrapolated` says that it held no event as high.
    Without a calibration that counted events, both are None.
    """

    video: str
    start: int
    end: int
    peak_frame: int
    peak_value: float
    cell: tuple[int, int] | None = None
    stream: str | None = None
    reason: str | None = None
    seconds: float | None = None
    end_seconds: float | None = None
    peak_seconds: float | None = None
    hours: float | None = None
    extrapolated: bool | None = None


class RankedFrame(NamedTuple):
    """One frame of `Scores.top`; where and why, as an `Event` says it."""

    video: str
    frame: int
    raw: float
    score: float
    rank: float
    cell: tuple[int, int] | None = None
    stream: str | None = None
    reason: str | None = None


def runs_above(scores: "Scores", level: float) -> list[Event]:
    """Returns the runs of frames whose smoothed raw score is above `level`, in the order of the rows."""
    smoothed = scores.smoothed_raw()
    above = smoothed > level
    # Half-open runs of rows that lie on one side of the threshold; none crosses into the next video.
    changes = np.diff(above) | (np.diff(scores.video_index) != 0)
    runs = pairwise([0, *(np.flatnonzero(changes) + 1).tolist(), len(scores)])
    return [_event(scores, start, stop, smoothed) for start, stop in runs if start < stop and above[start]]


def ranked_frames(scores: "Scores", rows: NDArray[np.intp]) -> list[RankedFrame]:
    """Returns the frames in some rows, in this order."""
    videos = [scores.videos[video] for video in scores.video_index[rows]]
    columns = (column[rows].tolist() for column in (scores.frame, scores.raw, scores.score, scores.rank))
    moments = (_moment(scores, row) for row in rows.tolist())
    return [RankedFrame(*row, *moment) for *row, moment in zip(videos, *columns, moments, strict=True)]


def top_moments(scores: "Scores", n: int = 8) -> list[RankedFrame]:
    """Returns the `n` most unusual moments: the highest frames, each with its neighbourhood counted once."""
    moments: list[RankedFrame] = []
    # Each moment hides at most 2 * APART - 1 frames of its video, so so many frames are enough.
    for frame in scores.top(n * 2 * APART):
        if all(frame.video != other.video or abs(frame.frame - other.frame) >= APART for other in moments):
            moments.append(frame)
        if len(moments) == n:
            break
    return moments


def _moment(scores: "Scores", row: int) -> Explanation:
    return Explanation() if scores.why is None else scores.why.at(row)


def _event(scores: "Scores", start: int, stop: int, smoothed: NDArray[np.float64]) -> Event:
    peak = start + int(smoothed[start:stop].argmax())
    first, last, top = scores.frame[[start, stop - 1, peak]].tolist()
    video, value = scores.videos[scores.video_index[start]], float(smoothed[peak])
    began, ended, highest = (time_at(scores, row) for row in (start, stop - 1, peak))
    often = rarity_of(scores.curve, value)
    return Event(video, first, last, top, value, *_moment(scores, peak), began, ended, highest, *often)


def time_at(scores: "Scores", row: int) -> float | None:
    """Returns the seconds at a row; None where they are not known."""
    seconds = math.nan if scores.seconds is None else float(scores.seconds[row])
    return None if math.isnan(seconds) else seconds


def rarity_of(curve: EventCurve | None, value: float) -> tuple[float, bool] | tuple[None, None]:
    """Returns once in how many hours normal footage comes so high, and whether that is extrapolated; None unknown."""
    return (None, None) if curve is None else (curve.hours(value), curve.is_beyond(value))
