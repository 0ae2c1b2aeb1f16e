"""The global pass: raw scores of all videos to one table of scores, ranks and tails."""

from collections.abc import Sequence

import numpy as np

from pixelfast import _core
from pixelfast.files.natural import natural_key
from pixelfast.methods.base import MethodSpec
from pixelfast.model import Calibration
from pixelfast.pipeline.parts import Part
from pixelfast.scores import Scores


def global_pass(
    parts: Sequence[Part],
    spec: MethodSpec,
    smooth: int,
    calibration: Calibration | None,
    *,
    notes: list[str],
    threads: int | None = None,
) -> Scores:
    """The scores of all frames of all parts, videos in natural order.

    Args:
        parts: of one engine and settings; none gives no scores.
        spec: whose pass it is.
        smooth: frames of the centred mean, odd.
        calibration: gives tails and the threshold, where there is one.
        notes: what was said aloud.
        threads: threads of the numeric stages.
    """
    if not parts:
        return _no_scores(spec, smooth, notes)
    parts = sorted(parts, key=lambda part: natural_key(part.video))
    lengths = np.array([len(part.raw) for part in parts], np.int64)
    raw = np.concatenate([part.raw for part in parts])
    smoothed = _core.smooth(raw, lengths, smooth, threads)
    own = spec.global_pass
    if own.smooth_first:
        score = _core.normalise(smoothed, own.percentile, threads)
    else:
        score = _core.smooth(_core.normalise(raw, own.percentile, threads), lengths, smooth, threads)
    records = [part.record for part in parts]
    seconds = [record.seconds for record in records]
    return Scores(
        videos=tuple(part.video for part in parts),
        video_index=np.repeat(np.arange(len(parts), dtype=np.int32), lengths),
        frame=np.concatenate([record.frame for record in records]),
        raw=raw,
        score=score,
        rank=_core.rank(score, threads),
        flipped=np.concatenate([record.flipped for record in records]),
        repaired=np.concatenate([record.repaired for record in records]),
        noisy=np.concatenate([record.noisy for record in records]),
        tail=None if calibration is None else calibration.tail(smoothed, threads),
        seconds=None if any(s is None for s in seconds) else np.concatenate([s for s in seconds if s is not None]),
        method=spec.name,
        submission=spec.submission,
        smooth=smooth,
        threshold=None if calibration is None else calibration.threshold,
        notes=notes,
    )


def _no_scores(spec: MethodSpec, smooth: int, notes: list[str]) -> Scores:
    marks, values = np.zeros(0, np.bool_), np.zeros(0, np.float64)
    frame, raw = np.zeros(0, np.int64), np.zeros(0, np.float32)
    index = np.zeros(0, np.int32)
    return Scores(
        (),
        index,
        frame,
        raw,
        values,
        values,
        marks,
        marks,
        marks,
        method=spec.name,
        submission=spec.submission,
        smooth=smooth,
        notes=notes,
    )
