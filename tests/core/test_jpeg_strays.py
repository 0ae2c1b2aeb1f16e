"""Stray bytes before any marker of a JPEG cost no pixel, and a scan that lost pixels is never taken for a whole one."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pictures import picture
from pixelfast import _core

KINDS: dict[str, dict[str, object]] = {
    "plain": {},
    "restarts": {"restart_marker_blocks": 5},
    "progressive": {"progressive": True},
    "progressive restarts": {"progressive": True, "restart_marker_blocks": 7},
    "444": {"subsampling": 0, "optimize": True},
}


def jpeg(mode: str, **options: object) -> bytes:
    data = io.BytesIO()
    picture(120, 88).convert(mode).save(data, "JPEG", quality=80, **options)
    return data.getvalue()


def markers(data: bytes) -> list[int]:
    """Where markers stand, the first one left out."""
    at, found = 2, []
    while at < len(data):
        if data[at] != 0xFF or data[at + 1] == 0:
            at += 1
            continue
        found.append(at)
        alone = 0xD0 <= data[at + 1] <= 0xD9
        at += 2 if alone else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return found


def read(path: Path, data: bytes, color: str, size: tuple[int, int]) -> tuple[NDArray[np.uint8], int, list[int]]:
    path.write_bytes(data)
    harmless: list[int] = []
    frames, status = _core.decode_frames([path], *size, color, harmless=harmless)
    return frames[0], int(status[0]), harmless


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("seed", range(4))
def test_stray_bytes_before_any_marker_cost_no_pixel(tmp_path: Path, kind: str, mode: str, seed: int) -> None:
    random, clean, right = np.random.default_rng(seed), jpeg(mode, **KINDS[kind]), 0
    kinds_of_marker = {clean[at + 1]: at for at in markers(clean)}
    cases = [(color, at) for color in ("grey", "rgb") for at in kinds_of_marker.values()]
    for color, at in cases:
        strays = random.integers(0, 255, random.integers(1, 65), np.uint8).tobytes()
        for size in [(120, 88), (30, 22)]:
            frame, status, _ = read(tmp_path / "a.jpg", clean[:at] + strays + clean[at:], color, size)
            expected, _, _ = read(tmp_path / "b.jpg", clean, color, size)
            assert status == 1 or (frame == expected).all()
            right += status == 0
    assert right >= 2 * len(cases) - 4, "few read as if coded pixels went on, and nothing tells"


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("kind", ["plain", "444", "progressive"])
@pytest.mark.parametrize("zeros", [20, 40, 64, 100, 200])
@pytest.mark.parametrize("color", ["grey", "rgb"])
def test_a_scan_that_ends_in_padding_has_lost_pixels(tmp_path: Path, mode, kind, zeros: int, color: str) -> None:
    clean = jpeg(mode, **KINDS[kind])
    damaged = clean[: -2 - zeros] + bytes(zeros) + clean[-2:]

    assert read(tmp_path / "a.jpg", damaged, color, (120, 88))[1:] == (1, [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("height", [120, 121])
def test_a_file_without_its_end_is_turned(kind: str, height: int) -> None:
    data = io.BytesIO()
    picture(height, 88).save(data, "JPEG", quality=80, **{**KINDS[kind], "subsampling": 0})
    clean = data.getvalue()

    assert _core.flip_jpeg(clean[:-2]) == _core.flip_jpeg(clean)


def test_a_strange_jfif_version_hides_no_damage(tmp_path: Path) -> None:
    data = bytearray(jpeg("RGB"))
    data[11] = 2

    assert read(tmp_path / "a.jpg", bytes(data), "rgb", (120, 88))[1] == 0
    assert read(tmp_path / "a.jpg", bytes(data[: len(data) // 2]), "rgb", (120, 88))[1] == 1
