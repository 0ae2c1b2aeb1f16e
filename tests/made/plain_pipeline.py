"""The reconstruction pipeline with the tiny engines, as simply as NumPy and SciPy can write it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

import pixelfast
from footage import walking_square
from tiny_engines import (
    SIZE,
    WINDOW,
    window_errors,
)

TOLERANCE = {"rtol": 2e-5, "atol": 1e-8}


def footage(*lengths: int) -> dict[str, NDArray[np.uint8]]:
    """Videos `01`, `02`, … of these lengths."""
    return {f"{number:02d}": walking_square(length, number, SIZE) for number, length in enumerate(lengths, start=1)}


def plain_maps(frames: NDArray[np.uint8], stride: int, how: str) -> NDArray[np.float64]:
    """[N, G, G]: error maps, as simply as they can be written."""
    length = len(frames)
    padded = np.concatenate([frames, np.repeat(frames[-1:], max(0, WINDOW - length), axis=0)])
    starts = list(range(0, len(padded) - WINDOW + 1, stride))
    if starts[-1] != len(padded) - WINDOW:
        starts.append(len(padded) - WINDOW)
    errors = window_errors(padded, starts)
    combine = {"mean": np.mean, "max": np.max, "median": np.median}[how]
    held = [[errors[w, f - s] for w, s in enumerate(starts) if s <= f < s + WINDOW] for f in range(length)]
    return np.stack([combine(np.stack(maps), axis=0) for maps in held])


def plain_raw(frames: NDArray[np.uint8], stride: int = 1, how: str = "mean", pool: str = "mean") -> NDArray[np.float64]:
    cells = plain_maps(frames, stride, how).reshape(len(frames), -1)
    return cells.mean(axis=1) if pool == "mean" else np.sort(cells, axis=1)[:, -3:].mean(axis=1)


def plain_scores(raws: Sequence[NDArray[np.float32]], smooth: int = 3) -> NDArray[np.float64]:
    everything = np.concatenate(raws).astype(np.float64)
    low, high = everything.min(), np.percentile(everything, 99.99)
    values = [((raw.astype(np.float64) - low) / (high - low + 1e-8)).clip(0, 1) for raw in raws]
    return np.concatenate([uniform_filter1d(one, smooth, mode="reflect") for one in values])


def raws_of(scores: pixelfast.Scores) -> list[NDArray[np.float32]]:
    return [scores.raw[scores.video_index == index] for index in range(len(scores.videos))]
