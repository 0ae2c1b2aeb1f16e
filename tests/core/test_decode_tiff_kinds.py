"""Kinds of TIFF against NumPy: files are written here byte by byte, and some by Pillow."""

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pictures import picture
from pixelfast import _core

H, W = 24, 37
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
Tags = dict[int, tuple[int, list[int]]]


def packed(samples: NDArray[Any], bits: int, order: str) -> bytes:
    """Rows of samples, each row from a new byte: packed from the upper bit, or words in the file's order."""
    rows = samples.reshape(len(samples), -1)
    if bits in (8, 16, 32):
        return rows.astype(f"{order}u{bits // 8}").tobytes()
    spread = (rows[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(spread.reshape(len(rows), -1).astype(np.uint8), axis=1).tobytes()


def tiff(  # noqa: PLR0917
    data: bytes, bits: int, tags: Tags | None = None, order: str = "<", without: int = 0, strips: int = 1
) -> bytes:
    """A TIFF of HxW with its pixels in equal strips."""
    pieces = [data[len(data) * i // strips : len(data) * (i + 1) // strips] for i in range(strips)]
    starts = np.cumsum([8, *map(len, pieces)])[:-1].tolist()
    fields: Tags = {
        256: (4, [W]), 257: (4, [H]), 258: (3, [bits]), 259: (3, [1]), 262: (3, [1]), 273: (4, starts), 277: (3, [1]),
        278: (4, [H // strips]), 279: (4, [len(piece) for piece in pieces]), **(tags or {}),
    }  # fmt: skip
    fields.pop(without, None)
    body, directory = data, struct.pack(f"{order}H", len(fields))
    for tag, (kind, values) in sorted(fields.items()):
        raw = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(raw) > 4:
            raw, body = struct.pack(f"{order}I", 8 + len(body)), body + raw
        directory += struct.pack(f"{order}HHI", tag, kind, len(values)) + raw.ljust(4, b"\0")
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}I", 8 + len(body)) + body + directory + bytes(4)


def read(tmp_path: Path, data: bytes, color: str = "grey") -> NDArray[np.uint8]:
    path = tmp_path / "frame.tif"
    path.write_bytes(data)
    frames, status = _core.decode_frames([path], color=color)  # type: ignore[arg-type]
    assert status.tolist() == [0], _core.explain_frame(path)
    assert _core.frame_size(path) == (H, W)
    frame: NDArray[np.uint8] = frames[0]
    return frame


def random(bits: int, *more: int) -> NDArray[np.int64]:
    return np.random.default_rng(bits).integers(0, 2**bits, (H, W, *more))


def byte(samples: NDArray[Any], bits: int) -> NDArray[Any]:
    """Fewer bits are spread over 0 to 255; of more the upper 8 are kept."""
    return samples >> (bits - 8) if bits >= 8 else np.round(samples * 255 / (2**bits - 1))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 10, 12, 14, 16, 32])
@pytest.mark.parametrize("extra", [0, 1, 2])
@pytest.mark.parametrize("fill", [1, 2])
def test_grey_of_any_depth_with_extra_samples(tmp_path: Path, order: str, bits: int, extra: int, fill: int) -> None:
    samples = random(bits, 1 + extra)
    data = packed(samples, bits, order)
    tags: Tags = {258: (3, [bits] * (1 + extra)), 277: (3, [1 + extra]), 266: (3, [fill])}
    tags |= {338: (3, [2 if extra == 1 else 0] * extra)} if extra else {}

    found = read(tmp_path, tiff(data.translate(REVERSED) if fill == 2 else data, bits, tags, order, strips=3))

    np.testing.assert_array_equal(found, byte(samples[..., 0], bits))


@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("extra", [0, 1, 3])
def test_rgb_with_extra_samples(tmp_path: Path, planar: int, bits: int, extra: int) -> None:
    samples = random(bits, 3 + extra)
    planes = [samples] if planar == 1 else list(np.moveaxis(samples, 2, 0))
    tags: Tags = {258: (3, [bits] * (3 + extra)), 277: (3, [3 + extra]), 262: (3, [2]), 284: (3, [planar])}
    tags |= {338: (3, [0] * extra)} if extra else {}
    data = b"".join(packed(plane, bits, "<") for plane in planes)

    found = read(tmp_path, tiff(data, bits, tags, strips=len(planes)) if planar == 1 else
                 tiff(data, bits, {**tags, 278: (4, [H])}, strips=len(planes)), "rgb")  # fmt: skip

    np.testing.assert_array_equal(found, byte(samples[..., :3], bits))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("wide", [True, False], ids=["16 bits", "8 bits in 16"])
def test_palettes(tmp_path: Path, bits: int, wide: bool) -> None:
    indices, colors = random(bits), np.random.default_rng(1).integers(0, 256, (3, 2**bits))
    tags: Tags = {262: (3, [3]), 320: (3, (colors * (257 if wide else 1)).ravel().tolist())}

    found = read(tmp_path, tiff(packed(indices, bits, "<"), bits, tags), "rgb")

    np.testing.assert_array_equal(found, np.moveaxis(colors[:, indices], 0, 2))


def test_white_is_zero(tmp_path: Path) -> None:
    samples = random(4)
    found = read(tmp_path, tiff(packed(samples, 4, "<"), 4, {262: (3, [0])}))
    np.testing.assert_array_equal(found, 255 - samples * 17)


@pytest.mark.parametrize("strips", [1, 3])
def test_lengths_of_strips_that_are_not_told(tmp_path: Path, strips: int) -> None:
    samples = random(8)
    data = packed(samples, 8, "<")
    zero: Tags = {279: (4, [0] * strips)}

    for written in (tiff(data, 8, without=279, strips=strips), tiff(data, 8, zero, strips=strips)):
        np.testing.assert_array_equal(read(tmp_path, written), samples)


COMPRESSIONS = [None, "tiff_lzw", "packbits", "tiff_adobe_deflate"]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_what_pillow_writes(tmp_path: Path, mode: str, compression: str | None) -> None:
    image = picture(H, W).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    image.save(tmp_path / "a.tif", compression=compression)

    for color, to in (("grey", "L"), ("rgb", "RGB")):
        theirs = picture(H, W).convert("L").convert(to) if mode == "I;16" else image.convert("RGB").convert(to)
        found = read(tmp_path, (tmp_path / "a.tif").read_bytes(), color)
        np.testing.assert_array_equal(found, np.asarray(theirs))


def test_a_jpeg_in_ycbcr(tmp_path: Path) -> None:
    picture(H, W).convert("YCbCr").save(tmp_path / "a.tif", compression="jpeg", quality=95)
    found = read(tmp_path, (tmp_path / "a.tif").read_bytes(), "rgb")
    assert np.abs(found.astype(int) - np.asarray(picture(H, W))).mean() < 6


REFUSED: dict[str, tuple[Tags, int]] = {
    "zstd compression.*tiffcp -c lzw": ({259: (3, [50_000])}, 8),
    "LERC compression": ({259: (3, [34_887])}, 8),
    "CCITT group 3 compression": ({259: (3, [3])}, 1),
    r"unknown compression \(999\)": ({259: (3, [999])}, 8),
    "floating-point samples of 24 bits.*convert it to 8 or 16 bits": ({339: (3, [3])}, 24),
    "samples with a sign": ({339: (3, [2])}, 16),
    "Lab colors": ({262: (3, [8]), 277: (3, [3])}, 8),
    "64 bits a sample": ({}, 64),
    "a palette that is too short": ({262: (3, [3]), 320: (3, [1, 2, 3])}, 8),
}


@pytest.mark.parametrize(("tags", "bits"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_read_is_named(tmp_path: Path, request: pytest.FixtureRequest, tags: Tags, bits: int) -> None:
    path = tmp_path / "frame.tif"
    path.write_bytes(tiff(bytes(H * W * 8), bits, tags))
    assert _core.decode_frames([path], 8, 8)[1].tolist() == [2]
    why = next(why for why, what in REFUSED.items() if what == (tags, bits))
    assert re.search(why, _core.explain_frame(path) or "")


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 2**31), st.integers(0, 255)), max_size=12), cut=st.integers(0, 4000))
def test_no_damage_crashes(tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int) -> None:
    colors: Tags = {262: (3, [3]), 320: (3, list(range(48)))}
    for data in (tiff(packed(random(4), 4, "<"), 4, colors), tiff(packed(random(12, 3), 12, ">"), 12, {}, ">")):
        damaged = bytearray(data)
        for place, value in changes:
            damaged[-1 - place % 300] = value
        path = tmp_path_factory.getbasetemp() / "damaged.tif"
        path.write_bytes(bytes(damaged)[: len(data) - cut % 400])
        frames, status = _core.decode_frames([path], 8, 8)
        assert status[0] in (0, 1, 2)  # 1: a wider picture than there are pixels
        assert status[0] != 2 or not frames.any()
        assert (_core.explain_frame(path) is None) == (status[0] == 0)
