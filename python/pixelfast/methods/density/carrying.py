"""Smoothing along the flow, streaming: what moves takes its mean with it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.methods.density.over_time import Arrays, Values, joined

BLOCK: Final = 32
"""Frames that are gone through backward together, counted from the start of a video."""

_REST: Final = 1e-5
"""What may be missing of a mean because it does not look on to the end of the video."""


def carry(
    pieces: Iterable[Arrays], flow: int, which: Sequence[int], tau: float, *, live: bool = False
) -> Iterator[Arrays]:
    """Smooths arrays that come a few frames at a time by an exponential along the flow, forward and backward.

    F_t(p) = (1 - a) F_{t-1}(p - f_t(p)) + a x_t(p) and B_t(p) = (1 - a) B_{t+1}(p + f_t(p)) + a x_t(p), with
    a = 1 / (1 + tau), give (F + B - a x) / (2 - a); between cells it is linear, beyond the edge as at the edge. What
    comes out does not depend on how the frames are cut into pieces.

    Args:
        pieces: arrays that belong together, [n, h, w] or [n, h, w, c].
        flow: the position of f32[n, h, w, 2] among them, right and down, in cells a frame.
        which: the positions of the arrays that are smoothed; the others wait for them.
        tau: frames.
        live: whether to look back alone: gives F at once.
    """
    share = np.float32(1 / (1 + tau))
    ahead = 0 if live else math.ceil(math.log(_REST) / math.log1p(-share))
    waiting: list[Arrays] = []
    before: Values | None = None
    held = 0
    for piece in pieces:
        if not len(piece[0]):
            continue
        values = _channels(piece, which)
        forward = _forward(values, piece[flow], share, before)
        before = forward[-1]
        if live:
            yield _put_back(piece, which, forward)
            continue
        waiting.append((*piece, values, forward))
        held += len(values)
        while held >= BLOCK + ahead:
            whole = joined(waiting)
            yield _both(tuple(array[: BLOCK + ahead] for array in whole), flow, which, share, BLOCK)
            waiting, held = [tuple(array[BLOCK:] for array in whole)], held - BLOCK
    if held:
        yield _both(joined(waiting), flow, which, share, held)


def _both(arrays: Arrays, flow: int, which: Sequence[int], share: np.float32, count: int) -> Arrays:
    """The first `count` frames, smoothed; after the last frame of all nothing is looked at."""
    *piece, values, forward = arrays
    at, weights = _places(piece[flow][:-1], 1)
    out, state = np.empty_like(values), values[-1]
    for frame in range(len(values) - 1, -1, -1):
        if frame < len(values) - 1:
            state = _look_up(state, at[frame], weights[frame])
            state = state + share * (values[frame] - state)
        out[frame] = (forward[frame] + state - share * values[frame]) / (2 - share)
    return _put_back(tuple(array[:count] for array in piece), which, out[:count])


def _forward(values: Values, flow: Values, share: np.float32, before: Values | None) -> Values:
    at, weights = _places(flow, -1)
    out = np.empty_like(values)
    state = before
    for frame, own in enumerate(values):
        if state is None:
            state = own
        else:
            state = _look_up(state, at[frame], weights[frame])
            state = state + share * (own - state)
        out[frame] = state
    return out


def _places(flow: Values, sign: int) -> tuple[NDArray[np.intp], Values]:
    """Where each cell of n frames looks: four cells i[n, 4, h * w] and how much each counts f32[n, 4, h * w, 1]."""
    n, h, w, _ = flow.shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    across = np.clip(x + sign * flow[..., 0], 0, w - 1).reshape(n, h * w)
    down = np.clip(y + sign * flow[..., 1], 0, h - 1).reshape(n, h * w)
    left, top = np.minimum(across.astype(np.intp), max(0, w - 2)), np.minimum(down.astype(np.intp), max(0, h - 2))
    right, below = np.minimum(left + 1, w - 1), np.minimum(top + 1, h - 1)
    a, b = across - left, down - top
    at = np.stack([top * w + left, top * w + right, below * w + left, below * w + right], 1)
    weights = np.stack([(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b], 1)
    return at, weights.astype(np.float32)[..., None]


def _look_up(state: Values, at: NDArray[np.intp], weights: Values) -> Values:
    found: Values = (state[at] * weights).sum(0)
    return found


def _channels(piece: Arrays, which: Sequence[int]) -> Values:
    """The arrays that are smoothed, side by side: f32[n, h * w, c]."""
    n, h, w = piece[which[0]].shape[:3]
    return np.concatenate([piece[index].reshape(n, h * w, -1) for index in which], -1, dtype=np.float32)


def _put_back(piece: Arrays, which: Sequence[int], values: Values) -> Arrays:
    out: list[NDArray[Any]] = list(piece)
    done = 0
    for index in which:
        shape = piece[index].shape
        channels = math.prod(shape[3:])
        out[index] = values[..., done : done + channels].reshape(shape)
        done += channels
    return tuple(out)
