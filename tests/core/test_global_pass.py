"""Normalising, smoothing and ranking, against NumPy and SciPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.stats import rankdata

from pixelfast import _core

Values = NDArray[np.floating[Any]]
DTYPES = (np.float32, np.float64)
PERCENTILES = (0.0, 0.01, 37.5, 50.0, 99.0, 99.99, 100.0)


def floats(dtype: type, bound: float | None = None) -> st.SearchStrategy[Values]:
    """Finite values with many ties, both zeros, subnormals."""
    width = 32 if dtype is np.float32 else 64
    low, high = (None, None) if bound is None else (-bound, bound)
    one = st.floats(low, high, width=width, allow_nan=False, allow_infinity=False)
    ties = st.sampled_from([-0.0, 0.0, 1.0, -2.5])
    return hnp.arrays(dtype, st.integers(1, 300), elements=one | ties)


either = st.one_of(*(floats(dtype) for dtype in DTYPES))
moderate = st.one_of(*(floats(dtype, 1e6) for dtype in DTYPES))


def plain_normalise(raw: Values, percentile: float | None) -> NDArray[np.float64]:
    wide = raw.astype(np.float64)
    top = wide.max() if percentile is None else np.percentile(wide, percentile)
    return np.clip((wide - wide.min()) / (top - wide.min() + 1e-8), 0, 1)


def plain_smooth(values: Values, lengths: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    videos = np.split(values.astype(np.float64), np.cumsum(lengths)[:-1])
    return np.concatenate([uniform_filter1d(video, size, mode="reflect") if len(video) else video for video in videos])


def shapes_of_data(count: int) -> dict[str, Values]:
    """Values as they come and as they should not: every path of the sort is taken."""
    rng = np.random.default_rng(7)
    close = 1 + rng.random(count) * 1e-7
    close[[3, count // 2]] = 1e30, -1e30
    return {
        "scores": rng.gamma(2, 0.01, count),
        "normal": rng.normal(size=count),
        "rounded": rng.gamma(2, 0.01, count).round(4),
        "few": rng.integers(-2, 3, count).astype(float),
        "one": np.full(count, 0.25),
        "steep": np.exp(rng.normal(size=count) * 12),
        "close": close,
        "sorted": np.sort(rng.random(count)),
        "mixed": np.where(rng.random(count) < 0.5, rng.integers(0, 700, count), rng.random(count) * 700),
    }


MANY = shapes_of_data(600_000)


@given(either)
def test_rank_is_scipys_to_the_bit(values: Values) -> None:
    ranks = _core.rank(values, threads=2)
    assert ranks.dtype == np.float64
    np.testing.assert_array_equal(ranks, rankdata(values.astype(np.float64)) / len(values))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", MANY)
def test_rank_of_many_is_scipys_to_the_bit(kind: str, dtype: type) -> None:
    values = MANY[kind].astype(dtype)
    np.testing.assert_array_equal(_core.rank(values, threads=2), rankdata(values.astype(np.float64)) / len(values))


@given(either, st.randoms())
def test_rank_follows_the_values_in_any_order(values: Values, random: Any) -> None:
    order = list(range(len(values)))
    random.shuffle(order)
    np.testing.assert_array_equal(_core.rank(values[order]), _core.rank(values)[order])


def test_rank_takes_both_zeros_for_one() -> None:
    assert _core.rank(np.array([0.0, -0.0, 1.0, -1.0])).tolist() == [0.625, 0.625, 1.0, 0.25]


@given(moderate, st.sampled_from([*PERCENTILES, None]))
def test_normalise_equals_numpy(raw: Values, percentile: float | None) -> None:
    scores = _core.normalise(raw, percentile, threads=2)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, plain_normalise(raw, percentile), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", MANY)
def test_normalise_of_many_is_numpys_to_the_bit(kind: str, dtype: type) -> None:
    raw = MANY[kind].astype(dtype)
    for percentile in (*PERCENTILES, None):
        np.testing.assert_array_equal(_core.normalise(raw, percentile, threads=2), plain_normalise(raw, percentile))


def test_normalise_takes_the_methods_percentile() -> None:
    raw = MANY["scores"]
    np.testing.assert_array_equal(_core.normalise(raw), _core.normalise(raw, 99.99))
    assert 0 < (_core.normalise(raw) == 1).mean() < 2e-4


@pytest.mark.parametrize("percentile", [-1.0, 100.5, np.nan])
def test_normalise_refuses_a_percentile_out_of_range(percentile: float) -> None:
    with pytest.raises(ValueError, match="percentile must lie between 0 and 100"):
        _core.normalise(np.zeros(3), percentile)


@given(st.data())
def test_smooth_equals_scipy(data: st.DataObject) -> None:
    """Videos shorter than the filter included."""
    lengths = np.array(data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=6)), np.int64)
    size = data.draw(st.integers(0, 45)) * 2 + 1
    dtype = data.draw(st.sampled_from(DTYPES))
    values = np.random.default_rng(data.draw(st.integers(0, 99))).random(lengths.sum()).astype(dtype)

    smoothed = _core.smooth(values, lengths, size, threads=2)

    assert smoothed.dtype == np.float64
    np.testing.assert_allclose(smoothed, plain_smooth(values, lengths, size), rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [1, 3, 5, 7, 9, 11, 255, 4097, 30_001])
def test_smooth_of_long_videos_equals_scipy(size: int) -> None:
    lengths = np.array([25_000, 1, 4_096, 0, 2_047], np.int64)
    values = np.random.default_rng(0).random(lengths.sum())
    np.testing.assert_allclose(
        _core.smooth(values, lengths, size, threads=2), plain_smooth(values, lengths, size), rtol=0, atol=1e-12
    )


def test_smooth_of_many_short_videos() -> None:
    lengths = np.full(30_000, 2, np.int64)
    values = np.random.default_rng(0).random(60_000)
    # d c b a | a b c d: of three values at the edge of two frames, one counts twice.
    pairs = values.reshape(-1, 2)
    expected = (pairs * 2 + pairs[:, ::-1]) / 3
    np.testing.assert_allclose(_core.smooth(values, lengths, 3, threads=2), expected.ravel(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("lengths", "size", "sentence"),
    [
        ([4], 2, "size must be odd and at least 1, not 2"),
        ([4], 0, "size must be odd and at least 1, not 0"),
        ([3], 3, "lengths must add up to the 4 values, not to 3"),
        ([5, -1], 3, r"lengths must not be negative, but lengths\[1\] is -1"),
        ([2**62, 2**62, 2**62], 3, "lengths must add up to the 4 values"),
    ],
)
def test_smooth_refuses(lengths: list[int], size: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        _core.smooth(np.zeros(4), np.array(lengths), size)


CALLS: dict[str, Callable[[Values], NDArray[np.float64]]] = {
    "values": _core.rank,
    "raw": _core.normalise,
    "values ": lambda values: _core.smooth(values, np.array([len(values)]), 3),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("bad", "word"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "-inf")])
@pytest.mark.parametrize("place", [0, 65_536, 199_999])
def test_the_first_value_that_is_not_finite_is_named(name: str, dtype: type, bad: float, word: str, place: int) -> None:
    values = np.ones(200_000, dtype)
    values[place::70_000] = bad
    argument = name.strip()
    with pytest.raises(ValueError, match=rf"^{argument} must be finite, but {argument}\[{place}\] is {word}$"):
        CALLS[name](values)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_and_one_value(name: str, dtype: type) -> None:
    assert CALLS[name](np.zeros(0, dtype)).shape == (0,)
    assert CALLS[name](np.full(1, 7, dtype)).shape == (1,)


def test_one_value() -> None:
    seven = np.array([7.0])
    assert _core.rank(seven).tolist() == [1.0]
    assert _core.normalise(seven).tolist() == [0.0]
    assert _core.smooth(seven, np.array([1]), 5).tolist() == [7.0]
