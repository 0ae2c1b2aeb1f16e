"""Planes of a video decoder to frames, against Pillow."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pixelfast import _core

Bytes = NDArray[np.uint8]


def laid_out(frames: NDArray[Any], line: int) -> list[Bytes]:
    """The rows of each frame `line` bytes apart, with white between them that must not be seen."""
    rows = frames.reshape(*frames.shape[:2], -1).view(np.uint8)
    planes = np.full((len(frames), frames.shape[1], line), 255, np.uint8)
    planes[:, :, : rows.shape[2]] = rows
    return [plane.reshape(-1) for plane in planes]


def pillow(frame: Bytes, size: tuple[int, int]) -> NDArray[np.int64]:
    return np.asarray(Image.fromarray(frame).resize(size[::-1], Image.Resampling.BILINEAR)).astype(int)


sides = st.integers(1, 70)


@given(
    st.tuples(sides, sides), st.tuples(sides, sides), st.integers(0, 40), st.sampled_from((1, 2)), st.integers(0, 999)
)
def test_luma_is_resized_as_pillow_does(
    size: tuple[int, int], into: tuple[int, int], pad: int, threads: int, seed: int
) -> None:
    frames = np.random.default_rng(seed).integers(0, 256, (3, *size), dtype=np.uint8)
    planes = laid_out(frames, size[1] + pad)
    made = _core.resize_planes(planes, size[1] + pad, size, *into, threads=threads)
    assert made.shape == (3, *into)
    assert np.abs(made - np.stack([pillow(frame, into) for frame in frames])).max() <= 1


@pytest.mark.parametrize("size", [(1080, 1920), (2160, 3840), (17, 4001)])
def test_large_planes(size: tuple[int, int]) -> None:
    frame = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    made = _core.resize_planes([frame.reshape(-1)], size[1], size, 128, 128)
    assert np.abs(made[0] - pillow(frame, (128, 128))).max() <= 1


@pytest.mark.parametrize("level", [0, 1, 128, 254, 255])
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (128, 128), (4320, 7680)])
def test_an_even_plane_stays_even(level: int, size: tuple[int, int]) -> None:
    plane = np.full(size, level, np.uint8).reshape(-1)
    assert (_core.resize_planes([plane], size[1], size, 16, 16) == level).all()


def test_the_limited_range_is_expanded() -> None:
    ramp = np.arange(256, dtype=np.uint8)[np.newaxis]
    made = _core.resize_planes([ramp[0]], 256, (1, 256), 1, 256, limited=True)
    assert np.abs(made[0] - np.clip((ramp.astype(float) - 16) * 255 / 219, 0, 255)).max() < 0.51


def test_the_limited_range_is_expanded_where_a_picture_shrinks_far() -> None:
    plane = np.full(900 * 900, 126, np.uint8)
    assert (_core.resize_planes([plane], 900, (900, 900), 4, 4, limited=True) == 128).all()


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
def test_deeper_luma_is_rounded(bits: int) -> None:
    ramp = np.linspace(0, 2**bits - 1, 999).astype("<u2")
    made = _core.resize_planes(laid_out(ramp[np.newaxis, np.newaxis], 2100), 2100, (1, 999), 1, 999, bits=bits)
    assert (made[0, 0] == np.minimum((ramp.astype(float) / 2 ** (bits - 8) + 0.5).astype(int), 255)).all()


@pytest.mark.parametrize("color", ["grey", "rgb"])
def test_rgb_is_read_as_a_picture_is(color: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 40, 60, 3), dtype=np.uint8)
    made = _core.resize_planes(laid_out(pixels, 200), 200, (40, 60), 20, 30, color, bits=24)  # type: ignore[arg-type]
    for frame, picture in zip(made, pixels, strict=True):
        grey = Image.fromarray(picture).convert("L" if color == "grey" else "RGB")
        assert np.abs(frame - np.asarray(grey.resize((30, 20), Image.Resampling.BILINEAR)).astype(int)).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_planes_are_turned_as_exif_says(orientation: int) -> None:
    frame = np.random.default_rng(2).integers(0, 256, (24, 36), dtype=np.uint8)
    lying = Image.fromarray(frame)
    exif = lying.getexif()
    exif[274] = orientation
    seen = np.asarray(ImageOps.exif_transpose(lying))
    made = _core.resize_planes([frame.reshape(-1)], 36, (24, 36), *seen.shape, orientation=orientation)
    assert (made[0] == seen).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"bits": 7}, "cannot become"),
        ({"bits": 17}, "cannot become"),
        ({"orientation": 0}, "cannot become"),
        ({"color": "rgb"}, "cannot become"),
        ({"line": 3}, "rows 3 bytes apart"),
        ({"size": (0, 4)}, "says it is 4x0"),
        ({"size": (5, 4)}, "planes of 5x4"),
        ({"size": (2**40, 2**40)}, "more than the limit"),
        ({"height": 0}, "height must be"),
    ],
)
def test_what_does_not_fit_is_refused(wrong: dict[str, Any], says: str) -> None:
    usual = {"planes": [np.zeros(16, np.uint8)], "line": 4, "size": (4, 4), "height": 2, "width": 2}
    with pytest.raises(ValueError, match=says):
        _core.resize_planes(**{**usual, **wrong})
