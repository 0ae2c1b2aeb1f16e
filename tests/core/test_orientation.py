"""Pictures are turned as their EXIF or TIFF orientation says, as Pillow's `exif_transpose` does."""

import io
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from oriented import KINDS, oriented
from pictures import picture
from pixelfast import _core

SIZE = (61, 88)
MODES = {"grey": "L", "rgb": "RGB"}


def seen(data: bytes, color: str = "grey") -> NDArray[np.uint8]:
    """What a viewer shows."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert(MODES[color]))


def decode(path: Path, *size: int, color: str = "grey", orientation: bool = True) -> NDArray[np.uint8]:
    frames, status = _core.decode_frames([path], *size, color=color, orientation=orientation)
    assert status.tolist() == [0], _core.explain_frame(path)
    return frames[0]


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.int16]:
    assert a.shape == b.shape
    return np.abs(a.astype(np.int16) - b)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("color", ["grey", "rgb"])
def test_a_picture_is_seen_as_a_viewer_shows_it(tmp_path: Path, kind: str, orientation: int, color: str) -> None:
    path, lying = tmp_path / "frame", tmp_path / "lying"
    path.write_bytes(data := oriented(picture(*SIZE), kind, orientation))
    lying.write_bytes(oriented(picture(*SIZE), kind, 1))
    theirs = seen(data, color)

    assert _core.frame_size(path) == theirs.shape[:2]
    assert difference(decode(path, color=color), theirs).max() <= (0 if kind in ("png", "webp", "tiff") else 3)
    # Left as it lies, it is what a file without an orientation is.
    assert _core.frame_size(path, orientation=False) == SIZE
    np.testing.assert_array_equal(decode(path, color=color, orientation=False), decode(lying, color=color))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(20, 33), (61, 20), (128, 128), (16, 16)])
@pytest.mark.parametrize("color", ["grey", "rgb"])
def test_turning_and_resizing_do_not_mind_their_order(
    tmp_path: Path, kind: str, orientation: int, size: tuple[int, int], color: str
) -> None:
    path = tmp_path / "frame"
    path.write_bytes(data := oriented(picture(*SIZE), kind, orientation))
    ours = decode(path, *size, color=color)

    upright = tmp_path / "upright"
    Image.fromarray(decode(path, color=color)).save(upright, "png")
    assert difference(ours, decode(upright, *size, color=color)).max() <= (1 if kind != "jpeg" else 2)
    theirs = Image.fromarray(seen(data, color)).resize(size[::-1], Image.Resampling.BILINEAR)
    assert difference(ours, np.asarray(theirs)).mean() <= 0.5


def test_a_frame_that_was_turned_is_told(tmp_path: Path) -> None:
    paths = [tmp_path / f"{orientation}.jpg" for orientation in range(1, 9)]
    for orientation, path in enumerate(paths, 1):
        path.write_bytes(oriented(picture(64, 64), "jpeg", orientation))
    paths.append(tmp_path / "broken.jpg")
    paths[-1].write_bytes(oriented(picture(64, 64), "jpeg", 6)[:200])
    paths.append(tmp_path / "without_end.jpg")
    paths[-1].write_bytes(oriented(picture(64, 64), "jpeg", 6)[:-2])
    turned: list[int] = []
    harmless: list[int] = []

    _, status = _core.decode_frames(paths, 32, 32, harmless=harmless, turned=turned)

    assert (turned, harmless, status.tolist()) == ([*range(1, 8), 9], [9], [0] * 8 + [2, 0])
    left: list[int] = []
    _core.decode_frames(paths, 32, 32, orientation=False, turned=left)
    assert left == []


def test_sizes_are_compared_as_they_are_seen(tmp_path: Path) -> None:
    lying, standing, across = (tmp_path / name for name in ("lying.jpg", "standing.jpg", "across.jpg"))
    lying.write_bytes(oriented(picture(40, 64), "jpeg", 1))
    standing.write_bytes(oriented(picture(64, 40), "jpeg", 8))
    across.write_bytes(oriented(picture(40, 64), "jpeg", 8))

    assert _core.decode_frames([lying, standing])[0].shape == (2, 40, 64)
    with pytest.raises(ValueError, match=r"across\.jpg is 40x64 pixels, but .*lying\.jpg is 64x40"):
        _core.decode_frames([lying, across])
    assert _core.decode_frames([lying, across], orientation=False)[0].shape == (2, 40, 64)


def exif(value: int, *, order: str = "<", kind: int = 3, count: int = 1, directory: int = 8, entries: int = 1) -> bytes:
    """An EXIF block with an orientation and nothing else, or with something wrong."""
    mark = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, directory)
    number = struct.pack(order + ("I" if kind == 4 else "HH"), *([value] if kind == 4 else [value, 0]))
    return mark + struct.pack(order + "HHHI", entries, 274, kind, count) + number + bytes(4)


def in_jpeg(block: bytes, before: bytes = b"") -> bytes:
    """A JPEG that has the block behind its JFIF segment and what `before` holds."""
    data = io.BytesIO()
    picture(40, 64).save(data, "JPEG", quality=90)
    start, end = data.getvalue()[:20], data.getvalue()[20:]
    assert start[2:4] == b"\xff\xe0"
    return start + before + segment(0xE1, b"Exif\0\0" + block) + end


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


SOUND = {
    "little-endian": (exif(6), b""),
    "big-endian": (exif(6, order=">"), b""),
    "more entries promised than there are": (exif(6, entries=900), b""),
    "behind other segments": (exif(6), segment(0xE2, b"ICC_PROFILE\0") + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0")),
    "behind a comment with a marker in it": (exif(6), segment(0xFE, b"\xff\xe1\0\x08Exif\0\0")),
    "behind fill bytes": (exif(6), b"\xff\xff\xff"),
}  # fmt: skip

ABSURD = {
    **{f"orientation {value}": exif(value) for value in (0, 9, 255, 65535)},
    **{f"big-endian orientation {value}": exif(value, order=">") for value in (0, 9, 0x0600)},
    **{f"LONG {order}": exif(6, kind=4, order=order) for order in "<>"},
    **{f"type {kind}": exif(6, kind=kind) for kind in (0, 1, 2, 5, 7, 999)},
    **{f"{count} values": exif(6, count=count) for count in (0, 2, 2**32 - 1)},
    **{f"directory at {place}": exif(6, directory=place) for place in (0, 7, 9, 400, 2**31, 2**32 - 1)},
    "no entries": exif(6, entries=0),
    "no mark": b"XX" + exif(6)[2:],
    "no 42": exif(6)[:2] + b"\0\0" + exif(6)[4:],
    "nothing": b"",
    "bytes": bytes(range(200)),
    **{f"cut off at {length}": exif(6)[:length] for length in (1, 4, 8, 10, 14, 17)},
}


@pytest.mark.parametrize(("block", "before"), SOUND.values(), ids=SOUND)
def test_an_orientation_is_found(tmp_path: Path, block: bytes, before: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(in_jpeg(block, before))
    assert _core.frame_size(path) == (64, 40)
    assert difference(decode(path), np.rot90(decode(path, orientation=False), -1)).max() == 0


@pytest.mark.parametrize("block", ABSURD.values(), ids=ABSURD)
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_senseless_orientation_costs_nothing(tmp_path: Path, block: bytes, kind: str) -> None:
    path, clean = tmp_path / "a", tmp_path / "b"
    if kind == "jpeg":
        path.write_bytes(in_jpeg(block))
        clean.write_bytes(in_jpeg(exif(1)))
    else:
        options: dict[str, Any] = {"lossless": True} if kind == "webp" else {}
        picture(40, 64).save(path, kind, exif=b"Exif\0\0" + block, **options)
        picture(40, 64).save(clean, kind, **options)
    assert _core.frame_size(path) == (40, 64)
    for color in ("grey", "rgb"):
        np.testing.assert_array_equal(decode(path, color=color), decode(clean, color=color))


def tiff(pixels: NDArray[np.uint8], order: str, *, big: bool, kind: int, value: int) -> bytes:
    """An uncompressed grey TIFF or BigTIFF, its orientation a SHORT (3) or LONG (4)."""
    word = "Q" if big else "I"
    head = struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8)
    fields = [
        (256, 3, pixels.shape[1]), (257, 3, pixels.shape[0]), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 0),
        (274, kind, value), (277, 3, 1), (278, 3, pixels.shape[0]), (279, 4, pixels.size),
    ]  # fmt: skip
    start = 2 + len(head) + (8 + 20 * len(fields) + 8 if big else 2 + 12 * len(fields) + 4)
    directory = struct.pack(order + ("Q" if big else "H"), len(fields))
    for tag, type_, number in fields:
        packed = struct.pack(order + {3: "H", 4: "I"}[type_], start if tag == 273 else number)
        directory += struct.pack(order + "HH" + word, tag, type_, 1) + packed.ljust(8 if big else 4, b"\0")
    return {"<": b"II", ">": b"MM"}[order] + head + directory + bytes(8 if big else 4) + pixels.tobytes()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("turned", [(6, 3), (8, 1), (3, 2), (1, 0), (0, 0), (9, 0)])
def test_tiffs_of_every_layout(tmp_path: Path, order: str, big: bool, kind: int, turned: tuple[int, int]) -> None:
    value, turns = turned
    pixels = np.asarray(picture(40, 64).convert("L"))
    path = tmp_path / "a.tif"
    path.write_bytes(data := tiff(pixels, order, big=big, kind=kind, value=value))

    assert _core.frame_size(path) == ((64, 40) if turns % 2 else (40, 64))
    np.testing.assert_array_equal(decode(path), np.rot90(pixels, turns))
    number, upright = _core.laid_upright(data)
    assert number == (value if turns else 1)
    # OpenCV turns a TIFF by itself; Pillow reads no big-endian BigTIFF.
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(upright, np.uint8), cv2.IMREAD_UNCHANGED), pixels)


SAMPLES = [(kind, oriented(picture(24, 40), kind, 6)) for kind in KINDS]


@settings(max_examples=400, deadline=None)
@given(
    sample=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
)
def test_no_damage_crashes(tmp_path_factory: pytest.TempPathFactory, sample, changes: list[tuple[int, int]]) -> None:
    kind, data = sample
    bent = bytearray(data)
    for place, value in changes:
        bent[place % len(bent)] = value
    path = tmp_path_factory.getbasetemp() / f"bent.{kind}"
    path.write_bytes(bent)
    frames, status = _core.decode_frames([path], 16, 16)
    assert frames.shape == (1, 16, 16)
    assert status[0] in (0, 1, 2)
    orientation, upright = _core.laid_upright(bytes(bent))
    assert 1 <= orientation <= 8
    assert len(upright) == len(bent)
