"""Samples of more than 8 bits, whole and floating-point, against NumPy on the arrays they were written from."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from deep_files import write_png, write_tiff
from pixelfast import _core

H, W = 13, 21


def read(path: Path, depth: int | None, color: str = "grey") -> NDArray[np.uint8]:
    frames, status = _core.decode_frames([path], color=color, depth=depth)  # type: ignore[arg-type]
    assert status.tolist() == [0], _core.explain_frame(path)
    return np.asarray(frames[0])


def whole(samples: NDArray[Any], bits: int, depth: int | None) -> NDArray[Any]:
    """The upper 8 of the bits that are used; more than they hold is white."""
    used = bits if depth in (None, 1) else min(depth, bits)
    return np.minimum(255, samples >> (used - 8))


def real(samples: NDArray[Any], depth: int | None) -> NDArray[Any]:
    return np.rint(np.clip(np.nan_to_num(255 * samples.astype(np.float64) / (2 ** (depth or 1) - 1)), 0, 255))


def grey(rgb: NDArray[Any]) -> NDArray[Any]:
    return (rgb.astype(np.int64) @ [19_595, 38_470, 7_471] + 32_768) >> 16


def random(dtype: Any = np.uint16, *more: int, most: int = 65_535) -> NDArray[Any]:
    return np.random.default_rng(0).integers(0, most, (H, W, *more), endpoint=True).astype(dtype)


DEPTHS = [None, 1, 8, 9, 10, 12, 14, 15, 16]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_grey_of_sixteen_bits(tmp_path: Path, suffix: str, depth: int | None) -> None:
    samples = random(most=5000)
    Image.fromarray(samples).save(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(read(tmp_path / f"a{suffix}", depth), whole(samples, 16, depth))


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_color_and_alpha_of_sixteen_bits(tmp_path: Path, suffix: str, channels: int, depth: int | None) -> None:
    samples = random(np.uint16, channels, most=5000)
    order = [2, 1, 0, 3][:channels]
    cv2.imwrite(str(tmp_path / f"a{suffix}"), samples[..., order])
    expected = whole(samples[..., :3], 16, depth)

    np.testing.assert_array_equal(read(tmp_path / f"a{suffix}", depth, "rgb"), expected)
    np.testing.assert_array_equal(read(tmp_path / f"a{suffix}", depth), grey(expected))


@given(depth=st.integers(8, 16), most=st.integers(0, 65_535), seed=st.integers(0, 99))
def test_any_depth_is_the_formula(tmp_path_factory: pytest.TempPathFactory, depth: int, most: int, seed: int) -> None:
    path = tmp_path_factory.getbasetemp() / "any-depth"
    samples = np.random.default_rng(seed).integers(0, most, (H, W), endpoint=True).astype(np.uint16)
    floats = (samples / 3).astype(np.float32)
    png, tiff = write_png(path.with_suffix(".png"), samples), write_tiff(path.with_suffix(".tif"), floats)

    np.testing.assert_array_equal(read(png, depth), whole(samples, 16, depth))
    np.testing.assert_array_equal(read(tiff, depth), real(floats, depth))
    assert _core.sample_ranges([png, tiff]) == [(samples.max(), 16, 0, False), (floats.max(), 32, 0, True)]


@pytest.mark.parametrize("depth", [None, 1, 8, 12, 16])
@pytest.mark.parametrize("dtype", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"])
@pytest.mark.parametrize("channels", [(), (2,), (3,), (4,)])
def test_floating_point(tmp_path: Path, dtype: str, channels: tuple[int, ...], depth: int | None) -> None:
    white = 2 ** (depth or 1) - 1
    samples = np.random.default_rng(1).uniform(-0.1 * white, 1.1 * white, (H, W, *channels)).clip(-6e4, 6e4)
    samples[0, :5] = np.array([np.nan, np.inf, -np.inf, 0, 1e-7]).reshape(5, *[1 for _ in channels])
    samples = samples.astype(dtype)
    path = write_tiff(tmp_path / "a.tif", samples)
    colors = samples if len(channels) == 0 else samples[..., :3] if channels[0] > 2 else samples[..., 0]
    expected = real(colors, depth)

    if colors.ndim == 3:
        np.testing.assert_array_equal(read(path, depth, "rgb"), expected)
    np.testing.assert_array_equal(read(path, depth), expected if colors.ndim == 2 else grey(expected))
    (found,) = _core.sample_ranges([path])
    assert found == (colors[np.isfinite(colors)].max(), 8 * samples.itemsize, 0, True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_point_as_opencv_writes_it(tmp_path: Path, dtype: Any) -> None:
    samples = random(dtype, most=255) / 255
    for options in ([], [cv2.IMWRITE_TIFF_COMPRESSION, 5], [cv2.IMWRITE_TIFF_PREDICTOR, 3]):
        cv2.imwrite(str(tmp_path / "a.tif"), samples.astype(dtype), options)
        np.testing.assert_array_equal(read(tmp_path / "a.tif", None), np.rint(samples * 255))


def test_floating_point_with_its_own_predictor(tmp_path: Path) -> None:
    samples = random(np.float32, most=255) / np.float32(255)
    planes = np.moveaxis(samples.astype(">f4").view(np.uint8).reshape(H, W, 4), 2, 1).reshape(H, 4 * W)
    rows = np.diff(planes, axis=1, prepend=np.uint8(0))
    path = write_tiff(tmp_path / "a.tif", samples.astype("<f4"), {317: 3}, rows.tobytes())
    np.testing.assert_array_equal(read(path, 1), np.rint(samples.astype(np.float64) * 255))


def test_white_is_zero(tmp_path: Path) -> None:
    samples = random(most=4095)
    path = write_tiff(tmp_path / "a.tif", samples, {262: 0})
    np.testing.assert_array_equal(read(path, 12), 255 - (samples >> 4))


@pytest.mark.parametrize("depth", DEPTHS)
def test_whole_samples_of_thirty_two_bits(tmp_path: Path, depth: int | None) -> None:
    samples = random(np.uint32, most=5000)
    path = write_tiff(tmp_path / "a.tif", samples)
    np.testing.assert_array_equal(read(path, depth), whole(samples, 32, depth))


@pytest.mark.parametrize("depth", DEPTHS)
def test_pictures_of_eight_bits_have_no_depth(tmp_path: Path, depth: int | None) -> None:
    samples = random(np.uint8, most=255)
    for name in ("a.png", "a.tif", "a.bmp", "a.webp", "a.jpg"):
        Image.fromarray(samples).save(tmp_path / name)
        np.testing.assert_array_equal(read(tmp_path / name, depth), read(tmp_path / name, None))
        assert _core.sample_ranges([tmp_path / name]) == [None]


@pytest.mark.parametrize("depth", [8, 12])
def test_a_cut_off_png_keeps_its_rows_at_any_depth(tmp_path: Path, depth: int) -> None:
    samples = np.random.default_rng(2).integers(0, 4096, (200, 50)).astype(np.uint16)
    path = write_png(tmp_path / "a.png", samples)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames, status = _core.decode_frames([path], depth=depth)
    assert status.tolist() == [1]
    np.testing.assert_array_equal(frames[0, :60], whole(samples[:60], 16, depth))


def test_what_files_say_of_their_bits(tmp_path: Path) -> None:
    samples = random(most=900)
    samples[0, 0] = 900
    said = [
        write_png(tmp_path / "a.png", samples, bytes([12])),
        write_tiff(tmp_path / "a.tif", samples, {281: 4095}),
        write_tiff(tmp_path / "b.tif", samples, {281: 3871}),
    ]
    assert _core.sample_ranges(said) == [(900, 16, 12, False)] * 3
    silent = [write_png(tmp_path / "b.png", samples), write_tiff(tmp_path / "c.tif", samples, {281: 65535})]
    assert _core.sample_ranges([*silent, tmp_path / "none.png", tmp_path]) == [(900, 16, 0, False)] * 2 + [None] * 2


def test_alpha_is_no_sample_of_the_picture(tmp_path: Path) -> None:
    samples = random(np.uint16, 4, most=900)
    samples[..., 3] = 65535
    for suffix in (".png", ".tif"):
        cv2.imwrite(str(tmp_path / f"a{suffix}"), samples)
        assert _core.sample_ranges([tmp_path / f"a{suffix}"]) == [(samples[..., :3].max(), 16, 0, False)]


@pytest.mark.parametrize("depth", [0, 2, 7, 17, 99])
def test_depths_that_there_are_not(tmp_path: Path, depth: int) -> None:
    path = write_png(tmp_path / "a.png", random())
    with pytest.raises(ValueError, match=f"depth must be 1 or 8 to 16 bits, not {depth}"):
        _core.decode_frames([path], depth=depth)
