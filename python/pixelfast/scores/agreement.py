"""How far two ways to compute the same scores put frames into the same order."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import ModelError
from pixelfast.runtime.trial import Agreement

LEAST_AGREEMENT: Final = 0.999
"""The rank correlation with float32 below which an engine puts frames into another order, and is not taken."""

LEAST_AGREEMENT_ELSEWHERE: Final = 0.98
"""The same, of an ONNX file in less than float32 on another machine: it was compared on footage where it was made, for
which its ranges were chosen. But sums of int8 products overflow on CPUs without an instruction for them."""


def rank_correlation(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Returns Spearman's correlation of two arrays of one shape; not a number where one holds a value that is none."""
    scores = [some.astype(np.float64).ravel() for some in (found, expected)]
    if not all(np.isfinite(some).all() for some in scores):
        return float("nan")
    return float(np.corrcoef(_core.rank(scores[0]), _core.rank(scores[1]))[0, 1])


def check_agreement(agreement: float, precision: str, out: object, of: str = "the scores' rank correlation") -> None:
    """Refuses an engine in less than float32 that changes the order of the frames.

    Args:
        agreement: the rank correlation of its scores with those of float32.
        precision: what it computes in.
        out: how the sentence names it.
        of: what the sentence calls the agreement.

    Raises:
        ModelError: the correlation is too low, or not a number.
    """
    if not agreement >= LEAST_AGREEMENT:  # also where it is not a number
        raise ModelError(
            f"{out} was not written: in {precision} {of} with float32 is {agreement:.4f}, below {LEAST_AGREEMENT}"
        )


def agreement_in_order(found: NDArray[Any], expected: NDArray[Any]) -> Agreement:
    """Compares two engines by the order into which their errors put the frames of the same footage."""
    if found.shape != expected.shape or not np.isfinite(found).all():
        return Agreement("other shapes, or not finite", enough=False)
    correlation = rank_correlation(found, expected)
    ours, theirs = (errors.astype(np.float64) for errors in (found, expected))
    furthest = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    words = f"{correlation:.6f}, {furthest:.0e} off"
    return Agreement(words, correlation >= LEAST_AGREEMENT, correlation >= LEAST_AGREEMENT_ELSEWHERE)
