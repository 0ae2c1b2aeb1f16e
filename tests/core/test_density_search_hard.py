"""Queries that few of the known points can be ruled out for: they are compared with all, and the result is the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pixelfast import _core

F32 = np.float32


def squared_away(queries: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Squared distances [N, M], difference by difference."""
    return ((queries[:, None].astype(float) - points[None].astype(float)) ** 2).sum(-1)


def assert_nearest(points: NDArray[np.float32], queries: NDArray[np.float32]) -> None:
    """One thread and many, all at once and each alone: to the bit; and near what float64 says."""
    known = _core.Exemplars(points)
    found = known.nearest(queries, threads=2)
    wanted = np.sqrt(squared_away(queries, points).min(-1))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert found.tobytes() == known.nearest(queries, threads=1).tobytes()
    alone = [known.nearest(query[None], threads=1)[0] for query in queries]
    assert found.tobytes() == np.array(alone, F32).tobytes()


@given(st.integers(1, 60), st.integers(1, 900), st.integers(1, 70), st.integers(0, 999))
def test_points_without_order(dims: int, count: int, queries: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert_nearest(rng.random((count, dims), F32), rng.random((queries, dims), F32))


@pytest.mark.parametrize("offset", [0, 100, 30_000])
@pytest.mark.parametrize("scale", [1e-3, 1, 1e3])
def test_far_from_the_origin_and_close_together(offset: float, scale: float) -> None:
    rng = np.random.default_rng(0)
    points, queries = scale * (rng.normal(0, 1, (700, 34)) + offset), scale * (rng.normal(0, 1, (90, 34)) + offset)
    assert_nearest(points.astype(F32), queries.astype(F32))


def test_queries_between_and_beyond_points_that_nearly_coincide() -> None:
    rng = np.random.default_rng(0)
    middles = rng.normal(0, 1, (4, 20))
    points = (np.repeat(middles, 200, 0) + rng.normal(0, 1e-5, (800, 20))).astype(F32)
    queries = np.concatenate([points[::40], 1000 * middles, rng.normal(0, 1, (30, 20))]).astype(F32)
    assert_nearest(points, queries)


def test_what_overflows_is_infinitely_far() -> None:
    points = np.array([[-3e38, 0], [3e38, 1]], F32)
    assert np.isinf(_core.Exemplars(points).nearest(np.array([[0, 3e38]], F32))).all()
