"""The nearest of known points and those that span a place, against plain loops in float64."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from oracles import density as plain
from pixelfast import _core

F32 = np.float32


def clustered(count: int, dims: int, seed: int, scale: float = 1.0) -> NDArray[np.float32]:
    """Points around a few middles, off the origin; some of them twice."""
    rng = np.random.default_rng(seed)
    middles = rng.random((5, dims)) + 0.5
    points = middles[rng.integers(0, 5, count)] + rng.normal(0, 0.1, (count, dims)) * (rng.random(dims) ** 3)
    points[count // 2 :: 3] = points[:1]
    return (scale * points).astype(F32)


def distances(queries: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Difference by difference."""
    away = [np.sqrt(((points.astype(float) - query) ** 2).sum(-1).min()) for query in queries.astype(float)]
    return np.array(away).reshape(len(queries))


@given(
    st.integers(1, 400), st.integers(1, 40), st.integers(0, 300), st.integers(0, 999), st.sampled_from([1e-6, 1, 1e6])
)
@example(4000, 34, 300, 0, 1)
def test_the_nearest_is_the_nearest(count: int, dims: int, queries: int, seed: int, scale: float) -> None:
    points = clustered(count, dims, seed, scale)
    asked = clustered(queries, dims, seed + 1, scale)
    asked[::7] = points[:1]
    found = _core.Exemplars(points).nearest(asked, threads=2)
    assert (found.shape, found.dtype) == ((queries,), F32)
    np.testing.assert_allclose(found, distances(asked, points), rtol=1e-5)
    np.testing.assert_allclose(found, plain.nearest(asked, points), rtol=1e-4, atol=1e-6 * scale)


def test_far_and_uniform_points_are_found_too() -> None:
    rng = np.random.default_rng(0)
    points, asked = rng.random((500, 12), F32), 50 * rng.normal(size=(300, 12)).astype(F32)
    np.testing.assert_allclose(_core.Exemplars(points).nearest(asked), distances(asked, points), rtol=1e-5)
    even = np.ones((100, 3), F32)
    np.testing.assert_allclose(_core.Exemplars(even).nearest(asked[:, :3].copy()), distances(asked[:, :3], even), 1e-5)


@given(st.integers(0, 99))
def test_neither_threads_nor_order_change_a_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, asked = clustered(300, 10, seed), clustered(600, 10, seed + 1)
    known, order = _core.Exemplars(points), rng.permutation(600)
    one = known.nearest(asked, threads=1)
    assert one.tobytes() == known.nearest(asked, threads=7).tobytes()
    assert one[order].tobytes() == known.nearest(asked[order], threads=2).tobytes()
    assert one.tobytes() == _core.Exemplars(rng.permutation(points)).nearest(asked).tobytes()
    assert len(known) == 300
    assert not known.nearest(points).any()


@given(st.integers(0, 40), st.integers(1, 9), st.integers(1, 70), st.integers(1, 40), st.integers(0, 99))
def test_places_have_their_own_exemplars(frames: int, places: int, own: int, dims: int, seed: int) -> None:
    looks = clustered(frames * places, dims, seed).reshape(frames, places, dims)
    exemplars = clustered(places * own, dims, seed + 1).reshape(places, own, dims)
    found = _core.place_distances(looks, exemplars, threads=2)
    assert (found.shape, found.dtype) == ((frames, places), F32)
    for place in range(places):
        np.testing.assert_allclose(found[:, place], distances(looks[:, place], exemplars[place]), rtol=1e-5)


@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 40), st.integers(1, 20), st.integers(0, 99))
def test_the_farthest_come_first(count: int, places: int, dims: int, wanted: int, seed: int) -> None:
    points = np.random.default_rng(seed).random((count, places, dims), F32)
    found = _core.farthest_first(points, wanted, threads=2)
    assert (found.shape, found.dtype) == ((places, wanted, dims), F32)
    for place in range(places):
        chosen = plain.farthest_first(points[:, place].astype(float), wanted).astype(F32)
        assert np.array_equal(found[place, : len(chosen)], chosen)
        assert (found[place, len(chosen) :] == chosen[-1]).all()


def test_of_equals_the_first_is_taken() -> None:
    points = np.array([0, 5, -5, 5], F32).reshape(4, 1, 1)
    assert _core.farthest_first(points, 6).ravel().tolist() == [0, 5, -5, 0, 0, 0]


def test_refusals() -> None:
    points = np.zeros((4, 3), F32)
    with pytest.raises(TypeError, match=r"points must be float32 \[M, D\], not float64 \[4, 3\]"):
        _core.Exemplars(points.astype(float))
    for empty in (points[:0], points[:, :0]):
        with pytest.raises(ValueError, match=r"points must be float32 \[M, D\], not float32"):
            _core.Exemplars(empty)
    with pytest.raises(ValueError, match=r"points must be finite, but points\[0\] is inf"):
        _core.Exemplars(np.full((4, 3), np.inf, F32))
    known = _core.Exemplars(points)
    with pytest.raises(TypeError, match=r"queries must be float32 \[N, D\], not list"):
        known.nearest([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match=r"queries must be \[N, D\], here \[4, 3\], not \[4, 2\]"):
        known.nearest(np.zeros((4, 2), F32))
    with pytest.raises(ValueError, match=r"queries must be finite, but queries\[0\] is NaN"):
        known.nearest(np.full((1, 3), np.nan, F32))
    with pytest.raises(ValueError, match="threads must be at least 1, not 0"):
        known.nearest(points, 0)


def test_refusals_by_place() -> None:
    looks = np.zeros((5, 4, 3), F32)
    with pytest.raises(TypeError, match=r"looks must be float32 \[N, P, D\], not int64"):
        _core.place_distances(looks.astype(int), looks)
    with pytest.raises(ValueError, match=r"exemplars must be \[P, E, D\], here \[4, 2, 3\], not \[5, 2, 3\]"):
        _core.place_distances(looks, np.zeros((5, 2, 3), F32))
    with pytest.raises(ValueError, match="exemplars must be one or more for each of 4 places, of 3 coordinates"):
        _core.place_distances(looks, np.zeros((4, 0, 3), F32))
    with pytest.raises(ValueError, match=r"looks must be finite, but looks\[0\] is NaN"):
        _core.place_distances(np.full((1, 4, 3), np.nan, F32), np.zeros((4, 2, 3), F32))
    with pytest.raises(ValueError, match="points must be one or more at each place"):
        _core.farthest_first(looks[:0], 2)
    with pytest.raises(ValueError, match="count must be 1 to 65536, not 0"):
        _core.farthest_first(looks, 0)
    with pytest.raises(ValueError, match=r"points must be finite, but points\[0\] is inf"):
        _core.farthest_first(np.full((2, 4, 3), np.inf, F32), 2)
