"""Footage that stands still: frames that equal the one before, and the runs of them that no live camera makes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Frames

FROZEN_FRAMES: Final = 25
"""A longer run of equal frames is frozen where times are not known: a second of usual footage."""

FROZEN_SECONDS: Final = 1.0
"""A longer run is frozen where they are known."""

LOOK: Final = 24
"""Frames before and after one by which it is told whether it was doubled."""

_LEAST: Final = 4  # equal frames in a row, or at one distance: drawn footage may pause for a frame or two


def equal_frames(grey: Frames, before: Frames | None) -> NDArray[np.bool_]:
    """Returns bool[n]: which of the frames u8[n, H, W] equal the one before, the first of them `before` u8[H, W]."""
    equal = [before is not None and np.array_equal(grey[0], before)]
    return np.array(equal + [np.array_equal(one, next_) for one, next_ in pairwise(grey)])


def frozen_runs(
    equal: NDArray[np.bool_], stand_in: NDArray[np.bool_], seconds: NDArray[np.float64] | None
) -> list[tuple[int, int]]:
    """Finds the runs of equal frames of a whole video that are too long for a live camera, or all there is of it.

    Args:
        equal: bool[N], the frame equals the one before.
        stand_in: bool[N], it is another's copy, because it could not be read: it neither ends a run nor counts.
        seconds: f64[N], times, NaN where not known; None where they never are.

    Returns:
        The first frame of each, and the one after its last.
    """
    bounds = np.append(np.flatnonzero(~equal), len(equal))
    read = np.append(0, np.cumsum(~stand_in))
    long = np.flatnonzero(np.diff(bounds) > 2)

    def frozen(start: int, stop: int) -> bool:
        if stop - start == len(equal) and read[stop] >= _LEAST:
            return True
        span = np.nan if seconds is None else seconds[stop - 1] - seconds[start]
        return bool(read[stop] - read[start] > FROZEN_FRAMES if np.isnan(span) else span > FROZEN_SECONDS)

    runs = zip(bounds[long].tolist(), bounds[long + 1].tolist(), strict=True)
    return [run for run in runs if frozen(*run)]


def doubled_frames(equal: NDArray[np.bool_], start: int, stop: int) -> NDArray[np.bool_]:
    """Says which frames repeat the one before because of a frame-rate conversion or a camera that is stuck.

    A conversion repeats frames at distances that differ by one at most; a scene that pauses does not.

    Args:
        equal: bool[N], the frame equals the one before; known to `LOOK` frames after `stop`, or to the video's end.
        start: the first frame that is asked about.
        stop: the one after the last.

    Returns:
        bool[stop - start].
    """
    doubled, at = np.zeros(stop - start, np.bool_), np.flatnonzero(equal)
    for index in at[np.searchsorted(at, start) : np.searchsorted(at, stop)].tolist():
        near = at[np.searchsorted(at, index - LOOK) : np.searchsorted(at, index + LOOK, side="right")]
        apart = np.diff(near)
        regular = len(near) >= _LEAST and apart.max() - apart.min() <= 1
        breaks = np.flatnonzero(np.diff(near, prepend=-2, append=near[-1] + 2) > 1)
        place = int(np.searchsorted(near, index))
        run = np.diff(breaks)[np.searchsorted(breaks, place, side="right") - 1]
        doubled[index - start] = regular or run >= _LEAST
    return doubled


def frozen_sentence(video: str, frame: NDArray[np.int64], runs: Sequence[tuple[int, int]]) -> str | None:
    """Returns what is said aloud of a video with these frame numbers i64[N]; None where nothing is frozen."""
    if not runs:
        return None
    start, stop = runs[0]
    count, more = stop - start, f", and {len(runs) - 1} more such runs" if len(runs) > 1 else ""
    what = f"all {count:,} frames are equal" if count == len(frame) else f"{count:,} equal frames"
    return f"video {video}: {what}, {frame[start]} to {frame[stop - 1]}{more}: a frozen camera, or a covered lens?"
