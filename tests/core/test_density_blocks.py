"""How blocks move and look, against the recipe's plain way in NumPy and OpenCV."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from oracles import density as plain
from pixelfast import _core

SIDE, BLOCKS = st.integers(32, 400), st.integers(2, 40)
SPEED = st.floats(-8, 8, width=16)


def drawn_flow(height: int, width: int, seed: int) -> NDArray[np.float32]:
    """Smooth flow with a part that stands still."""
    flow = np.random.default_rng(seed).normal(0, 4, (2, height, width, 2)).astype(np.float32)
    flow = np.stack([cv2.GaussianBlur(frame, (0, 0), 3) for frame in flow])
    flow[:, : height // 4] = 0
    return flow


def assert_near(found: NDArray[np.float32], wanted: NDArray[np.float64], floor: float = 1e-6) -> None:
    """To 1e-4 of the largest value of each channel."""
    assert (found.shape, found.dtype) == (wanted.shape, np.float32)
    off = np.abs(found - wanted).max((0, 1, 2))
    assert (off <= 1e-4 * wanted.max((0, 1, 2)) + floor).all(), off


def plain_motion(flow: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float64]:
    size = (flow.shape[2] // 2, flow.shape[1] // 2)
    halved = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in flow]
    return np.stack([plain.moving_blocks(frame, rows, columns) for frame in halved])


@given(SIDE, SIDE, BLOCKS, BLOCKS, st.integers(0, 99))
@example(240, 360, 20, 30, 0)
@example(33, 57, 7, 9, 0)  # odd sizes
@example(72, 318, 40, 25, 0)  # more blocks down than pixels
def test_motion_equals_the_plain_way(height: int, width: int, rows: int, columns: int, seed: int) -> None:
    flow = drawn_flow(height, width, seed)
    assert_near(_core.motion_blocks(flow, rows, columns, threads=2), plain_motion(flow, rows, columns))


@given(SIDE, SIDE, BLOCKS, BLOCKS, st.integers(0, 99))
@example(240, 360, 20, 30, 0)
@example(32, 33, 40, 7, 0)
def test_look_equals_the_plain_way(height: int, width: int, rows: int, columns: int, seed: int) -> None:
    frames = np.random.default_rng(seed).integers(0, 256, (2, height, width), np.uint8)
    frames[1] = cv2.GaussianBlur(frames[1], (0, 0), 4)
    wanted = np.stack([plain.looking_blocks(frame, rows, columns) for frame in frames])
    assert_near(_core.look_blocks(frames, rows, columns, threads=2), wanted)


@pytest.mark.parametrize(("height", "width"), [(2, 2), (2, 9), (3, 5), (9, 3), (17, 8)])
def test_small_pictures(height: int, width: int) -> None:
    flow = drawn_flow(height, width, 0)
    frames = np.random.default_rng(0).integers(0, 256, (2, height, width), np.uint8)
    assert_near(_core.motion_blocks(flow, 1, 1), plain_motion(flow, 1, 1))
    wanted = np.stack([plain.looking_blocks(frame, 2, 2) for frame in frames])
    # Blurred, there is next to nothing left of two pixels: what float32 leaves of 255 levels shows.
    assert_near(_core.look_blocks(frames, 2, 2), wanted, floor=1e-4)


@given(st.integers(2, 60), st.integers(2, 60), BLOCKS, BLOCKS, st.tuples(SPEED, SPEED))
def test_even_motion_is_the_same_in_each_block(
    height: int, width: int, rows: int, columns: int, speed: tuple[float, float]
) -> None:
    flow = np.full((1, height, width, 2), speed, np.float32)
    x, y = flow[0, 0, 0]
    found = _core.motion_blocks(flow, rows, columns)
    np.testing.assert_allclose(found[..., 8], np.hypot(x, y), rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(found - found[:, :1, :1], 0, atol=1e-5 * (1 + np.hypot(x, y)))
    turned = _core.motion_blocks(-flow, rows, columns)
    np.testing.assert_allclose(turned[..., :8], np.roll(found[..., :8], 4, -1), rtol=1e-5, atol=1e-12)


@given(st.integers(2, 60), st.integers(2, 60), BLOCKS, BLOCKS, st.integers(0, 255))
def test_nothing_to_see_is_nothing(height: int, width: int, rows: int, columns: int, level: int) -> None:
    assert not _core.look_blocks(np.full((1, height, width), level, np.uint8), rows, columns).any()
    assert not _core.motion_blocks(np.zeros((1, height, width, 2), np.float32), rows, columns).any()


def test_no_frames_give_no_blocks() -> None:
    assert _core.motion_blocks(np.zeros((0, 8, 8, 2), np.float32), 2, 3).shape == (0, 2, 3, 10)
    assert _core.look_blocks(np.zeros((0, 8, 8), np.uint8), 2, 3).shape == (0, 2, 3, 8)


def test_refusals() -> None:
    flow, frames = np.zeros((1, 8, 8, 2), np.float32), np.zeros((1, 8, 8), np.uint8)
    with pytest.raises(TypeError, match=r"flow must be float32 \[N, H, W, 2\], not float64"):
        _core.motion_blocks(flow.astype(float), 2, 2)
    with pytest.raises(ValueError, match=r"flow must be float32 \[N, H, W, 2\], not float32 \[1, 8, 8, 3\]"):
        _core.motion_blocks(np.zeros((1, 8, 8, 3), np.float32), 2, 2)
    with pytest.raises(ValueError, match="flow must have at least 2x2 pixels, not 1x8"):
        _core.motion_blocks(flow[:, :1].copy(), 1, 2)
    with pytest.raises(ValueError, match="rows and columns must be 1 to 1024, not 0 and 2"):
        _core.motion_blocks(flow, 0, 2)
    with pytest.raises(TypeError, match=r"frames must be uint8 \[N, H, W\], not float32"):
        _core.look_blocks(frames.astype(np.float32), 2, 2)
    with pytest.raises(ValueError, match=r"frames must be uint8 \[N, H, W\], not uint8 \[8, 8\]"):
        _core.look_blocks(frames[0], 2, 2)
    with pytest.raises(ValueError, match="rows and columns must be 1 to 1024, not 2 and 99999999"):
        _core.look_blocks(frames, 2, 99_999_999)
    flow[0, 7, 7, 1] = np.nan
    with pytest.raises(ValueError, match=r"flow must be finite, but flow\[127\] is NaN"):
        _core.motion_blocks(flow, 2, 2)
