"""The noise estimate against SciPy's convolution, and against noise whose strength is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import convolve

from pixelfast import _core

MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])


def plain_sigma(frame: NDArray[np.uint8]) -> float:
    """Immerkaer 1996, formula by formula."""
    height, width = frame.shape
    answers = convolve(frame.astype(np.int64), MASK)[1:-1, 1:-1]
    return float(np.sqrt(np.pi / 2) * np.abs(answers).sum() / (6 * (width - 2) * (height - 2)))


@given(st.integers(0, 4), st.integers(3, 40), st.integers(3, 70), st.integers(0, 99))
def test_equals_its_formula(count: int, height: int, width: int, seed: int) -> None:
    frames = np.random.default_rng(seed).integers(0, 256, (count, height, width), np.uint8)
    sigma = _core.noise_sigma(frames, threads=2)
    assert (sigma.shape, sigma.dtype) == ((count,), np.float32)
    np.testing.assert_allclose(sigma, [plain_sigma(frame) for frame in frames], rtol=1e-6)


@pytest.mark.parametrize("strength", [2.0, 5.0, 12.0, 25.0])
def test_finds_the_strength_of_gaussian_noise(strength: float) -> None:
    """On a slope with an edge, which the mask does not take for noise."""
    rows, columns = np.mgrid[0:128, 0:128]
    scene = 90 + 0.3 * rows + 20 * (columns > 64)
    noise = np.random.default_rng(0).normal(0, strength, (8, 128, 128))
    frames = (scene + noise).round().clip(0, 255).astype(np.uint8)
    assert _core.noise_sigma(frames) == pytest.approx(np.full(8, strength), rel=0.06)


def test_a_frame_without_noise_has_none() -> None:
    slope = np.tile(np.arange(100, dtype=np.uint8), (50, 1))
    assert _core.noise_sigma(np.stack([slope, np.full_like(slope, 9)])).tolist() == [0.0, 0.0]


def test_turning_a_frame_changes_nothing() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (5, 30, 40), np.uint8)
    np.testing.assert_array_equal(_core.noise_sigma(frames), _core.noise_sigma(frames[:, ::-1].copy()))


def test_frames_below_the_mask_are_refused() -> None:
    with pytest.raises(ValueError, match="frames must be at least 3x3 pixels, not 2x9"):
        _core.noise_sigma(np.zeros((4, 2, 9), np.uint8))
