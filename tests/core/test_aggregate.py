"""From window errors to maps of frames, and to one number a frame, against NumPy."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pixelfast import _core

How = Literal["mean", "max", "median"]
HOWS: tuple[How, ...] = ("mean", "max", "median")
REDUCE: dict[str, Any] = {"mean": np.nanmean, "max": np.nanmax, "median": np.nanmedian}
Errors = NDArray[np.float32]


def window_starts(n_frames: int, window: int, stride: int) -> list[int]:
    """Every `stride` frames, and one that ends with the last frame."""
    last = n_frames - window
    return [*range(0, last, stride), last]


def random_errors(n_frames: int, window: int, stride: int, grid: tuple[int, ...], seed: int = 0) -> Errors:
    windows = len(window_starts(n_frames, window, stride))
    return np.random.default_rng(seed).gamma(2, 0.01, (windows, window, *grid)).astype(np.float32)


def expected(errors: Errors, n_frames: int, stride: int, how: How) -> NDArray[np.float64]:
    """Every window laid on a line of frames of its own, NaN where it is not; then NumPy along the windows."""
    window = errors.shape[1]
    laid = np.full((len(errors), n_frames, *errors.shape[2:]), np.nan)
    for row, values, start in zip(laid, errors, window_starts(n_frames, window, stride), strict=True):
        row[start : start + window] = values
    return REDUCE[how](laid, axis=0)


def streamed(aggregator: _core.OverlapAggregator, errors: Errors, n_frames: int, stride: int, piece: int) -> Errors:
    regular = (n_frames - errors.shape[1]) // stride + 1
    maps = [aggregator.push(errors[first : min(first + piece, regular)]) for first in range(0, regular, piece)]
    anchored = errors[-1] if len(errors) > regular else None
    return np.concatenate([*maps, aggregator.finish(anchored, n_frames)])


def at_once(errors: Errors, n_frames: int, stride: int = 1, how: How = "mean") -> Errors:
    return streamed(_core.OverlapAggregator(errors.shape[1], stride, how), errors, n_frames, stride, len(errors))


@st.composite
def videos(draw: st.DrawFn) -> tuple[int, int, int, tuple[int, ...]]:
    window = draw(st.integers(1, 9))
    n_frames = window + draw(st.integers(0, 30))
    return n_frames, window, draw(st.integers(1, window)), draw(st.sampled_from([(), (1, 1), (3, 3)]))


@given(videos(), st.sampled_from(HOWS), st.integers(0, 99))
def test_equals_numpy(video: tuple[int, int, int, tuple[int, ...]], how: How, seed: int) -> None:
    n_frames, window, stride, grid = video
    errors = random_errors(n_frames, window, stride, grid, seed)

    maps = at_once(errors, n_frames, stride, how)

    assert (maps.shape, maps.dtype) == ((n_frames, *grid), np.float32)
    np.testing.assert_allclose(maps, expected(errors, n_frames, stride, how), rtol=1e-6)


@given(videos(), st.sampled_from(HOWS), st.integers(1, 8))
def test_streaming_gives_the_same_bits(video: tuple[int, int, int, tuple[int, ...]], how: How, piece: int) -> None:
    n_frames, window, stride, grid = video
    aggregator = _core.OverlapAggregator(window, stride, how)
    for seed in (1, 2):  # after finish, a new video
        errors = random_errors(n_frames, window, stride, grid, seed)
        maps = streamed(aggregator, errors, n_frames, stride, piece)
        np.testing.assert_array_equal(maps, at_once(errors, n_frames, stride, how), strict=True)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(("n_frames", "stride"), [(1300, 1), (1301, 4), (1303, 16)])
def test_long_videos(n_frames: int, stride: int, how: How) -> None:
    errors = random_errors(n_frames, 16, stride, (3, 3))
    maps = at_once(errors, n_frames, stride, how)

    np.testing.assert_array_equal(
        streamed(_core.OverlapAggregator(16, stride, how), errors, n_frames, stride, 64), maps
    )
    # NumPy sums in another order: the same in float64 but for its last bits, so in float32 but for the last one.
    np.testing.assert_allclose(maps, expected(errors, n_frames, stride, how), rtol=1.2e-7)


@pytest.mark.parametrize("how", HOWS)
def test_any_number_of_threads_gives_the_same_bits(how: How) -> None:
    """A video a thread, and windows enough for the pool in one of the two ways to push them."""
    errors = random_errors(1515, 16, 1, (7, 7))
    assert errors.size > 2**20 > 100 * errors[0].size
    alone = at_once(errors, 1515, 1, how)
    assert len(np.unique(alone)) > 1
    for threads in (2, 7):
        with ThreadPoolExecutor(threads) as pool:
            pieces = [len(errors), 100, 1] * 5
            for maps in pool.map(
                lambda piece: streamed(_core.OverlapAggregator(16, 1, how), errors, 1515, 1, piece), pieces
            ):
                assert maps.tobytes() == alone.tobytes()


def test_sums_are_of_float64() -> None:
    """In float32 the ones would be lost beside 2**24."""
    errors = np.ones((17, 16), np.float32)
    errors[0] = 2**24
    maps = at_once(errors, 32)
    assert maps[15] == np.float32((2**24 + 15) / 16)


def test_frames_come_out_as_soon_as_no_later_window_can_hold_them() -> None:
    """With a stride above 1 the anchored window may start one frame after the last one."""
    for stride, expected_counts in ((1, [1, 1, 1]), (4, [1, 4, 4])):
        aggregator = _core.OverlapAggregator(8, stride)
        counts = [len(aggregator.push(np.zeros((1, 8, 2, 2), np.float32))) for _ in range(3)]
        assert counts == expected_counts
        assert len(aggregator.finish()) == 8 + 2 * stride - sum(counts)


def test_no_windows_make_no_maps_yet() -> None:
    aggregator = _core.OverlapAggregator(4)
    assert aggregator.push(np.zeros((0, 4, 3, 3), np.float32)).shape == (0, 3, 3)
    assert aggregator.push(np.zeros((1, 4, 3, 3), np.float32)).shape == (1, 3, 3)


@pytest.mark.parametrize("shape", [(4, 3, 3), (1, 4, 3, 3)], ids=str)
def test_the_anchored_window_may_have_a_leading_axis(shape: tuple[int, ...]) -> None:
    aggregator = _core.OverlapAggregator(4, 3)
    aggregator.push(np.zeros((1, 4, 3, 3), np.float32))
    maps = aggregator.finish(np.ones(shape, np.float32), 5)
    assert maps[:, 0, 0].tolist() == [0.5, 0.5, 0.5, 1.0]


def finish(aggregator: _core.OverlapAggregator, *arguments: Any) -> None:
    aggregator.push(np.zeros((2, 4), np.float32))
    aggregator.finish(*arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((None, 8), "anchored is required: 8 frames in windows of 4 at stride 3 leave frames at the end"),
        ((np.zeros(4, np.float32), 7), "anchored must be None: 7 frames"),
        ((np.zeros(4, np.float32), None), "anchored must be None"),
        ((None, 10), "10 frames in windows of 4 at stride 3 make 3 windows before the anchored one, but 2 were pushed"),
        ((None, 3), "n_frames must be at least the window of 4, not 3: pad a shorter video by its last frame"),
        ((np.zeros(5, np.float32), 8), "anchored must have windows of 4 frames, not 5"),
        ((np.zeros((4, 2, 2), np.float32), 8), r"anchored has maps of \[2, 2\], those before had \[\]"),
        ((np.full(4, np.inf, np.float32), 8), r"anchored must be finite, but anchored\[0\] is inf"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_end_that_does_not_fit_is_refused(arguments: tuple[Any, ...], sentence: str) -> None:
    aggregator = _core.OverlapAggregator(4, 3)
    with pytest.raises(ValueError, match=sentence):
        finish(aggregator, *arguments)
    assert len(aggregator.finish(np.zeros(4, np.float32), 8)) == 8 - 4, "the video is still open"


def test_nothing_pushed() -> None:
    with pytest.raises(ValueError, match="finish needs at least one window, but none was pushed"):
        _core.OverlapAggregator(4).finish()


@pytest.mark.parametrize(
    ("windows", "n_frames", "stride", "sentence"),
    [
        (3, 20, 1, "20 frames in windows of 16 at stride 1 make 5 windows before the anchored one, but 3 were pushed"),
        (2, 20, 3, None),
        (1, 20, 3, "20 frames in windows of 16 at stride 3 make 2 windows before the anchored one, but 1 were pushed"),
        (1, 15, 1, "n_frames must be at least the window of 16, not 15"),
        (1, 16, 17, "stride must lie between 1 and the window of 16, not 17"),
        (1, 16, 0, "stride must lie between 1 and the window of 16, not 0"),
        (1, 10**15, 1, "make 999999999999985 windows before the anchored one, but 1 were pushed"),
    ],
)
def test_windows_that_do_not_fit_are_refused(windows: int, n_frames: int, stride: int, sentence: str | None) -> None:
    def maps() -> Errors:
        aggregator = _core.OverlapAggregator(16, stride)
        finished = aggregator.push(np.zeros((windows, 16), np.float32))
        return np.concatenate([finished, aggregator.finish(None if sentence else np.zeros(16, np.float32), n_frames)])

    if sentence is None:
        assert len(maps()) == n_frames
        return
    with pytest.raises(ValueError, match=sentence):
        maps()


def test_what_is_not_finite_is_named_and_changes_nothing() -> None:
    errors = random_errors(40, 16, 1, (2, 2))
    bad = errors.copy()
    bad[3, 5, 1, 0] = np.nan
    place = np.ravel_multi_index((3, 5, 1, 0), bad.shape)
    aggregator = _core.OverlapAggregator(16)
    with pytest.raises(ValueError, match=rf"window_errors\[{place}\] is NaN"):
        aggregator.push(bad)
    np.testing.assert_array_equal(streamed(aggregator, errors, 40, 1, 7), at_once(errors, 40))


def test_maps_of_another_size_are_refused_within_a_video() -> None:
    aggregator = _core.OverlapAggregator(4)
    aggregator.push(np.zeros((1, 4, 2, 2), np.float32))
    with pytest.raises(ValueError, match=r"maps of \[3, 3\], those before had \[2, 2\]"):
        aggregator.push(np.zeros((1, 4, 3, 3), np.float32))


@pytest.mark.parametrize("settings", [(0,), (4, 0), (4, 5), (4, 1, "sum")])
def test_settings_out_of_range_are_refused(settings: Any) -> None:
    with pytest.raises(ValueError, match="must"):
        _core.OverlapAggregator(*settings)


@given(st.integers(0, 400), st.integers(1, 9), st.integers(0, 99))
def test_pool_equals_numpy(count: int, grid: int, seed: int) -> None:
    maps = np.random.default_rng(seed).gamma(2, 0.01, (count, grid, grid)).astype(np.float32)
    cells = maps.reshape(count, grid * grid).astype(np.float64)

    mean, worst = (_core.pool(maps, how, threads=2) for how in ("mean", "worst"))

    assert mean.dtype == worst.dtype == np.float32
    np.testing.assert_allclose(mean, cells.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(worst, np.sort(cells, axis=1)[:, -3:].mean(axis=1), rtol=1e-6)


def test_pool_names_what_is_not_finite() -> None:
    maps = np.zeros((900, 2, 2), np.float32)
    maps[850:, 1, 1] = np.inf
    with pytest.raises(ValueError, match=r"maps must be finite, but maps\[3403\] is inf"):
        _core.pool(maps)
    with pytest.raises(ValueError, match='how must be "mean" or "worst", not "best"'):
        _core.pool(maps, "best")  # type: ignore[arg-type]
