"""Luma resized by PyTorch: the bytes of the core's own kernel."""

import numpy as np
import pytest

from pixelfast import _core
from pixelfast.sources.shrink import MOST, LumaShrink, can_shrink

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install '.[nvdec]'")


@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize(
    ("size", "into"),
    [
        ((360, 640), (128, 128)),
        ((1080, 1920), (128, 128)),
        ((96, 128), (96, 128)),
        ((96, 128), (201, 333)),
        ((242, 354), (64, 70)),
        ((720, 1280), (240, 427)),
        ((MOST * 16, MOST * 16), (16, 16)),
        ((2, 2), (1, 1)),
    ],
)
def test_every_byte_is_the_cores(size: tuple[int, int], into: tuple[int, int], limited: bool) -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (4, *size), np.uint8)
    frames[1] = np.indices(size).sum(axis=0) % 256
    frames[2] = 255
    frames[3, ::2] = 0
    planes = [frame.reshape(-1) for frame in frames]
    expected = _core.resize_planes(planes, size[1], size, *into, limited=limited)
    assert can_shrink(size, into)
    small = LumaShrink(size, into, limited=limited, device="cpu")(torch.from_numpy(frames))
    np.testing.assert_array_equal(small.numpy(), expected)


def test_beyond_the_cores_own_bound_it_is_not_for_it() -> None:
    assert can_shrink((MOST * 10, 10), (10, 10))
    assert not can_shrink((MOST * 10 + 1, 10), (10, 10))
    assert not can_shrink((10, MOST * 10 + 1), (10, 10))
