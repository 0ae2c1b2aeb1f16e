"""Fewer points for the eye: of each column of the picture the lowest and the highest, so that no peak is lost."""

import numpy as np
from numpy.typing import NDArray


def thinned(values: NDArray[np.float64], columns: int) -> NDArray[np.int64]:
    """Returns the positions, rising, of the values to draw.

    Args:
        values: f64[N], finite.
        columns: into so many stretches of equal length they are cut, at least 1.

    Returns:
        i64[K]: all, where there are no more than twice as many as columns; else of each column its lowest and its
        highest, the first of equal ones, and the first and the last value of all: K is at most 2 * columns + 2.

    Examples:
        >>> from pixelfast.reporting.thin import thinned
        >>> thinned(np.array([0.0, 1, 0, 0, 9, 0, 0, 0, -3, 0]), 2).tolist()
        [0, 4, 5, 8, 9]
    """
    count = len(values)
    if count <= 2 * columns:
        return np.arange(count)
    length = -(-count // columns)
    starts = np.arange(0, count, length)
    padded = np.pad(values, (0, len(starts) * length - count), mode="edge").reshape(len(starts), length)
    return np.unique(np.concatenate([[0, count - 1], starts + padded.argmin(1), starts + padded.argmax(1)]))


def runs(marked: NDArray[np.bool_], near: int = 1) -> NDArray[np.int64]:
    """Returns i64[K, 2]: first and last position of each run of marked ones; runs less than `near` apart are one.

    Examples:
        >>> from pixelfast.reporting.thin import runs
        >>> runs(np.array([True, True, False, True])).tolist()
        [[0, 1], [3, 3]]
    """
    at = np.flatnonzero(marked)
    if not len(at):
        return np.empty((0, 2), np.int64)
    cuts = np.flatnonzero(np.diff(at) > near)
    return np.stack([at[np.append(0, cuts + 1)], at[np.append(cuts, len(at) - 1)]], 1)
