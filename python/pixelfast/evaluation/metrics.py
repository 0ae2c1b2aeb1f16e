"""How well scores tell abnormal frames from normal ones, in NumPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ScoresError


def average_precision(labels: NDArray[np.bool_], values: NDArray[np.floating[Any]]) -> float:
    """Returns average precision: the mean precision over abnormal frames, from the highest value down.

    The sum over thresholds of (recall - recall before) x precision, without interpolation; equal values share one
    threshold (Zhu, Recall, precision and average precision, 2004; as scikit-learn's `average_precision_score`).

    Args:
        labels: bool[N], true for abnormal.
        values: f32 or f64[N], higher for more unusual; finite.

    Raises:
        ScoresError: lengths differ, a value is not finite, or no frame is abnormal.
    """
    abnormal, taken = _counts_by_threshold(labels, values)
    if abnormal.size == 0 or abnormal[-1] == 0:
        raise ScoresError("average precision needs at least one abnormal frame: every label is 0")
    found = np.diff(abnormal, prepend=0)
    return float(np.sum(found * (abnormal / taken)) / abnormal[-1])


def auroc(labels: NDArray[np.bool_], values: NDArray[np.floating[Any]]) -> float:
    """Returns the area under the ROC curve: how often an abnormal frame is above a normal one, ties counting half.

    Arguments and errors as `average_precision`; normal frames are needed too.
    """
    abnormal, taken = _counts_by_threshold(labels, values)
    normal = taken - abnormal
    if abnormal.size == 0 or abnormal[-1] == 0 or normal[-1] == 0:
        raise ScoresError("the AUROC needs both normal and abnormal frames: the labels hold one kind only")
    width, height = np.diff(normal, prepend=0), abnormal - np.diff(abnormal, prepend=0) / 2
    return float(np.sum(width * height) / (float(abnormal[-1]) * float(normal[-1])))


def _counts_by_threshold(
    labels: NDArray[np.bool_], values: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Counts abnormal frames and all frames at or above each distinct value, the highest first."""
    if labels.shape != values.shape or labels.ndim != 1:
        raise ScoresError(f"labels {list(labels.shape)} and values {list(values.shape)} must be of one length")
    if not np.isfinite(values).all():
        raise ScoresError(f"value {int(np.flatnonzero(~np.isfinite(values))[0])} is not a finite number")
    order = np.argsort(values)[::-1]
    ordered = values[order]
    last_of_its_value = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if values.size else order
    abnormal = np.cumsum(labels[order], dtype=np.int64)[last_of_its_value]
    return abnormal, last_of_its_value.astype(np.int64) + 1
