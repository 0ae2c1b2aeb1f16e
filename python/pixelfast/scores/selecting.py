"""The scores of some videos alone, and the rows of an event."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from pixelfast.errors import ArgumentError, ScoresError, UnknownVideoError
from pixelfast.model.events import EventRate
from pixelfast.scores.moments import Event
from pixelfast.scores.schema import COLUMNS
from pixelfast.scores.why import Why

if TYPE_CHECKING:
    from pixelfast.scores.table import Scores


def of_videos(scores: "Scores", videos: str | Iterable[str]) -> "Scores":
    """Returns the scores of one video, or of several in this order; see `Scores.__getitem__`."""
    if not isinstance(videos, str | Iterable):
        raise ArgumentError(f"scores are taken by the name of a video, or by a list of names, not {videos!r}")
    names = [videos] if isinstance(videos, str) else list(videos)
    where = [rows_of_video(scores, name) for name in names]
    rows = np.concatenate([np.zeros(0, np.intp), *(np.arange(one.start, one.stop) for one in where)])
    columns = {name: column[rows] for name in COLUMNS if (column := getattr(scores, name)) is not None}
    lengths = [one.stop - one.start for one in where]
    columns["video_index"] = np.repeat(np.arange(len(names), dtype=np.int32), lengths)
    why = None
    if (all_ := scores.why) is not None:
        why = Why(all_.cell[rows], all_.stream[rows], all_.reason[rows], all_.grid, all_.streams, all_.reasons)
    return replace(scores, videos=tuple(names), **columns, why=why, notes=list(scores.notes), phases={}, reused=0)


def level_of(scores: "Scores", threshold: float | None, alarm_rate: str | None) -> float | None:
    """Returns the level above which frames are events; see `Scores.events`."""
    if alarm_rate is None:
        return scores.threshold if threshold is None else threshold
    rate = EventRate.parse(alarm_rate)
    if threshold is not None:
        raise ArgumentError("give a threshold or an alarm_rate, not both: a rate stands for the threshold it gives")
    if scores.curve is None:
        raise ScoresError(
            "these scores do not know how often normal footage gives events: score with a calibrated model folder, "
            "or give a threshold"
        )
    return scores.curve.level(rate)


def rows_of_video(scores: "Scores", name: str) -> slice:
    """Returns where the frames of a video lie in the arrays."""
    if not isinstance(name, str):
        raise ArgumentError(f"scores are taken by the name of a video, or by a list of names, not {name!r}")
    if name not in scores.videos:
        near = get_close_matches(name, scores.videos, cutoff=0.5) or scores.videos[:3]
        hint = f"did you mean {' or '.join(near)}?" if near else "these scores have none"
        raise UnknownVideoError(f"there is no video {name}: {hint}")
    start, stop = np.searchsorted(scores.video_index, scores.videos.index(name) + np.arange(2)).tolist()
    return slice(start, stop)


def rows_of(scores: "Scores", event: Event) -> slice:
    """Returns where the frames of an event lie in the arrays; see `Scores.rows_of`."""
    video = rows_of_video(scores, event.video)
    frames = scores.frame[video]
    ends = [np.flatnonzero(frames == frame) for frame in (event.start, event.end)]
    for frame, found in zip((event.start, event.end), ends, strict=True):
        if not len(found):
            raise ScoresError(f"video {event.video} has no frame {frame}: the event is one of other scores")
    return slice(video.start + int(ends[0][0]), video.start + int(ends[1][0]) + 1)


def step_of(scores: "Scores", rows: slice) -> float | None:
    """Returns the usual seconds from frame to frame of some rows; None where they are not known."""
    steps = np.empty(0) if scores.seconds is None else np.diff(scores.seconds[rows])
    steps = steps[np.isfinite(steps) & (steps > 0)]
    return float(np.median(steps)) if len(steps) else None
