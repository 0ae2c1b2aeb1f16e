"""Files that are broken, hostile or no images: no crash, a status, and a clause that says why."""

import io
import os
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pictures import picture
from pixelfast import _core

KINDS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")


def encoded(kind: str, image: Image.Image, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def status_of(path: Path, size: int = 32) -> int:
    frames, status = _core.decode_frames([path], size, size)
    assert status[0] != 2 or not frames.any()
    return int(status[0])


def png_header(height: int, width: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def jpeg_header(height: int, width: int) -> bytes:
    """A small JPEG whose frame header claims another size."""
    data = bytearray(encoded("JPEG", picture(16, 16)))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(data)


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", r"is empty \(0 bytes\)"),
    "text": (b"hello, world", r'is not an image that pixelfast reads \(its first bytes are "hello, w"\)'),
    "bytes": (bytes(range(20)), r"its first bytes are 00 01 02 03 04 05 06 07"),
    "gif": (encoded("GIF", picture(8, 8)), "is not an image that pixelfast reads"),
    "png header": (png_header(20_000, 20_000), "says it is 20000x20000 pixels, more than the limit of 128 million"),
    "jpeg header": (jpeg_header(65_500, 65_500), "says it is 65500x65500 pixels, more than the limit of 128 million"),
    "start of a jpeg": (b"\xff\xd8\xff", "cannot be decoded"),
    "jpeg without pixels": (encoded("JPEG", picture(64, 64))[:620], "cannot be decoded"),
    "start of a png": (b"\x89PNG\r\n\x1a\n", "cannot be decoded"),
    "png of no pixels": (png_header(0, 0), "cannot be decoded|says it is 0x0 pixels"),
}


@pytest.mark.parametrize(("data", "why"), BAD.values(), ids=BAD)
def test_a_file_that_holds_no_picture(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "frame.jpg"
    path.write_bytes(data)

    assert status_of(path) == 2
    assert_clause(path, why)


@pytest.mark.parametrize("name", ["empty", "text", "png header", "jpeg header", "start of a jpeg"])
def test_the_size_of_a_file_without_one(tmp_path: Path, name: str) -> None:
    path = tmp_path / "frame.jpg"
    path.write_bytes(BAD[name][0])

    with pytest.raises(ValueError, match=rf"frame\.jpg: ({BAD[name][1]})"):
        _core.frame_size(path)


def assert_clause(path: Path, why: str) -> None:
    clause = _core.explain_frame(path)
    assert clause is not None
    assert re.search(why, clause), clause


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")

    for name, why in {"folder.jpg": "is a folder", "pipe.jpg": "is no regular file", "none": "does not exist"}.items():
        assert status_of(tmp_path / name) == 2
        assert_clause(tmp_path / name, why)


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "frame.png"
    path.write_bytes(encoded("PNG", picture(8, 8)))
    path.chmod(0)

    assert status_of(path) == 2
    assert_clause(path, "permission denied")


def test_a_name_with_a_zero_byte_in_it() -> None:
    assert status_of(Path("a\0b.jpg")) == 2


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {}), ("PNG", {}), ("BMP", {})])
def test_of_a_truncated_file_the_upper_part_is_used(tmp_path: Path, kind: str, options: dict[str, object]) -> None:
    data = encoded(kind, picture(160, 160), **options)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.write_bytes(data)
    cut.write_bytes(data[: len(data) // 2])

    frames, status = _core.decode_frames([whole, cut], 160, 160)

    assert status.tolist() == [0, 1]
    assert_clause(cut, "is truncated")
    read = slice(0, 48) if kind != "BMP" else slice(112, 160)
    np.testing.assert_array_equal(frames[0, read], frames[1, read])
    assert (frames[0] != frames[1]).any()


def test_a_truncated_progressive_file_is_coarse(tmp_path: Path) -> None:
    data = encoded("JPEG", picture(160, 160), progressive=True, quality=90)
    path = tmp_path / "cut.jpg"
    path.write_bytes(data[: len(data) // 2])

    frames, status = _core.decode_frames([path], 160, 160)

    assert status.tolist() == [1]
    assert np.abs(frames[0].astype(int) - np.asarray(picture(160, 160).convert("L"))).mean() < 20


def test_a_truncated_file_of_sixteen_bits_keeps_its_order_of_bytes(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 200 * 50).reshape(200, 50).astype(np.uint16)
    data = encoded("PNG", Image.fromarray(deep))
    path = tmp_path / "cut.png"
    path.write_bytes(data[: len(data) // 2])

    frames, status = _core.decode_frames([path], 200, 50)

    assert status.tolist() == [1]
    np.testing.assert_array_equal(frames[0, :40], (deep >> 8)[:40])


def test_a_frame_does_not_depend_on_the_file_before_it(tmp_path: Path) -> None:
    """A decoder that is used again would lend this file the tables of the one before."""
    data = encoded("JPEG", picture(32, 32), quality=20)
    start = data.index(b"\xff\xdb")
    tables = 2 + struct.unpack(">H", data[start + 2 : start + 4])[0]
    whole, bare = tmp_path / "whole.jpg", tmp_path / "bare.jpg"
    whole.write_bytes(data)
    bare.write_bytes(data[:start] + data[start + tables :])

    frames, status = _core.decode_frames([whole, bare, whole], 32, 32, threads=1)

    np.testing.assert_array_equal(frames[1], _core.decode_frames([bare], 32, 32)[0][0])
    np.testing.assert_array_equal(frames[0], frames[2])
    assert status.tolist()[::2] == [0, 0]


SAMPLES = {kind: encoded(kind, picture(40, 56)) for kind in KINDS} | {
    "progressive": encoded("JPEG", picture(40, 56), progressive=True),
    "restarts": encoded("JPEG", picture(40, 56), restart_marker_blocks=2),
    "cmyk": encoded("JPEG", picture(40, 56).convert("CMYK")),
    "palette": encoded("PNG", picture(40, 56).convert("P")),
    "deflate": encoded("TIFF", picture(40, 56), compression="tiff_adobe_deflate"),
    "lossless": encoded("WEBP", picture(40, 56), lossless=True),
}


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid file with some bytes changed, cut off, doubled or taken out."""
    data = bytearray(SAMPLES[draw(st.sampled_from(sorted(SAMPLES)))])
    for _ in range(draw(st.integers(0, 12))):
        # Half of the damage goes where the headers are.
        reach = draw(st.sampled_from([64, 700, len(data)]))
        data[draw(st.integers(0, min(reach, len(data)) - 1))] = draw(st.integers(0, 255))
    start = draw(st.integers(0, len(data)))
    stop = draw(st.integers(start, len(data)))
    surgery = {"none": data, "cut": data[:stop], "hole": data[:start] + data[stop:], "echo": data[:stop] + data[start:]}
    return bytes(surgery[draw(st.sampled_from(sorted(surgery)))])


@settings(max_examples=400, deadline=None)
@given(data=damaged(), color=st.sampled_from(["grey", "rgb"]))
def test_no_damage_crashes(tmp_path_factory: pytest.TempPathFactory, data: bytes, color: str) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(data)

    frames, status = _core.decode_frames([path, path], 24, 24, color, 2)

    assert status[0] == status[1]
    assert status[0] in {0, 1, 2}
    np.testing.assert_array_equal(frames[0], frames[1])
    assert status[0] != 2 or not frames.any()
    assert (_core.explain_frame(path) is None) == (status[0] == 0)
