"""How rare a value is: -log10 of the share of held-out values at or above it, by a few quantiles (DENSITY)."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

TAILS: Final = np.array([0.5, 0.2, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001])
"""The shares whose quantiles a model keeps."""


def quantiles(values: Values) -> NDArray[np.float64]:
    """Returns the values that the shares `TAILS` of all lie above; where there are none, up to 1: all is rare.

    Examples:
        >>> from pixelfast.model.tails import quantiles
        >>> quantiles(np.arange(1001) / 1000)[:3].round(3).tolist()
        [0.5, 0.8, 0.9]
    """
    none = np.linspace(1 / len(TAILS), 1, len(TAILS))
    found: NDArray[np.float64] = np.quantile(values, 1 - TAILS) if len(values) else none
    return found


def rarity(values: Values, at: NDArray[np.float64], knee: int = -2) -> Values:
    """Returns -log10 of the tail of each value: linear between the quantiles, and on with their last slope.

    Args:
        values: f32 of any shape, from 0.
        at: f64[9], the quantiles of held-out values.
        knee: the position from which to the last quantile that slope is taken.
    """
    rare = -np.log10(TAILS)
    at = np.maximum.accumulate(at + np.arange(len(at)) * 1e-12)
    slope = (rare[-1] - rare[knee]) / max(at[-1] - at[knee], 1e-3 * at[-1] + 1e-9)
    places = np.concatenate([[0.0], at]) if at[0] > 0 else at
    inside = np.interp(values, places, rare if len(places) == len(rare) else np.concatenate([[0.0], rare]))
    found: Values = np.where(values > at[-1], rare[-1] + slope * (values - at[-1]), inside).astype(np.float32)
    return found


def cell_quantiles(maps: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Returns f64[cells, 9], the quantiles of each cell of maps [n, h, w] of held-out frames."""
    cells: NDArray[np.float64] = np.quantile(maps.reshape(len(maps), -1), 1 - TAILS, axis=0).T
    return cells


def rarest(maps: NDArray[np.float32], cells: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns f32[n], how rare the rarest cell of each map f32[n, h, w] is, each by its own quantiles f64[cells, 9]."""
    flat = maps.reshape(len(maps), -1)
    rare: NDArray[np.float32] = np.stack([rarity(flat[:, at], own) for at, own in enumerate(cells)], -1).max(-1)
    return rare
