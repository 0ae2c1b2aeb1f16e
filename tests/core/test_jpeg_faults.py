"""JPEG files with faults that cost no pixel are read whole; those that lost pixels are not."""

import io
from pathlib import Path

import numpy as np
import pytest

from pictures import picture
from pixelfast import _core

END = b"\xff\xd9"
Options = dict[str, object]
PLAIN: Options = {"quality": 80}
RESTARTS: Options = {"quality": 80, "restart_marker_rows": 1}
PROGRESSIVE: Options = {"quality": 80, "progressive": True}


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    data = io.BytesIO()
    picture(120, 88).convert(mode).save(data, "JPEG", **options)
    return data.getvalue()


def without_end(data: bytes) -> bytes:
    return data[: -len(END)]


def half_an_end(data: bytes) -> bytes:
    return data[:-1]


def zeros_between_segments(data: bytes) -> bytes:
    table = data.index(b"\xff\xdb")
    return data[:table] + b"\0\0\0" + data[table:]


def read(tmp_path: Path, data: bytes, size: tuple[int, int], color: str) -> tuple[np.ndarray, int, list[int]]:
    path = tmp_path / "frame.jpg"
    path.write_bytes(data)
    harmless: list[int] = []
    frames, status = _core.decode_frames([path], *size, color, harmless=harmless)
    return frames[0], int(status[0]), harmless


@pytest.mark.parametrize("fault", [without_end, half_an_end, zeros_between_segments])
@pytest.mark.parametrize("options", [PLAIN, RESTARTS, PROGRESSIVE], ids=["plain", "restarts", "progressive"])
@pytest.mark.parametrize("kind", [("L", "grey"), ("L", "rgb"), ("RGB", "grey"), ("RGB", "rgb")])
@pytest.mark.parametrize("size", [(120, 88), (30, 22), (100, 80)])
def test_a_fault_that_costs_no_pixel(tmp_path: Path, fault, options, kind, size) -> None:
    mode, color = kind
    clean = jpeg(mode, **options)
    expected = read(tmp_path, clean, size, color)
    assert expected[1:] == (0, [])

    frame, status, harmless = read(tmp_path, fault(clean), size, color)

    assert (status, harmless) == (0, [0])
    np.testing.assert_array_equal(frame, expected[0])


@pytest.mark.parametrize("strays", range(1, 61))
def test_stray_bytes_before_the_end_are_always_noticed(tmp_path: Path, strays: int) -> None:
    clean = jpeg(**PLAIN)
    noise = np.random.default_rng(strays).integers(0, 255, strays, np.uint8).tobytes()
    expected = read(tmp_path, clean, (30, 22), "grey")[0]

    frame, status, harmless = read(tmp_path, without_end(clean) + noise + END, (30, 22), "grey")

    assert (status, harmless) == (0, [0])
    np.testing.assert_array_equal(frame, expected)
    color, status, _ = read(tmp_path, without_end(clean) + noise + END, (120, 88), "rgb")
    assert status == 0
    np.testing.assert_array_equal(color, read(tmp_path, clean, (120, 88), "rgb")[0])


def test_stray_bytes_before_a_restart_marker(tmp_path: Path) -> None:
    clean = jpeg(**RESTARTS)
    restart = clean.index(b"\xff\xd1")

    frame, status, harmless = read(tmp_path, clean[:restart] + b"\1\2\3\4" + clean[restart:], (120, 88), "grey")

    assert (status, harmless) == (0, [0])
    np.testing.assert_array_equal(frame, read(tmp_path, clean, (120, 88), "grey")[0])


@pytest.mark.parametrize("options", [PLAIN, RESTARTS, PROGRESSIVE], ids=["plain", "restarts", "progressive"])
@pytest.mark.parametrize("color", ["grey", "rgb"])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_lost_pixels_are_no_harmless_fault(tmp_path: Path, options, color: str, share: float) -> None:
    data = jpeg(**options)

    cut = data[: int(share * len(data))]

    for damaged in (cut, cut + END):
        assert read(tmp_path, damaged, (120, 88), color)[1:] == (1, [])


def test_a_progressive_file_that_misses_a_scan_has_lost_pixels(tmp_path: Path) -> None:
    data = jpeg(**PROGRESSIVE)

    assert read(tmp_path, data[: data.rindex(b"\xff\xda")], (120, 88), "grey")[1:] == (1, [])
