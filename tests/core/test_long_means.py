"""Centred means beyond any footage: a sentence, where there was no memory and the process ended."""

import numpy as np
import pytest

from pixelfast import _core


@pytest.mark.parametrize("size", [2**20 + 1, 10**12 + 1, 2**63 - 1])
def test_a_mean_of_more_than_a_million_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"size must be at most 1048576, not {size}"):
        _core.smooth(np.zeros(4), np.array([4], np.int64), size)


def test_a_mean_of_many_videos_length_is_near_the_videos_own() -> None:
    values = np.arange(10.0)
    np.testing.assert_allclose(_core.smooth(values, np.array([10], np.int64), 2**20 - 1), 4.5, atol=1e-4)
