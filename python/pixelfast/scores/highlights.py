"""Which moments are shown, and by which numbers: runs above the threshold, the highest first, else what stands out."""

from dataclasses import dataclass

import numpy as np

from pixelfast.scores.moments import top_moments
from pixelfast.scores.selecting import rows_of_video
from pixelfast.scores.table import Scores

_WITHOUT_EVENTS = 8


@dataclass(frozen=True)
class Highlight:
    """A run of neighbouring rows of one video.

    Attributes:
        number: its place in the list, from 1.
        video: its name.
        start: the first row.
        stop: the row after the last.
        peak: the row of the highest smoothed raw score.
        value: that score.
        event: whether the run lies above the threshold; else it is a frame that stands out among the others.
    """

    number: int
    video: str
    start: int
    stop: int
    peak: int
    value: float
    event: bool


def choose_moments(scores: Scores, most: int) -> tuple[list[Highlight], int]:
    """Returns the moments to show, at most so many, the highest first, and how many there are in all.

    Where there is no threshold, or nothing above it, they are the frames that stand out most.
    """
    events = [] if scores.threshold is None else scores.events()
    if not events:
        tops = top_moments(scores, min(most, _WITHOUT_EVENTS)) if len(scores) else []
        smoothed = scores.smoothed_raw() if tops else np.empty(0)
        peaks = [row_of(scores, top.video, top.frame) for top in tops]
        return [
            Highlight(number, top.video, peak, peak + 1, peak, float(smoothed[peak]), event=False)
            for number, (top, peak) in enumerate(zip(tops, peaks, strict=True), 1)
        ], len(tops)
    found = []
    for number, event in enumerate(sorted(events, key=lambda one: -one.peak_value)[:most], 1):
        start, end, peak = (row_of(scores, event.video, frame) for frame in (event.start, event.end, event.peak_frame))
        found.append(Highlight(number, event.video, start, end + 1, peak, event.peak_value, event=True))
    return found, len(events)


def row_of(scores: Scores, video: str, frame: int) -> int:
    """Returns the row of a frame."""
    rows = rows_of_video(scores, video)
    first: int = rows.start
    return first + int(np.flatnonzero(scores.frame[rows] == frame)[0])
