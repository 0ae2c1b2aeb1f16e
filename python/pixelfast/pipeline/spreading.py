"""From the frames of a video that were scored to all of them, where only some a second are."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.stage import FrameRecord
from pixelfast.scores.why import Why
from pixelfast.sources import READ
from pixelfast.sources.clock import Timeline


def spread(
    timeline: Timeline,
    record: FrameRecord,
    raw: NDArray[np.float32],
    maps: NDArray[np.float16] | None,
    why: Why | None,
) -> tuple[FrameRecord, NDArray[np.float32], NDArray[np.float16] | None, Why | None]:
    """Returns the same of every frame: raw scores between two that were scored on a line, all else as of the nearest.

    Args:
        timeline: all frames, M of them.
        record: of those that were scored, N of them, each in `timeline` too.
        raw: f32[N], their scores.
        maps: f16[N,h,w], their error maps.
        why: what is said of them.
    """
    at = np.searchsorted(timeline.frame_ids, record.frame)
    scored = timeline.seconds[at]
    everywhere = np.interp(timeline.seconds, scored, raw).astype(np.float32)
    middles = (scored[1:] + scored[:-1]) / 2
    near = np.searchsorted(middles, timeline.seconds, "right")
    own = np.zeros(len(near), np.bool_)
    own[at] = record.repaired
    marks = {name: getattr(record, name)[near] for name in ("flipped", "noisy", "frozen")}
    whole = FrameRecord(timeline.frame_ids, repaired=own | (timeline.status != READ), seconds=timeline.seconds, **marks)
    columns = {} if why is None else {name: getattr(why, name)[near] for name in ("cell", "stream", "reason")}
    return (
        whole,
        everywhere,
        None if maps is None else maps[near],
        None if why is None else replace(why, **columns),
    )
