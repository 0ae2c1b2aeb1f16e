"""Smoothing in time, streaming: centred Gaussians, or exponentials that look back alone (DENSITY)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_REACH: Final = 4.0
"""Standard deviations after which a Gaussian ends, as SciPy's `gaussian_filter1d` has it."""

Arrays = tuple[NDArray[Any], ...]
Values = NDArray[np.float32]


def over_time(pieces: Iterable[Arrays], sigmas: Sequence[float], *, live: bool = False) -> Iterator[Arrays]:
    """Smooths arrays that come a few frames at a time, each with its own standard deviation in frames.

    What comes out is as many frames, in order, later by the reach of the widest: nothing depends on how the frames are
    cut into pieces. The first and the last frame count on beyond the ends.

    Args:
        pieces: arrays [n, ...] that belong together, the same n within a piece; n may be 0.
        sigmas: one for each array; one of 0 only waits for the others.
        live: whether each frame is smoothed with those before it alone, as it comes, by an exponential whose newest
            frame counts 1 / (1 + sigma).

    Examples:
        >>> from pixelfast.methods.density.over_time import over_time
        >>> [smoothed] = over_time([(np.array([0.0, 0.0, 1.0, 0.0, 0.0]),)], [0.25])
        >>> smoothed[0].round(3).tolist()
        [0.0, 0.0, 0.999, 0.0, 0.0]
    """
    return _live(pieces, sigmas) if live else _centred(pieces, [_kernel(sigma) for sigma in sigmas])


def joined(pieces: Iterable[Arrays]) -> Arrays:
    """Puts the pieces of each array together; at least one piece."""
    return tuple(map(np.concatenate, zip(*pieces, strict=True)))


def _live(pieces: Iterable[Arrays], sigmas: Sequence[float]) -> Iterator[Arrays]:
    before: list[NDArray[Any] | None] = [None] * len(sigmas)
    for piece in pieces:
        if len(piece[0]):
            out = [_exponential(*one) for one in zip(piece, before, sigmas, strict=True)]
            before = [array[-1] for array in out]
            yield tuple(out)


def _exponential(array: NDArray[Any], before: NDArray[Any] | None, sigma: float) -> NDArray[Any]:
    if not sigma:
        return array
    share, out = np.float32(1 / (1 + sigma)), np.empty(array.shape, np.float32)
    state = array[0].astype(np.float32) if before is None else before
    for index, own in enumerate(array):
        state = out[index] = state + share * (own - state)
    return out


def _centred(pieces: Iterable[Arrays], kernels: Sequence[NDArray[np.float64]]) -> Iterator[Arrays]:
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
            whole = joined(waiting)
            yield tuple(map(_valid, whole, kernels, [reach] * len(whole)))
            waiting = [tuple(array[held - 2 * reach :].copy() for array in whole)]
            held = 2 * reach
    if last is not None and reach:
        waiting.append(tuple(np.repeat(array, reach, axis=0) for array in last))
        whole = joined(waiting)
        yield tuple(map(_valid, whole, kernels, [reach] * len(whole)))


def _kernel(sigma: float) -> NDArray[np.float64]:
    radius = int(_REACH * sigma + 0.5)
    weights: NDArray[np.float64] = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 1e-9)) ** 2)
    weights /= weights.sum()
    return weights


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
