"""The files of corrected frames: linked, copied, turned or replaced."""

import os
import shutil
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.sources import UNREADABLE
from pixelfast.sources.repair import stand_ins

JPEG_START = b"\xff\xd8"
JPEG_QUALITY = 95


class Change(Enum):
    """What became of a frame's file."""

    UNCHANGED = "unchanged"
    TURNED = "turned without loss"
    REENCODED = "turned and encoded again"
    REPLACED = "replaced by a neighbour"
    LEFT = "turned upside down in the source, but its file cannot be turned"


def write_frame_files(
    sources: Sequence[Path],
    folder: Path,
    flipped: NDArray[np.bool_],
    status: NDArray[np.uint8],
    *,
    copy: bool = False,
    orientation: bool = True,
    starts: Sequence[int] = (),
) -> list[Change]:
    """Writes the corrected file of each frame of a video into `folder`, under its own name.

    A frame is turned as it is seen, and its new file lies as it is seen: its orientation is 1, or it has none.

    Args:
        sources: N files in the order of the video.
        folder: exists and holds none of the names.
        flipped: bool[N], frames to turn.
        status: u8[N], as decoded.
        copy: whether unchanged files are copied instead of linked.
        orientation: whether frames are seen as their orientation says, or as they lie.
        starts: the positions before which time jumps.

    Returns:
        What became of each frame, in order.

    Raises:
        OSError: a file cannot be read or written.
    """
    readable, neighbours = np.flatnonzero(status != UNREADABLE), stand_ins(status, starts)
    changes = {
        index: _correct(sources[index], folder, bool(flipped[index]), copy, orientation) for index in readable.tolist()
    }
    for index in np.flatnonzero(status == UNREADABLE).tolist():
        _replace(folder / sources[index].name, folder / sources[neighbours[index]].name, orientation)
        changes[index] = Change.REPLACED
    return [changes[index] for index in range(len(sources))]


def _correct(source: Path, folder: Path, flipped: bool, copy: bool, orientation: bool) -> Change:
    target = folder / source.name
    turned = _turn(source.read_bytes(), source.suffix, orientation) if flipped else None
    if turned is None:
        link_or_copy(source, target, copy=copy)
        return Change.LEFT if flipped else Change.UNCHANGED
    data, lossless = turned
    target.write_bytes(data)
    return Change.TURNED if lossless else Change.REENCODED


def _turn(data: bytes, suffix: str, orientation: bool) -> tuple[bytes, bool] | None:
    """The image file turned upside down, in its own format, and whether without loss; None where it cannot be."""
    if data.startswith(JPEG_START):
        try:
            return _core.flip_jpeg(data, JPEG_QUALITY, orientation)
        except ValueError:  # cut off too early to be written anew
            return None
    image = _read_image(data, orientation)
    encoded = None if image is None else _write_image(image[::-1], _format(data, suffix))
    return None if encoded is None else (encoded, True)


def _replace(target: Path, stand_in: Path, orientation: bool) -> None:
    """Puts the corrected neighbour in a frame's place: its bytes, or its pixels where the suffixes differ."""
    data = stand_in.read_bytes()
    if target.suffix.lower() != stand_in.suffix.lower():
        image = _read_image(data, orientation)
        data = (None if image is None else _write_image(image, target.suffix.lower())) or data
    target.write_bytes(data)


def _read_image(data: bytes, orientation: bool) -> NDArray[np.generic] | None:
    """The pixels of an image file as they are seen, or as they lie."""
    import cv2

    if _announces_more(data):
        return None
    number, upright = _core.laid_upright(data)  # OpenCV turns a TIFF by itself, whatever it is told
    image = cv2.imdecode(np.frombuffer(upright, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or not orientation:
        return image
    down, across = (slice(None, None, -1 if number in turned else 1) for turned in ((3, 4, 7, 8), (2, 3, 6, 7)))
    return (image.swapaxes(0, 1) if number >= 5 else image)[down, across]


def _announces_more(data: bytes) -> bool:
    """Whether a chunk of a PNG says that it is longer than the file: OpenCV reserves that before it finds out."""
    at = 8
    while data.startswith(b"\x89PNG") and at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        if size > len(data):
            return True
        at += 12 + size
    return False


def _write_image(image: NDArray[np.generic], suffix: str) -> bytes | None:
    import cv2

    # Above 100, WebP is lossless; the other formats here are anyway, but JPEG.
    quality = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    if suffix in (".jpg", ".jpeg"):
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    done, encoded = cv2.imencode(suffix, np.ascontiguousarray(image), quality)
    return encoded.tobytes() if done else None


def _format(data: bytes, suffix: str) -> str:
    """The suffix of the format that the bytes are in, whatever the file is called."""
    starts = {b"\x89PNG": ".png", b"BM": ".bmp", b"II*\0": ".tiff", b"MM\0*": ".tiff", b"RIFF": ".webp"}
    return next((known for start, known in starts.items() if data.startswith(start)), suffix.lower())


def link_or_copy(source: Path, target: Path, *, copy: bool = False) -> None:
    """Makes a hard link, or a copy of the bytes where that is wanted or the file system makes no link."""
    try:
        if not copy:
            os.link(source.resolve(), target)
            return
    except OSError:
        pass
    shutil.copyfile(source, target)
