"""What of the picture counts in no method: a burnt-in clock, a tree, the road behind the fence; painted over."""

import base64
import binascii
import os
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.arguments import MOST_PIXELS as MOST_SIDE
from pixelfast.errors import ArgumentError

PAINT: Final = 128
"""The grey that is painted."""

MaskSpec = str | os.PathLike[str] | Sequence[int]
"""A picture whose white is left out, or x, y, width and height in pixels of the footage."""

_RECTANGLE: Final = re.compile(r"\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*")
_ASPECT: Final = 1.02
_WHITE: Final = 128
_PNG: Final = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_CHUNKS: Final = (b"IHDR", b"IDAT", b"IEND")
_MOST_PIXELS: Final = 128_000_000  # as the decoder takes


def mask_specs(given: "MaskSpec | Sequence[MaskSpec] | None") -> tuple[MaskSpec, ...]:
    """Returns one mask or several as several.

    Raises:
        ArgumentError: it is neither.
    """
    if given is None:
        return ()
    if isinstance(given, str | os.PathLike):
        return (given,)
    items: tuple[Any, ...] = tuple(given)
    if len(items) == 4 and all(isinstance(one, int | np.integer) for one in items):
        return (items,)
    for one in items:
        if not isinstance(one, str | os.PathLike) and not (isinstance(one, Sequence) and len(one) == 4):
            raise ArgumentError(f"a mask is a picture or x,y,w,h, not {one!r}")
    return items


def read_masks(specs: Iterable[MaskSpec], size: tuple[int, int]) -> str | None:
    """Puts masks together, each of which leaves something out.

    Args:
        specs: pictures, "x,y,w,h" or (x, y, w, h).
        size: height and width of the footage.

    Returns:
        A PNG of that size, white where a mask is, as base64 text; None where there is no mask.

    Raises:
        ArgumentError: one of them is no mask, does not fit the footage, or nothing of the picture is left.
    """
    union = np.zeros(size, np.bool_)
    given = list(specs)
    for spec in given:
        union |= _one(spec, size)
    if union.all():
        raise ArgumentError("the mask covers the whole picture, so that nothing is left to learn from: leave some free")
    return _packed(union) if given else None


def covered(mask: str) -> float:
    """Returns the share of the picture that a mask covers; a ValueError where the text is none."""
    return float(_unpacked(mask).mean())


def painted(frames: NDArray[np.uint8], mask: str | None) -> NDArray[np.uint8]:
    """Returns frames u8[n,H,W] or u8[n,H,W,3] with what the mask covers in one grey; the same array where it may be.

    Examples:
        >>> mask = read_masks(["0,0,2,1"], (2, 4))
        >>> painted(np.zeros((1, 2, 4), np.uint8), mask)[0].tolist()
        [[128, 128, 0, 0], [0, 0, 0, 0]]
    """
    if mask is None or not len(frames):
        return frames
    frames = frames if frames.flags.writeable else frames.copy()
    frames[:, mask_at(mask, frames.shape[1], frames.shape[2])] = PAINT
    return frames


def _one(spec: MaskSpec, size: tuple[int, int]) -> NDArray[np.bool_]:
    height, width = size
    match = _RECTANGLE.fullmatch(spec) if isinstance(spec, str) else None
    if match is None and isinstance(spec, str | os.PathLike):
        return _picture(Path(spec), size)
    x, y, across, down = map(int, match.groups() if match else spec)  # type: ignore[arg-type]
    if across < 1 or down < 1 or x >= width or y >= height or min(x, y) < 0:
        raise ArgumentError(
            f"mask {x},{y},{across},{down} (x,y,w,h) lies outside of the footage, which is {width}x{height} pixels"
        )
    mask = np.zeros(size, np.bool_)
    mask[y : y + down, x : x + across] = True
    return mask


def _picture(path: Path, size: tuple[int, int]) -> NDArray[np.bool_]:
    if not path.is_file():
        raise ArgumentError(f"mask {path} does not exist: give a picture (white is left out), or x,y,w,h in pixels")
    try:
        height, width = _core.frame_size(path)
    except ValueError as error:
        raise ArgumentError(f"mask {error}: give a picture whose white is left out") from error
    if not 1 / _ASPECT <= (height / width) / (size[0] / size[1]) <= _ASPECT:
        raise ArgumentError(
            f"mask {path} is {width}x{height} pixels, and the footage {size[1]}x{size[0]}: draw it over a frame of it"
        )
    grey, _ = _core.decode_frames([path], *size)
    white = np.asarray(grey[0] >= _WHITE)
    if not white.any():
        raise ArgumentError(f"mask {path} is black throughout: what is to be left out must be white")
    return white


def _packed(mask: NDArray[np.bool_]) -> str:
    import cv2

    done, data = cv2.imencode(".png", mask.astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1])
    assert done
    return base64.b64encode(data.tobytes()).decode("ascii")


def _may_be_mask(data: bytes) -> bool:
    """Says whether this is a PNG as `_packed` writes it, of a size that footage has, before any of its pixels is made.

    OpenCV reserves what a chunk says that it holds, whether it is there or not.
    """
    width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
    at = 8
    while data[at + 4 : at + 8] in _CHUNKS:
        at += 12 + int.from_bytes(data[at : at + 4])
    sized = max(width, height) <= MOST_SIDE and 0 < width * height <= _MOST_PIXELS
    return data.startswith(_PNG) and at == len(data) and sized


@lru_cache(8)
def _unpacked(mask: str) -> NDArray[np.bool_]:
    import cv2

    try:
        data = base64.b64decode(mask, validate=True)
        if not _may_be_mask(data):
            raise ValueError("is no mask")
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except (binascii.Error, cv2.error) as error:
        raise ValueError("is no mask") from error
    if picture is None:
        raise ValueError("is no mask")
    return np.asarray(picture >= _WHITE)


@lru_cache(32)
def mask_at(mask: str, height: int, width: int) -> NDArray[np.bool_]:
    """Returns bool[height, width]: the pixels of frames of a size in which what the mask covers has a part."""
    whole = _unpacked(mask)
    rows, columns = (_reached(side, into) for side, into in zip(whole.shape, (height, width), strict=True))
    found = np.asarray((rows.astype(np.float32) @ whole.astype(np.float32) @ columns.astype(np.float32).T) > 0)
    found.flags.writeable = False
    return found


def _reached(side: int, into: int) -> NDArray[np.bool_]:
    """bool[into, side]: which pixels of a side each of `into` is made of."""
    scale = side / into
    centres = (np.arange(into) + 0.5)[:, np.newaxis] * scale
    return np.asarray(np.abs(np.arange(side) + 0.5 - centres) < max(scale, 1.0))
