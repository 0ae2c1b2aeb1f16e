"""Resizing by area as a constant matrix, so that a graph can do it with a multiplication (no torch here)."""

import numpy as np
from numpy.typing import NDArray


def area_weights(source: int, target: int) -> NDArray[np.float32]:
    """The matrix that resizes `source` samples to `target` samples by area.

    A sample of the target is the mean of the source over the stretch it covers, where a sample of the source that it
    covers in part counts in part: OpenCV's INTER_AREA. With fewer samples in the source than in the target, the same
    formula blends the two neighbours where an edge falls into a target sample and copies elsewhere; that is also what
    INTER_AREA does, unless a picture shrinks along its other axis (OpenCV then interpolates along both).

    Args:
        source: samples there are, at least 1.
        target: samples wanted, at least 1.

    Returns:
        f32[target,source]; every row sums to 1.

    Raises:
        ValueError: a size is below 1.
    """
    if min(source, target) < 1:
        raise ValueError(f"sizes must be at least 1: {source} to {target}")
    # In whole units of 1/(source * target) of the length, so that no rounding makes a sliver of a neighbour count.
    begins = np.arange(target)[:, None] * source
    cells = np.arange(source)[None, :] * target
    overlap = np.minimum(begins + source, cells + target) - np.maximum(begins, cells)
    weights: NDArray[np.float32] = (overlap.clip(0) / source).astype(np.float32)
    return weights
