"""How rare a moment is, in words: counted, extrapolated, or beyond all that was seen."""

import re

import numpy as np
import pytest

from pixelfast.model.events import EventCurve
from pixelfast.scores.words import how_often

CURVE = EventCurve.of([np.random.default_rng(0).exponential(size=90_000)], fps=25.0)  # an hour


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5.0, r"normal footage comes this high once in \d+\.\d s"),
        (9.0, r"normal footage comes this high once in \d+ min"),
        (13.0, r"normal footage comes this high once in \d+\.\d hours, extrapolated: none in the 60 min held out did"),
        (17.0, r"normal footage comes this high once in \d+\.\d days, extrapolated: none in the 60 min held out did"),
        (99.0, r"far higher than anything in the 60 min of normal footage that were held out"),
    ],
)
def test_how_often(value: float, said: str) -> None:
    assert re.fullmatch(said, how_often(CURVE, value)), how_often(CURVE, value)
