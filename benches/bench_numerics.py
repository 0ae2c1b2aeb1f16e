"""Aggregation and the global pass over 10 million frames, against NumPy, SciPy, polars, bottleneck and plain copies.

Beside the plain ways stands a copy: two threads that copy into a new array as many bytes as the stage reads and writes
together, half of them read and half written. A ratio of 0.5 to it means that the stage takes twice as long. New,
because what a stage returns is new, too: the first touch of its pages is part of both.
"""

import os
import threading
from collections.abc import Callable

os.environ.setdefault("POLARS_MAX_THREADS", "2")  # read when it is imported

import bottleneck
import numpy as np
import polars
import pytest
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.stats import rankdata

from pixelfast import _core
from threads import THREADS

FRAMES = 10_000_000
VIDEO = 1_000  # frames of each video
WINDOW, GRID = 16, 8
CHUNK_WINDOWS = 64 - WINDOW + 1  # of the 64 frames that go to the engine together
Size = Callable[[int, int], int]


def scores(count: int = FRAMES) -> NDArray[np.float32]:
    """Scores of a long run: positive, heavy-tailed, with ties."""
    return np.random.default_rng(0).standard_gamma(2.0, count, dtype=np.float32)


def copying(read: int, written: int) -> Callable[[], object]:
    """Copies half of so many bytes, in two halves on two threads, to a new array."""
    source = np.ones((read + written) // 2, np.uint8)

    def copy() -> NDArray[np.uint8]:
        target, half = np.empty_like(source), len(source) // 2
        other = threading.Thread(target=lambda: np.copyto(target[half:], source[half:]))
        other.start()
        np.copyto(target[:half], source[:half])
        other.join()
        return target

    return copy


@pytest.mark.versus("rank", peer="SciPy")
def test_rank(contest) -> None:
    """SciPy takes its seconds in the short form too."""
    values = scores()
    contest(
        ours=lambda: _core.rank(values, threads=THREADS),
        plain=lambda: rankdata(values) / len(values),
        warmup_rounds=1 if contest.side == "ours" else 0,
    )


@pytest.mark.versus("rank_polars", peer="polars")
def test_rank_polars(contest, size: Size) -> None:
    """Average ranks of float32."""
    values = scores(size(FRAMES, FRAMES // 2))
    series = polars.Series(values)
    contest(
        ours=lambda: _core.rank(values, threads=THREADS),
        plain=lambda: series.rank("average").to_numpy() / len(values),
        note=f"polars on {polars.thread_pool_size()} threads",
    )


@pytest.mark.versus("normalise", peer="NumPy")
def test_normalise(contest, size: Size) -> None:
    """By minimum and 99.99th percentile, float32 to float64."""
    values = scores(size(FRAMES, FRAMES // 4))
    contest(
        ours=lambda: _core.normalise(values, threads=THREADS),
        plain=lambda: normalise_by_numpy(values),
        rounds=3,
    )


@pytest.mark.versus("normalise_copy", peer="a memory copy")
def test_normalise_against_a_copy(contest) -> None:
    """The same, against a copy of as many bytes. The values are read twice (smallest, largest and highest ones; then
    scaling), 4 + 4 bytes, and 8 are written.
    """
    values = scores()
    contest(
        ours=lambda: _core.normalise(values, threads=THREADS),
        plain=copying(values.nbytes, 8 * len(values)),
        rounds=7,
    )


@pytest.mark.versus("smooth", peer="SciPy")
def test_smooth(contest, size: Size) -> None:
    """Centred mean of 3 frames in videos of 1,000."""
    values = scores(size(FRAMES, FRAMES // 4))
    lengths = np.full(len(values) // VIDEO, VIDEO)
    contest(
        ours=lambda: _core.smooth(values, lengths, 3, threads=THREADS),
        plain=lambda: uniform_filter1d(values.reshape(-1, VIDEO).astype(np.float64), 3, mode="reflect"),
        rounds=3,
    )


@pytest.mark.versus("smooth_copy", peer="a memory copy")
def test_smooth_against_a_copy(contest) -> None:
    """The same, against a copy of as many bytes: 4 are read a value, and 8 written."""
    values = scores()
    lengths = np.full(len(values) // VIDEO, VIDEO)
    contest(
        ours=lambda: _core.smooth(values, lengths, 3, threads=THREADS),
        plain=copying(values.nbytes, 8 * len(values)),
        rounds=7,
    )


@pytest.mark.versus("smooth_bottleneck", peer="bottleneck", gated=False)
def test_smooth_beside_bottleneck(contest) -> None:
    """`move_mean` adds the newest value and takes away the oldest, in the values' float32, over all videos at once and
    on one thread: less exact, not centred, so not gated.
    """
    values = scores()
    lengths = np.full(len(values) // VIDEO, VIDEO)
    contest(
        ours=lambda: _core.smooth(values, lengths, 3, threads=THREADS),
        plain=lambda: bottleneck.move_mean(values, 3),
        rounds=3,
    )


def window_errors(n_frames: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((n_frames - WINDOW + 1, WINDOW, GRID, GRID), dtype=np.float32)


@pytest.mark.versus("aggregate", peer="NumPy")
def test_aggregate(contest, size: Size) -> None:
    """Window errors to error maps, the mean over 16 windows, 49 pushed at a time as the engine gives them."""
    n_frames = size(40_000, 10_000)
    errors = window_errors(n_frames)
    contest(
        ours=lambda: aggregate_in_chunks(errors),
        plain=lambda: aggregate_by_loop(errors, n_frames),
        rounds=3,
    )


@pytest.mark.versus("aggregate_copy", peer="a memory copy")
def test_aggregate_against_a_copy(contest) -> None:
    """On one thread it reads 16 maps a frame once and writes one; the copy has two. 10 million frames would be 41 GB;
    40,000 are beyond any cache.
    """
    n_frames = 40_000
    errors = window_errors(n_frames)
    contest(
        ours=lambda: aggregate_in_chunks(errors),
        plain=copying(errors.nbytes, 4 * n_frames * GRID * GRID),
        rounds=7,
    )


def normalise_by_numpy(values: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = values.astype(np.float64)
    low = wide.min()
    return np.clip((wide - low) / (np.percentile(wide, 99.99) - low + 1e-8), 0, 1)


def aggregate_in_chunks(window_errors: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The mean of each frame's windows, pushed as the engine gives them: the windows of some frames at a time."""
    aggregator = _core.OverlapAggregator(WINDOW)
    firsts = range(0, len(window_errors), CHUNK_WINDOWS)
    maps = [aggregator.push(window_errors[first : first + CHUNK_WINDOWS]) for first in firsts]
    return [*maps, aggregator.finish()]


def aggregate_by_loop(window_errors: NDArray[np.float32], n_frames: int) -> NDArray[np.float32]:
    """Window errors f32[W,T,G,G] to each frame's mean over its windows f32[N,G,G], a window at a time."""
    sums = np.zeros((n_frames, *window_errors.shape[2:]))
    counts = np.zeros(n_frames)
    for start, errors in enumerate(window_errors):
        sums[start : start + WINDOW] += errors
        counts[start : start + WINDOW] += 1
    return (sums / counts[:, None, None]).astype(np.float32)
