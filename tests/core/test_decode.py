"""Decoding against Pillow, which shares no code with the product but libjpeg-turbo."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pictures import picture
from pixelfast import _core

Frame = NDArray[np.uint8]
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes a picture under a name with Pillow's options and gives its path."""

    def write(name: str, image: Image.Image, **options: Any) -> Path:
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return write


def decode(path: Path, *size: int, color: str = "grey") -> Frame:
    """One file's frame, which must have been read whole."""
    frames, status = _core.decode_frames([path], *size, color=color)
    assert status.tolist() == [0], _core.explain_frame(path)
    return frames[0]


def luma(path: Path) -> Frame:
    """The Y plane as Pillow's own decoder gives it."""
    with Image.open(path) as image:
        image.draft("L", image.size)
        assert image.mode == "L"
        return np.asarray(image)


def converted(path: Path, *size: int) -> Frame:
    """Grey as the source method has it: RGB, then luma, then bilinear, of rows x columns."""
    with Image.open(path) as image:
        grey = image.convert("L")
        return np.asarray(grey.resize(size[::-1], Image.Resampling.BILINEAR) if size else grey)


def mean_difference(ours: Frame, theirs: Frame) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours.astype(np.int16) - theirs.astype(np.int16)).mean())


JPEGS: dict[str, dict[str, Any]] = {
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "4:2:0": {"subsampling": 2},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True},
    "restart markers": {"restart_marker_blocks": 3},
    "quality 30": {"quality": 30},
    "quality 100": {"quality": 100},
}


@pytest.mark.parametrize("options", JPEGS.values(), ids=JPEGS)
@pytest.mark.parametrize("size", [(360, 640), (123, 77), (8, 8), (1, 1), (17, 250)])
def test_a_jpeg_of_its_own_size_is_its_luma_plane(save: Save, options: dict[str, Any], size: tuple[int, int]) -> None:
    path = save("a.jpg", picture(*size), **{"quality": 90, **options})

    np.testing.assert_array_equal(decode(path), luma(path))
    assert mean_difference(decode(path), converted(path)) <= (0.15 if size == (360, 640) else 0.5)


@pytest.mark.parametrize("size", [(128, 128), (64, 64), (100, 77), (33, 200), (500, 700), (360, 640)])
def test_a_resized_jpeg_is_near_to_pillows(save: Save, size: tuple[int, int]) -> None:
    path = save("a.jpg", picture(360, 640), quality=90)

    assert mean_difference(decode(path, *size), converted(path, *size)) <= 0.5


@pytest.mark.parametrize("size", [(1080, 1920), (1083, 1917), (721, 1281)])
@pytest.mark.parametrize("target", [(128, 128), (64, 64), (16, 30)])
def test_a_large_jpeg_is_scaled_while_it_is_decoded_and_stays_near(
    save: Save, size: tuple[int, int], target: tuple[int, int]
) -> None:
    path = save("a.jpg", picture(*size), quality=90)

    assert mean_difference(decode(path, *target), converted(path, *target)) <= 0.5


@pytest.mark.parametrize("target", [(128, 128), (64, 64), (16, 30)])
def test_a_large_progressive_jpeg_is_scaled_while_it_is_decoded_and_stays_near(
    save: Save, target: tuple[int, int]
) -> None:
    path = save("a.jpg", picture(1080, 1920), quality=90, progressive=True)

    assert mean_difference(decode(path, *target), converted(path, *target)) <= 0.5


def test_an_unscaled_jpeg_differs_by_rounding_only(save: Save) -> None:
    path = save("a.jpg", picture(360, 640), quality=90)

    assert mean_difference(decode(path, 128, 128), converted(path, 128, 128)) <= 0.15


@pytest.mark.parametrize("options", JPEGS.values(), ids=JPEGS)
def test_rgb(save: Save, options: dict[str, Any]) -> None:
    path = save("a.jpg", picture(120, 200), **{"quality": 90, **options})
    with Image.open(path) as image:
        theirs, small = np.asarray(image), np.asarray(image.resize((40, 30), Image.Resampling.BILINEAR))

    assert mean_difference(decode(path, color="rgb"), theirs) <= 0.15
    assert mean_difference(decode(path, 30, 40, color="rgb"), small) <= 0.6


def test_a_grey_jpeg_has_three_equal_channels_as_rgb(save: Save) -> None:
    path = save("a.jpg", picture(40, 50).convert("L"))

    np.testing.assert_array_equal(decode(path, color="rgb"), np.repeat(decode(path)[..., None], 3, axis=2))


@pytest.mark.parametrize("color", ["grey", "rgb"])
def test_a_jpeg_that_stores_rgb(save: Save, color: str) -> None:
    path = save("a.jpg", picture(64, 48), keep_rgb=True, subsampling=0)
    with Image.open(path) as image:
        theirs = np.asarray(image.convert({"grey": "L", "rgb": "RGB"}[color]))

    assert np.abs(decode(path, color=color).astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("color", ["grey", "rgb"])
@pytest.mark.parametrize("target", [(64, 48), (20, 20)])
def test_a_cmyk_jpeg(save: Save, color: str, target: tuple[int, int]) -> None:
    path = save("a.jpg", picture(64, 48).convert("CMYK"))
    with Image.open(path) as image:
        as_rgb = image.convert("RGB").convert({"grey": "L", "rgb": "RGB"}[color])
        theirs = np.asarray(as_rgb.resize(target[::-1], Image.Resampling.BILINEAR))

    assert np.abs(decode(path, *target, color=color).astype(int) - theirs).max() <= 2


def test_exif_orientation_may_be_left(save: Save) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save("a.jpg", picture(40, 64), exif=exif)

    assert _core.frame_size(path, orientation=False) == (40, 64)
    np.testing.assert_array_equal(_core.decode_frames([path], orientation=False)[0][0], luma(path))


KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    **{f"png {mode}": (mode, "png", {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")},
    **{f"bmp {mode}": (mode, "bmp", {}) for mode in ("1", "L", "P", "RGB")},
    **{f"tiff {mode}": (mode, "tiff", {}) for mode in ("L", "RGB", "RGBA")},
    **{f"tiff {how}": ("RGB", "tiff", {"compression": how}) for how in ("tiff_lzw", "tiff_adobe_deflate", "packbits")},
    **{f"webp {mode}": (mode, "webp", {"lossless": True, "exact": True}) for mode in ("RGB", "RGBA")},
}


@pytest.mark.parametrize(("mode", "suffix", "options"), KINDS.values(), ids=KINDS)
def test_lossless_kinds_are_pillows_bit_for_bit(save: Save, mode: str, suffix: str, options: dict[str, Any]) -> None:
    path = save(f"a.{suffix}", picture(61, 83).convert(mode), **options)
    with Image.open(path) as image:
        np.testing.assert_array_equal(decode(path, color="rgb"), np.asarray(image.convert("RGB")))

    np.testing.assert_array_equal(decode(path), converted(path))
    assert _core.frame_size(path) == (61, 83)
    assert mean_difference(decode(path, 20, 30), converted(path, 20, 30)) <= 0.15


def test_a_lossy_webp(save: Save) -> None:
    path = save("a.webp", picture(120, 200), quality=90)

    assert mean_difference(decode(path), converted(path)) <= 1.0


def test_alpha_is_dropped_not_blended(save: Save) -> None:
    image = picture(30, 40).convert("RGBA")
    image.putalpha(0)

    path = save("a.png", image)

    np.testing.assert_array_equal(decode(path), converted(path))


def test_of_sixteen_bits_the_upper_eight_are_kept(save: Save) -> None:
    deep = np.linspace(0, 65535, 40 * 50).reshape(40, 50).astype(np.uint16)
    for name in ("a.png", "a.tiff"):
        path = save(name, Image.fromarray(deep))
        np.testing.assert_array_equal(decode(path), deep >> 8)


def test_what_a_file_is_is_told_by_its_bytes(save: Save, tmp_path: Path) -> None:
    path = save("a.png", picture(30, 40))
    path.rename(tmp_path / "a.jpg")

    assert decode(tmp_path / "a.jpg").shape == (30, 40)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    data = io.BytesIO()
    picture(8, 8).save(data, "png")
    path = tmp_path / "caf\udce9.png"
    path.write_bytes(data.getvalue())

    assert decode(path).shape == (8, 8)
    with pytest.raises(ValueError, match=r"caf.*does not exist"):
        _core.frame_size(tmp_path / "caf\udce9.jpg")
    assert decode(str(path)).shape == (8, 8)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(128, 128), (7, 300), (50, 40), (41, 83)])
def test_resize_frames_is_pillows_bilinear(size: tuple[int, int]) -> None:
    frames = np.stack([np.asarray(picture(50, 40, seed).convert("L")) for seed in range(3)])
    theirs = np.stack(
        [np.asarray(Image.fromarray(frame).resize(size[::-1], Image.Resampling.BILINEAR)) for frame in frames]
    )

    ours = _core.resize_frames(frames, *size)

    assert np.abs(ours.astype(int) - theirs).max() <= 1
    assert mean_difference(ours, theirs) <= 0.15
    np.testing.assert_array_equal(ours, _core.resize_frames(frames, *size, threads=1))


def test_decoding_and_resizing_share_one_kernel(save: Save) -> None:
    path = save("a.png", picture(90, 130).convert("L"))

    np.testing.assert_array_equal(decode(path, 32, 48), _core.resize_frames(decode(path)[None], 32, 48)[0])
