"""Calibration: thresholds and tails against the held-out frames themselves."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_models import measure
from pixelfast.errors import ModelError


def test_where_no_events_were_counted_the_threshold_is_the_quantile_of_held_out_frames() -> None:
    values = np.random.default_rng(0).gamma(2, 1, 5000)
    assert replace(measure(values), events=None).threshold == np.quantile(values, 0.999)


def test_the_tail_is_the_share_of_frames_at_or_above() -> None:
    values = np.random.default_rng(1).gamma(2, 1, 20_000)
    calibration = measure(values)
    asked = np.concatenate([values[:500], np.linspace(-1, 30, 200)])
    share = (values >= asked[:, None]).mean(axis=1)
    tail = calibration.tail(asked)
    assert np.abs(tail - share).max() < 0.004  # between quantiles a hundredth apart
    high = asked > np.quantile(values, 0.99)
    assert np.abs(tail - share)[high].max() < 0.0004
    assert calibration.tail(np.array([values.max(), np.nextafter(values.max(), 99), values.min()])).tolist() == [
        pytest.approx(1 / 20_000),
        0,
        1,
    ]


def test_the_tail_is_the_same_by_any_number_of_threads() -> None:
    values = np.random.default_rng(2).gamma(2, 1, 150_000)  # more than the blocks that threads take
    calibration = measure(values[:5000])
    expected = np.concatenate([calibration.tail(values[start : start + 1000]) for start in range(0, len(values), 1000)])
    for threads in (None, 1, 2, 3):
        assert np.array_equal(calibration.tail(values, threads), expected)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.lists(st.floats(-1, 6), min_size=1))
def test_the_tail_falls_from_one_to_zero(values: list[int], asked: list[float]) -> None:
    held_out = np.array(values, dtype=np.float64)
    tail = measure(held_out).tail(np.sort(asked))
    assert np.all((tail >= 0) & (tail <= 1))
    assert np.all(np.diff(tail) <= 1e-12)
    assert measure(held_out).tail(np.array([held_out.min(), held_out.max() + 1])).tolist() == [1, 0]


def test_the_tail_is_exact_at_each_measured_frame_where_quantiles_are_dense() -> None:
    values = np.arange(101.0)
    assert np.allclose(measure(values).tail(values), (101 - np.arange(101)) / 101)
    tied = np.repeat([0.0, 1.0, 2.0], [50, 40, 11])
    assert np.allclose(measure(tied).tail(np.array([0.0, 1.0, 2.0])), [1, 51 / 101, 11 / 101])


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [np.inf]])
def test_a_calibration_needs_finite_scores(values: list[float]) -> None:
    with pytest.raises(ModelError, match=r"ae\.onnx cannot be calibrated: it needs finite scores"):
        measure(np.array(values))
