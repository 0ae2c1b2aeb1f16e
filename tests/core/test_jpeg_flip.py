"""Turning JPEGs upside down, without loss where the height allows it."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from pictures import picture
from pixelfast import _core


def jpeg(image: Image.Image, **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG", **{"quality": 90, **options})
    return data.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def luma(data: bytes) -> NDArray[np.uint8]:
    image = Image.open(io.BytesIO(data))
    image.draft("L", image.size)
    return np.asarray(image.convert("L"))


@pytest.mark.parametrize(("subsampling", "height"), [(0, 40), (1, 40), (2, 48), ("grey", 40)])
@pytest.mark.parametrize("width", [64, 61])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_height_of_whole_blocks_loses_nothing(
    subsampling: int | str, height: int, width: int, progressive: bool
) -> None:
    image = picture(height, width)
    options = {} if subsampling == "grey" else {"subsampling": subsampling}
    data = jpeg(image.convert("L") if subsampling == "grey" else image, progressive=progressive, **options)

    flipped, lossless = _core.flip_jpeg(data)

    assert lossless
    # Pixels may differ by a rounding of the inverse transform; coefficients do not: turned back, all is as it was.
    assert np.abs(luma(flipped).astype(int) - luma(data)[::-1]).max() <= 1
    again, _ = _core.flip_jpeg(flipped)
    np.testing.assert_array_equal(np.asarray(opened(again)), np.asarray(opened(data)))


@pytest.mark.parametrize(("subsampling", "height"), [(0, 41), (1, 41), (2, 40), ("grey", 41)])
def test_another_height_is_coded_again_in_its_own_way(subsampling: int | str, height: int) -> None:
    image = picture(height, 64)
    options = {} if subsampling == "grey" else {"subsampling": subsampling}
    data = jpeg(image.convert("L") if subsampling == "grey" else image, **options)

    flipped, lossless = _core.flip_jpeg(data, 95)

    before, after = opened(data), opened(flipped)
    assert not lossless
    assert (before.size, before.mode) == (after.size, after.mode)
    assert JpegImagePlugin.get_sampling(before) == JpegImagePlugin.get_sampling(after)
    assert np.abs(luma(flipped).astype(int) - luma(data)[::-1]).mean() < 1.5


def test_quality_counts_where_it_is_coded_again() -> None:
    data = jpeg(picture(41, 64))

    assert len(_core.flip_jpeg(data, 30)[0]) < len(_core.flip_jpeg(data, 95)[0])
    assert _core.flip_jpeg(data)[0] == _core.flip_jpeg(data, 95)[0]


@pytest.mark.parametrize("height", [48, 41])
def test_markers_are_kept(height: int) -> None:
    exif = Image.Exif()
    exif[0x010E] = "the north gate"
    data = jpeg(picture(height, 64), exif=exif, comment=b"camera 7", icc_profile=b"profile" * 20_000)

    flipped, _ = _core.flip_jpeg(data)

    after = opened(flipped)
    assert after.getexif()[0x010E] == "the north gate"
    assert after.info["comment"] == b"camera 7"
    assert after.info["icc_profile"] == b"profile" * 20_000


@pytest.mark.parametrize("height", [40, 41])
@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_other_color_spaces_stay(mode: str, height: int) -> None:
    options = {"keep_rgb": True, "subsampling": 0} if mode == "RGB" else {}
    data = jpeg(picture(height, 64).convert(mode), **options)

    flipped, _ = _core.flip_jpeg(data)

    before, after = opened(data), opened(flipped)
    assert (before.mode, before.layer) == (after.mode, after.layer)  # type: ignore[attr-defined]
    assert np.abs(np.asarray(after).astype(int) - np.asarray(before)[::-1]).mean() < 2


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xd8\xff", jpeg(picture(40, 40))[:300]])
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a JPEG that can be turned"):
        _core.flip_jpeg(data)


@pytest.mark.parametrize("height", [48, 41])
def test_a_truncated_jpeg_is_refused(height: int) -> None:
    data = jpeg(picture(height, 64))

    with pytest.raises(ValueError, match="not a JPEG that can be turned"):
        _core.flip_jpeg(data[: len(data) * 2 // 3])


@pytest.mark.parametrize("quality", [0, 101, -1])
def test_a_quality_out_of_range_is_refused(quality: int) -> None:
    with pytest.raises(ValueError, match="quality must be from 1 to 100"):
        _core.flip_jpeg(jpeg(picture(8, 8)), quality)


SAMPLES = [jpeg(picture(height, 40), **options) for height in (48, 41) for options in ({}, {"progressive": True})]


@settings(max_examples=200, deadline=None)
@given(
    data=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    kept=st.floats(0, 1),
)
def test_no_damage_crashes(data: bytes, changes: list[tuple[float, int]], kept: float) -> None:
    bent = bytearray(data)
    for place, value in changes:
        bent[int(place * len(bent))] = value
    try:
        flipped, lossless = _core.flip_jpeg(bytes(bent[: int(kept * len(bent)) + 1]))
    except ValueError as error:
        assert str(error)
    else:
        assert flipped.startswith(b"\xff\xd8")
        assert isinstance(lossless, bool)
