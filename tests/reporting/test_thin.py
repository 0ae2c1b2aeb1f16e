"""Fewer points for the eye, against a plain loop: no peak is lost."""

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pixelfast.reporting.thin import runs, thinned

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300).map(np.array)


@given(VALUES, st.integers(1, 40))
def test_each_column_keeps_its_lowest_and_its_highest(values: np.ndarray, columns: int) -> None:
    at = thinned(values, columns)
    assert np.all(np.diff(at) > 0)
    assert len(at) <= 2 * columns + 2
    length = 1 if len(values) <= 2 * columns else -(-len(values) // columns)
    for start in range(0, len(values), length):
        column = values[start : start + length]
        kept = values[at[(at >= start) & (at < start + length)]]
        assert (kept.min(), kept.max()) == (column.min(), column.max())


@given(VALUES, st.integers(1, 40))
def test_both_ends_and_the_highest_of_all_stay(values: np.ndarray, columns: int) -> None:
    at = thinned(values, columns)
    assert (at[0], at[-1]) == (0, len(values) - 1)
    assert int(values.argmax()) in at


def test_few_values_all_stay() -> None:
    assert thinned(np.arange(20.0), 10).tolist() == list(range(20))


def test_a_lone_spike_in_three_hundred_thousand_frames_is_there() -> None:
    values = np.zeros(300_000)
    values[123_457] = 1
    assert 123_457 in thinned(values, 100)


@given(st.lists(st.booleans(), max_size=60))
def test_runs_are_those_of_a_plain_loop(marked: list[bool]) -> None:
    groups = [(is_marked, [at for at, _ in some]) for is_marked, some in groupby(enumerate(marked), lambda one: one[1])]
    expected = [[some[0], some[-1]] for is_marked, some in groups if is_marked]
    assert runs(np.array(marked, np.bool_)).tolist() == expected


def test_runs_that_are_near_are_one() -> None:
    marked = np.array([1, 0, 0, 1, 0, 0, 0, 1], np.bool_)
    assert runs(marked, near=3).tolist() == [[0, 3], [7, 7]]
