"""The source's global pass over the raw scores of every frame of every video, in NumPy and SciPy."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.stats import rankdata


def normalise(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """(x - min) / (99.99th percentile - min + 1e-8), clipped to [0, 1]."""
    low, high = raw.min(), np.percentile(raw, 99.99)
    return np.clip((raw - low) / (high - low + 1e-8), 0.0, 1.0)


def smooth(score: NDArray[np.float64], lengths: Sequence[int], size: int = 3) -> NDArray[np.float64]:
    """Each video's centred mean of `size` frames, edges reflected."""
    videos = np.split(score, np.cumsum(lengths)[:-1])
    return np.concatenate([uniform_filter1d(video, size, mode="reflect") for video in videos])


def rank(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average ranks / n, in (0, 1]."""
    return rankdata(score) / len(score)
