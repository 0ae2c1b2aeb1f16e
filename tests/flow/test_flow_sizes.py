"""Resizing by area against OpenCV; RAFT's padding and memory, which need no PyTorch."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from pixelfast.flow.raft_memory import MEMORY_BYTES, padded_size, pair_bytes, pairs_within
from pixelfast.flow.raft_network import area_weights


@pytest.mark.parametrize(
    ("source", "target"), [(64, 64), (128, 64), (360, 64), (240, 64), (150, 64), (65, 64), (97, 8)]
)
def test_area_is_that_of_opencv(source: int, target: int) -> None:
    weights = area_weights(source, target)
    assert (weights.dtype, weights.shape) == (np.float32, (target, source))
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    line = np.random.default_rng(0).uniform(0, 255, (source, 3)).astype(np.float32)
    expected = cv2.resize(line, (3, target), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(weights @ line, expected, atol=1e-3)


@pytest.mark.parametrize(("source", "target"), [(1, 64), (40, 64), (63, 64), (3, 8)])
def test_area_that_grows_is_that_of_opencv(source: int, target: int) -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (source, source)).astype(np.float32)
    weights = area_weights(source, target)
    expected = cv2.resize(picture, (target, target), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(weights @ picture @ weights.T, expected, atol=1e-3)


def test_area_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        area_weights(0, 64)


def test_sides_are_padded_to_eights_and_at_least_128() -> None:
    assert padded_size(128, 128) == (128, 128)
    assert padded_size(1, 129) == (128, 136)
    assert padded_size(360, 640) == (360, 640)
    assert padded_size(1080, 1917) == (1080, 1920)


def test_pairs_stay_within_memory() -> None:
    assert [pairs_within(MEMORY_BYTES, *size) for size in ((128, 128), (240, 360), (360, 640))] == [99, 17, 2]
    assert pairs_within(0, 128, 128) == pairs_within(MEMORY_BYTES, 2160, 3840) == 1
    for size in ((128, 128), (240, 360), (360, 640)):
        assert pairs_within(10 * pair_bytes(*size), *size) == 10
    # More than the correlations alone, four levels of them.
    assert pair_bytes(360, 640) > 3600**2 * 4 * (1 + 1 / 4 + 1 / 16 + 1 / 64)


def test_sizes_need_no_torch() -> None:
    code = "import sys, pixelfast.flow.engine, pixelfast.flow.raft_memory; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
