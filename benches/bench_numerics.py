"""Ranking and aggregation against SciPy and NumPy."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from pixelfast import _core

THREADS = 2
WINDOW, GRID = 16, 8
Size = Callable[[int, int], int]


@pytest.mark.versus("rank")
def test_rank(contest) -> None:
    """Scores of a long run: positive, heavy-tailed, with ties. SciPy takes its seconds in the short form too."""
    values = np.random.default_rng(0).standard_gamma(2.0, 10_000_000, dtype=np.float32)
    contest(
        ours=lambda: _core.rank(values, threads=THREADS),
        plain=lambda: rankdata(values) / len(values),
        warmup_rounds=1 if contest.side == "ours" else 0,
    )


@pytest.mark.versus("aggregate")
def test_aggregate(contest, size: Size) -> None:
    n_frames = size(40_000, 10_000)
    rng = np.random.default_rng(0)
    window_errors = rng.random((n_frames - WINDOW + 1, WINDOW, GRID, GRID), dtype=np.float32)
    contest(
        ours=lambda: _core.aggregate(window_errors, n_frames, threads=THREADS),
        plain=lambda: aggregate_by_loop(window_errors, n_frames),
        rounds=3,
    )


def aggregate_by_loop(window_errors: NDArray[np.float32], n_frames: int) -> NDArray[np.float32]:
    """Window errors f32[W,T,G,G] to each frame's mean over its windows f32[N,G,G], a window at a time."""
    sums = np.zeros((n_frames, *window_errors.shape[2:]))
    counts = np.zeros(n_frames)
    for start, errors in enumerate(window_errors):
        sums[start : start + WINDOW] += errors
        counts[start : start + WINDOW] += 1
    return (sums / counts[:, None, None]).astype(np.float32)
