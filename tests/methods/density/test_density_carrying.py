"""Smoothing along the flow against plain loops, and what the default recipe adds to the one that was found."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from pixelfast.methods.density.carrying import carry
from pixelfast.methods.density.levels import level_by_video
from pixelfast.methods.density.over_time import joined
from pixelfast.methods.density.recipe import DEFAULT, SOURCE

RNG = np.random.default_rng(0)
VALUES = RNG.random((110, 6, 9, 3), np.float32)
MORE = RNG.random((110, 6, 9), np.float32)
FLOW = RNG.normal(0, 1.5, (110, 6, 9, 2)).astype(np.float32)


def plainly(values: np.ndarray, flow: np.ndarray, tau: float, live: bool) -> np.ndarray:
    """Both exponentials over the whole video, one channel and frame after the other, in float64."""
    y, x = np.mgrid[: values.shape[1], : values.shape[2]].astype(np.float64)

    def looked_up(picture: np.ndarray, frame: int, sign: int) -> np.ndarray:
        at = [y + sign * flow[frame, ..., 1], x + sign * flow[frame, ..., 0]]
        return map_coordinates(picture, at, order=1, mode="nearest")

    share, own = 1 / (1 + tau), values.astype(np.float64)
    forward, backward = own.copy(), own.copy()
    for frame in range(1, len(own)):
        forward[frame] = share * own[frame] + (1 - share) * looked_up(forward[frame - 1], frame, -1)
    for frame in range(len(own) - 2, -1, -1):
        backward[frame] = share * own[frame] + (1 - share) * looked_up(backward[frame + 1], frame, 1)
    return forward if live else (forward + backward - share * own) / (2 - share)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("tau", [0.5, 2.0, 3.0])
@pytest.mark.parametrize("frames", [1, 2, 31, 32, 33, 64, 110])
def test_what_moves_takes_its_mean_with_it(frames: int, tau: float, live: bool) -> None:
    values, more, flow = VALUES[:frames], MORE[:frames], FLOW[:frames]
    found = joined(carry([(values, flow, more)], 1, (0, 2), tau, live=live))
    np.testing.assert_array_equal(found[1], flow)
    for channel in range(3):
        np.testing.assert_allclose(found[0][..., channel], plainly(values[..., channel], flow, tau, live), atol=5e-5)
    np.testing.assert_allclose(found[2], plainly(more, flow, tau, live), atol=5e-5)


@pytest.mark.parametrize("piece", [1, 7, 16, 64])
@pytest.mark.parametrize("live", [False, True])
def test_pieces_do_not_matter(piece: int, live: bool) -> None:
    pieces = [(VALUES[at : at + piece], FLOW[at : at + piece]) for at in range(0, 110, piece)]
    cut, whole = (joined(carry(some, 1, (0,), 2.0, live=live)) for some in (pieces, [(VALUES, FLOW)]))
    np.testing.assert_array_equal(cut[0], whole[0])


def test_a_thing_that_moves_fast_keeps_its_value() -> None:
    values, flow = np.zeros((40, 3, 40), np.float32), np.zeros((40, 3, 40, 2), np.float32)
    for frame in range(40):
        values[frame, 1, frame] = 1
        flow[frame, ..., 0] = 1
    [found, _] = joined(carry([(values, flow)], 1, (0,), 2.0))
    np.testing.assert_allclose(found[10, 1, 10], 1, atol=1e-4)
    still = joined(carry([(values, np.zeros_like(flow))], 1, (0,), 2.0))[0]
    assert still[10, 1, 10] < 0.3


def test_times_follow_from_how_long_a_block_takes() -> None:
    slow, fast = DEFAULT.times(40.0, live=False), DEFAULT.times(20.0, live=False)
    assert (slow.motion / fast.motion, slow.place / fast.place, slow.slow / fast.slow) == pytest.approx((2, 2, 2))
    assert DEFAULT.times(1e9, live=False).motion == 3
    assert DEFAULT.times(0.0, live=True).motion == 1
    found = SOURCE.times(7.0, live=False)
    assert (found.motion, found.moves, found.said, found.place, found.slow) == (3, 3, 3, 12, 1500)


def test_no_single_video_decides_a_level() -> None:
    videos = [RNG.random(150).astype(np.float32) + 0.1 for _ in range(10)]
    before = level_by_video(videos)
    np.testing.assert_allclose(before.usual, np.mean([np.median(one) for one in videos]), rtol=1e-6)
    tops = np.array([one.max() for one in videos])
    np.testing.assert_allclose(before.high, tops.mean() + tops.std(), rtol=1e-6)
    for index in range(10):
        without = level_by_video(videos[:index] + videos[index + 1 :])
        assert abs(without.high / before.high - 1) < 0.02
    assert level_by_video([np.zeros(50, np.float32)] * 3) == (0.0, 1.0, 1.0)
