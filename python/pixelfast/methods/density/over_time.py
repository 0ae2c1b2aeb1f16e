"""Smoothing in time, streaming: centred Gaussians whose edges repeat the first and the last frame."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_REACH: Final = 4.0
"""Standard deviations after which a Gaussian ends, as SciPy's `gaussian_filter1d` has it."""

Arrays = tuple[NDArray[Any], ...]


def over_time(pieces: Iterable[Arrays], sigmas: Sequence[float]) -> Iterator[Arrays]:
    """Smooths arrays that come a few frames at a time, each with its own standard deviation in frames.

    What comes out is as many frames, in order, later by the reach of the widest: nothing depends on how the frames are
    cut into pieces.

    Args:
        pieces: arrays [n, ...] that belong together, the same n within a piece; n may be 0.
        sigmas: one for each array; one of 0 only waits for the others.

    Examples:
        >>> from pixelfast.methods.density.over_time import over_time
        >>> [smoothed] = over_time([(np.array([0.0, 0.0, 1.0, 0.0, 0.0]),)], [0.25])
        >>> smoothed[0].round(3).tolist()
        [0.0, 0.0, 0.999, 0.0, 0.0]
    """
    kernels = [_kernel(sigma) for sigma in sigmas]
    reach = max(len(kernel) // 2 for kernel in kernels)
    waiting: list[Arrays] = []
    last: Arrays | None = None
    held = 0
    for piece in pieces:
        if not len(piece[0]):
            continue
        if last is None:
            waiting, held = [tuple(np.repeat(array[:1], reach, axis=0) for array in piece)], reach
        waiting.append(piece)
        held += len(piece[0])
        last = tuple(array[-1:] for array in piece)
        if held > 2 * reach:
            joined = tuple(map(np.concatenate, zip(*waiting, strict=True)))
            yield tuple(map(_valid, joined, kernels, [reach] * len(joined)))
            waiting = [tuple(array[held - 2 * reach :].copy() for array in joined)]
            held = 2 * reach
    if last is not None and reach:
        waiting.append(tuple(np.repeat(array, reach, axis=0) for array in last))
        joined = tuple(map(np.concatenate, zip(*waiting, strict=True)))
        yield tuple(map(_valid, joined, kernels, [reach] * len(joined)))


def _kernel(sigma: float) -> NDArray[np.float64]:
    radius = int(_REACH * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 1e-9)) ** 2)
    return weights / weights.sum()


def _valid(array: NDArray[Any], kernel: NDArray[np.float64], reach: int) -> NDArray[Any]:
    """The array without `reach` frames at each end, each of the others the weighted sum of those around it."""
    radius, count = len(kernel) // 2, len(array) - 2 * reach
    if not radius:
        return array[reach : reach + count]
    wide = array.astype(np.float32, copy=False)
    total = np.zeros((count, *array.shape[1:]), np.float32)
    for place, weight in enumerate(kernel.astype(np.float32)):
        start = reach - radius + place
        total += weight * wide[start : start + count]
    return total
