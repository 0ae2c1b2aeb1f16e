"""Pages of TIFF stacks that are written here byte by byte, against the same pages alone and against OpenCV."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pixelfast import _core

H, W = 20, 28


def pixels(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, H, W), np.uint8)


def stack(  # noqa: PLR0917
    pages: NDArray[np.uint8], order: str = "<", big: bool = False, kinds: dict[int, int] | None = None,
    without: int = 0, end: int = 0, pixels_first: bool = False,
) -> bytes:  # fmt: skip
    """A stack of grey pages in two strips each; `end` is where its last page says that the next lies."""
    long, code, head = ("Q", 16, 16) if big else ("I", 4, 8)
    out = bytearray(b"II" if order == "<" else b"MM")
    out += struct.pack(f"{order}HHHQ", 43, 8, 0, 0) if big else struct.pack(f"{order}HI", 42, 0)
    link = head - (8 if big else 4)
    for number, page in enumerate(pages):
        strips = [page[: H // 2].tobytes(), page[H // 2 :].tobytes()]
        size = 8 + 12 * 10 + 8 if not big else 8 + 20 * 10 + 8
        base = len(out) if pixels_first else len(out) + size + 64
        starts = [base, base + len(strips[0])]
        body = b"".join(strips)
        directory_at = len(out) + (len(body) + 64 if pixels_first else 0)
        lists_at = directory_at + size
        fields = {254: [(kinds or {}).get(number, 0)], 256: [W], 257: [H], 258: [8], 259: [1], 262: [1], 273: starts}
        fields |= {277: [1], 278: [H // 2], 279: [len(strip) for strip in strips]}
        fields.pop(without, None)
        directory = struct.pack(f"{order}{'Q' if big else 'H'}", len(fields))
        lists = b""
        for tag, values in fields.items():
            raw = struct.pack(f"{order}{len(values)}{long}", *values)
            if len(values) > 1:
                raw, lists = struct.pack(f"{order}{long}", lists_at + len(lists)), lists + raw
            directory += struct.pack(f"{order}HH{long}", tag, code, len(values)) + raw
        next_at = directory_at + len(directory)
        directory = (directory + struct.pack(f"{order}{long}", end)).ljust(size, b"\0") + lists.ljust(64, b"\0")
        struct.pack_into(f"{order}{long}", out, link, directory_at)
        out += body + bytes(64) + directory if pixels_first else directory + body
        link = next_at
    return bytes(out)


def read(path: Path) -> tuple[NDArray[np.uint8], list[int], dict[int, str]]:
    reader = _core.PictureReader(path)
    frames, status, reasons = reader.next(reader.length, H, W)
    return frames, status.tolist(), reasons


@pytest.mark.parametrize("pixels_first", [False, True])
@pytest.mark.parametrize("without", [0, 279])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_page_is_read(tmp_path: Path, order: str, big: bool, without: int, pixels_first: bool) -> None:
    path, pages = tmp_path / "a.tif", pixels(5)
    path.write_bytes(stack(pages, order, big, without=without, pixels_first=pixels_first))
    frames, status, reasons = read(path)
    assert (status, reasons) == ([0] * 5, {})
    np.testing.assert_array_equal(frames, pages)
    if not without and not pixels_first:
        there, by_opencv = cv2.imreadmulti(str(path), flags=cv2.IMREAD_GRAYSCALE)
        assert there
        np.testing.assert_array_equal(frames, np.stack(by_opencv))


def test_smaller_copies_and_masks_are_no_pages_unless_there_is_nothing_else(tmp_path: Path) -> None:
    path, pages = tmp_path / "a.tif", pixels(4)
    path.write_bytes(stack(pages, kinds={1: 1, 3: 4, 2: 2}))
    assert _core.count_pictures([path]) == [2]
    np.testing.assert_array_equal(read(path)[0], pages[[0, 2]])
    path.write_bytes(stack(pages, kinds=dict.fromkeys(range(4), 1)))
    assert _core.count_pictures([path]) == [4]


@pytest.mark.parametrize("end", [8, 10**6, 3])
def test_a_next_page_that_is_none_ends_the_stack_aloud(tmp_path: Path, end: int) -> None:
    path, pages = tmp_path / "a.tif", pixels(3)
    path.write_bytes(stack(pages, end=end))
    frames, status, reasons = read(path)
    assert status == [0, 0, 0, 2] and reasons == {3: "is cut off: the page is not there"}
    np.testing.assert_array_equal(frames[:3], pages)
    path.write_bytes(stack(pages[:1], end=end))  # a single picture with a wrong end stays one
    assert _core.count_pictures([path]) == [1]


def test_a_stack_cut_anywhere_gives_what_is_there_and_never_other_pixels(tmp_path: Path) -> None:
    path, pages = tmp_path / "a.tif", pixels(4)
    for pixels_first in (False, True):
        data = stack(pages, pixels_first=pixels_first)
        for length in range(37, len(data), 37):
            path.write_bytes(data[:length])
            if _core.count_pictures([path]) == [0]:
                continue
            frames, status, _ = read(path)
            for index, (frame, how) in enumerate(zip(frames, status, strict=True)):
                assert how != 0 or (frame == pages[index]).all(), (length, index, how)


def test_what_is_no_file_of_several_pictures(tmp_path: Path) -> None:
    bad = tmp_path / "bad.tif"
    bad.write_bytes(b"II*\0\xff\xff\xff\xff")
    (tmp_path / "text.gif").write_bytes(b"GIF89a")
    (tmp_path / "empty.png").touch()
    (tmp_path / "frame.jpg").write_bytes(b"\xff\xd8\xff\xd9")
    names = [bad, tmp_path / "text.gif", tmp_path / "empty.png", tmp_path / "frame.jpg", tmp_path, tmp_path / "none"]
    assert _core.count_pictures(names) == [0, 0, 1, 1, 0, 0]
    for name in names:
        with pytest.raises(ValueError, match=name.name):
            _core.PictureReader(name)


def test_no_more_pictures_than_there_are(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(stack(pixels(3)))
    reader = _core.PictureReader(path)
    reader.next(2, H, W)
    with pytest.raises(ValueError, match="2 pictures are not left"):
        reader.next(2, H, W)
    assert reader.next(1, 8, 8, "rgb")[0].shape == (1, 8, 8, 3)


def test_a_single_tiff_that_lacks_pixels_says_so(tmp_path: Path) -> None:
    path, page = tmp_path / "a.tif", pixels(1)
    path.write_bytes(stack(page)[:-30])
    frames, status = _core.decode_frames([path])
    assert status.tolist() == [1] and _core.explain_frame(path) == "is truncated: its pixels end early"
    np.testing.assert_array_equal(frames.reshape(-1)[: H * W - 30], page.reshape(-1)[: H * W - 30])
