"""The global pass: raw scores of all videos to one table of scores, ranks and tails."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.files.natural import natural_key
from pixelfast.methods.base import MethodSpec
from pixelfast.model import Calibration
from pixelfast.options import USUAL_RATE
from pixelfast.pipeline.parts import Part
from pixelfast.scores import Scores
from pixelfast.scores.schema import COLUMNS
from pixelfast.scores.why import put_together


def global_pass(
    parts: Sequence[Part],
    spec: MethodSpec,
    smooth: int,
    calibration: Calibration | None,
    *,
    notes: list[str],
    threads: int | None = None,
    alarm_rate: str = USUAL_RATE,
) -> Scores:
    """The scores of all frames of all parts, videos in natural order.

    Args:
        parts: of one engine and settings; none gives no scores.
        spec: whose pass it is.
        smooth: frames of the centred mean, odd.
        calibration: gives tails and the threshold, where there is one.
        notes: what was said aloud.
        threads: threads of the numeric stages.
        alarm_rate: at which normal footage may give events, for the threshold.
    """
    parts = sorted(parts, key=lambda part: natural_key(part.video))
    lengths = np.array([len(part.raw) for part in parts], np.int64)
    own = spec.global_pass
    raw = np.concatenate([np.zeros(0, np.float32), *(part.raw for part in parts)])
    frozen = np.concatenate([np.zeros(0, np.bool_), *(part.record.frozen for part in parts)])
    if own.blind_to_still and frozen.any():
        raw[frozen] = middle(raw[~frozen], calibration)
    smoothed = _core.smooth(raw, lengths, smooth, threads)
    if own.smooth_first:
        score = _core.normalise(smoothed, own.percentile, threads)
    else:
        score = _core.smooth(_core.normalise(raw, own.percentile, threads), lengths, smooth, threads)
    marks: dict[str, Any] = {
        name: np.concatenate([np.zeros(0, COLUMNS[name]), *(getattr(part.record, name) for part in parts)])
        for name in ("frame", "flipped", "repaired", "noisy", "frozen")
    }
    curve = None if calibration is None else calibration.events
    seconds = [part.record.seconds for part in parts if part.record.seconds is not None]
    return Scores(
        videos=tuple(part.video for part in parts),
        video_index=np.repeat(np.arange(len(parts), dtype=np.int32), lengths),
        raw=raw,
        score=score,
        rank=_core.rank(score, threads),
        **marks,
        tail=None if calibration is None else calibration.tail(smoothed, threads),
        seconds=np.concatenate(seconds) if 0 < len(seconds) == len(parts) else None,
        method=spec.name,
        submission=spec.submission,
        smooth=smooth,
        threshold=None if calibration is None else calibration.threshold_at(alarm_rate),
        curve=curve,
        alarm_rate=None if curve is None else alarm_rate,
        notes=notes,
        why=put_together([part.why for part in parts]),
    )


def middle(raw: NDArray[np.float32], calibration: Calibration | None) -> float:
    """Returns the middle one of these raw scores; where there are none, that of held-out normal frames, or 0."""
    if len(raw):
        return float(np.median(raw))
    return 0.0 if calibration is None else float(np.interp(0.5, calibration.probabilities, calibration.quantiles))
