"""Frames and runs of frames that stand out, as plain tuples."""

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast.scores.why import Explanation

if TYPE_CHECKING:
    from pixelfast.scores.table import Scores


class Event(NamedTuple):
    """A run of neighbouring frames of one video, all above the threshold; `start` and `end` are both part of it.

    `start`, `end` and `peak_frame` are frame numbers, `peak_value` is the highest smoothed raw score. Where the method
    says it: the cell (row, column) that speaks at the peak, which of its streams, and why; else None.
    """

    video: str
    start: int
    end: int
    peak_frame: int
    peak_value: float
    cell: tuple[int, int] | None = None
    stream: str | None = None
    reason: str | None = None


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


def _moment(scores: "Scores", row: int) -> Explanation:
    return Explanation() if scores.why is None else scores.why.at(row)


def _event(scores: "Scores", start: int, stop: int, smoothed: NDArray[np.float64]) -> Event:
    peak = start + int(smoothed[start:stop].argmax())
    first, last, top = scores.frame[[start, stop - 1, peak]].tolist()
    video = scores.videos[scores.video_index[start]]
    return Event(video, first, last, top, float(smoothed[peak]), *_moment(scores, peak))
