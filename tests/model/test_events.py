"""How often normal footage gives events: against runs that are counted one by one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_models import measure
from pixelfast.errors import ArgumentError
from pixelfast.model.events import MOST_HOURS, EventCurve, EventRate

PIECES = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=30), min_size=1, max_size=4)


def runs(pieces: list[list[int]], level: float) -> int:
    """The runs above a level, counted one by one."""
    found = 0
    for piece in pieces:
        inside = False
        for value in piece:
            found += value > level and not inside
            inside = value > level
    return found


@given(PIECES)
def test_above_a_kept_level_there_are_at_most_so_many_events_and_just_below_more(pieces: list[list[int]]) -> None:
    curve = EventCurve.of([np.array(piece, np.float64) for piece in pieces], fps=25.0)
    assert curve.is_sound()
    lowest = min(map(min, pieces))
    for count, level in zip(curve.counts, curve.levels, strict=True):
        assert all(runs(pieces, higher) <= count for higher in np.arange(level, 10, 0.5))
        assert level == lowest or runs(pieces, level - 0.5) > count
    assert curve.counts[-1] == max(runs(pieces, level) for level in np.arange(lowest - 0.5, 10, 0.5))


@pytest.mark.parametrize("shape", [0.5, 1.0, 4.0])
def test_a_level_for_a_rate_gives_that_rate_on_other_footage(shape: float) -> None:
    rng = np.random.default_rng(0)
    curve = EventCurve.of([rng.gamma(shape, 1, 20_000)], fps=25.0)
    other = rng.gamma(shape, 1, 4_000_000)
    for rate, factor in (("1/50frames", 1.2), ("1/500frames", 1.5), ("1/1000frames", 1.5), ("1/100000frames", 3.0)):
        asked = EventRate.parse(rate)
        level = curve.level(asked)
        seen = np.count_nonzero(np.diff((other > level).astype(int)) == 1) / len(other)
        assert 1 / factor < seen / asked.a_frame(25.0) < factor, (rate, seen)
        assert curve.often(np.array([level]))[0] == pytest.approx(asked.a_frame(25.0), rel=1e-6)


@pytest.mark.parametrize(
    ("text", "a_frame"),
    [
        ("1/hour", 1 / 36_000),
        ("3/day", 3 / 864_000),
        ("1/500frames", 1 / 500),
        ("1/500 frames", 1 / 500),
        ("2/frame", 2.0),
        ("0.5/10minutes", 0.5 / 6000),
        ("1 / Week", 1 / 6_048_000),
        ("10/seconds", 1.0),
    ],
)
def test_a_rate_is_read_as_it_is_written(text: str, a_frame: float) -> None:
    assert EventRate.parse(text).a_frame(10.0) == pytest.approx(a_frame)


@pytest.mark.parametrize(
    "text", ["", "hour", "1", "1/", "0/hour", "1/0hours", "-1/hour", "1/moon", "1/hour/day", "nan/hour"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match="alarm_rate must be events in some time or frames, as 1/hour"):
        EventRate.parse(text)


def test_beyond_the_highest_event_it_is_extrapolated_and_rarer_and_rarer() -> None:
    curve = EventCurve.of([np.random.default_rng(1).exponential(size=50_000)], fps=None)
    high = curve.levels[0]
    assert not curve.is_beyond(math.nextafter(high, 0))
    assert curve.is_beyond(high)
    hours = [curve.hours(high + more) for more in (0, 1, 2, 4, 8)]
    assert hours == sorted(hours)
    assert curve.hours(curve.levels[10]) == pytest.approx(50_000 / 25 / 3600 / 10, rel=0.5)  # ten times in all
    assert curve.hours(high + 1e6) == MOST_HOURS


@pytest.mark.parametrize("values", [np.zeros(1), np.full(50, 3.0), np.arange(50.0)])
def test_footage_with_hardly_an_event_still_gives_a_level(values: np.ndarray) -> None:
    curve = EventCurve.of([values], fps=25.0)
    level = curve.level(EventRate.parse("1/hour"))
    assert math.isfinite(level)
    assert level >= values.max()


def test_a_calibration_sets_its_threshold_by_the_rate() -> None:
    calibration = measure(np.random.default_rng(2).gamma(2, 1, 5000))
    assert calibration.events is not None
    assert (
        calibration.threshold
        == calibration.threshold_at("1/hour")
        == calibration.events.level(EventRate.parse("1/hour"))
    )
    rates = ["1/100frames", "1/minute", "1/hour", "3/day", "1/week"]
    levels = [calibration.threshold_at(rate) for rate in rates]
    assert levels == sorted(levels)
