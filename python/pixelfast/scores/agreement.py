"""How far two ways to compute the same scores put frames into the same order."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core

LEAST_AGREEMENT: Final = 0.999
"""The rank correlation with float32 below which an engine puts frames into another order, and is not taken."""


def rank_correlation(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Spearman's correlation of two arrays of one shape; not a number where one holds a value that is none."""
    scores = [some.astype(np.float64).ravel() for some in (found, expected)]
    if not all(np.isfinite(some).all() for some in scores):
        return float("nan")
    return float(np.corrcoef(_core.rank(scores[0]), _core.rank(scores[1]))[0, 1])
