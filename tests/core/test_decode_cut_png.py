"""PNG files that lack their end, and interlaced ones that are cut off."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pictures import picture
from pixelfast import _core

PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
H, W = 37, 53


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def interlaced(pixels: NDArray[np.uint8]) -> bytes:
    """A grey PNG in Adam7's passes, not compressed, so that where it is cut says which rows are there."""
    rows = b"".join(b"\0" + row.tobytes() for x, y, dx, dy in PASSES for row in pixels[y::dy, x::dx] if len(row))
    height, width = pixels.shape
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def plain(pixels: NDArray[np.generic]) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def decode(path: Path, data: bytes) -> tuple[NDArray[np.uint8], int]:
    path.write_bytes(data)
    frames, status = _core.decode_frames([path], H, W)
    assert (_core.explain_frame(path) is None) == (status[0] == 0)
    return frames[0], int(status[0])


GREY = np.asarray(picture(H, W).convert("L"))
FILES = {"grey": plain(GREY), "rgb": plain(np.asarray(picture(H, W))), "deep": plain(GREY.astype(np.uint16) * 257),
         "interlaced": interlaced(GREY)}  # fmt: skip


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
@pytest.mark.parametrize("missing", [1, 4, 8, 12])
def test_a_missing_end_loses_nothing(tmp_path: Path, data: bytes, missing: int) -> None:
    whole, _ = decode(tmp_path / "whole.png", data)
    cut, status = decode(tmp_path / "cut.png", data[:-missing])

    assert status == 0
    np.testing.assert_array_equal(cut, whole)


def test_a_wrong_checksum_is_still_damage(tmp_path: Path) -> None:
    data = bytearray(FILES["grey"])
    data[-14] ^= 255
    assert decode(tmp_path / "a.png", bytes(data))[1] == 1


@settings(max_examples=150, deadline=None)
@given(data=st.sampled_from(sorted(FILES)), share=st.floats(0.0, 1.0))
def test_a_cut_file_that_counts_as_read_is_whole(
    tmp_path_factory: pytest.TempPathFactory, data: str, share: float
) -> None:
    path, file = tmp_path_factory.getbasetemp() / "cut.png", FILES[data]
    cut, status = decode(path, file[: 9 + round(share * (len(file) - 9))])
    if status == 0:
        np.testing.assert_array_equal(cut, decode(path, file)[0])


@pytest.mark.parametrize("share", [0.3, 0.5, 0.6, 0.9])
def test_an_interlaced_picture_is_filled_from_its_passes(tmp_path: Path, share: float) -> None:
    data = interlaced(GREY)

    cut, status = decode(tmp_path / "a.png", data[: round(len(data) * share)])

    assert status == 1
    assert (cut > 0).all()
    assert np.abs(cut.astype(int) - GREY).mean() < 15 * (1 - share) + 6


def test_an_interlaced_picture_that_is_whole(tmp_path: Path) -> None:
    found, status = decode(tmp_path / "a.png", interlaced(GREY))
    assert status == 0
    np.testing.assert_array_equal(found, GREY)
