"""From the pictures that FFmpeg decoded to frames of one size, without a copy in between."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.sources.video import Color

if TYPE_CHECKING:
    from av import VideoFrame

Bytes = NDArray[np.uint8]

_UPPER_BITS: Final = re.compile("p[0-9]")
"""Formats such as p010, whose samples are the upper bits of two bytes."""

_LIMITED, _FULL = 1, 2  # FFmpeg's AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG
# Which of EXIF's orientations a display matrix is, by the signs of its first two rows.
_TURNS: Final = {
    (1, 0, 0, 1): 1, (-1, 0, 0, 1): 2, (-1, 0, 0, -1): 3, (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5, (0, 1, -1, 0): 6, (0, -1, -1, 0): 7, (0, -1, 1, 0): 8,
}  # fmt: skip


class Geometry(NamedTuple):
    """How the pixels of a decoded picture lie: see `_core.resize_planes`."""

    line: int
    size: tuple[int, int]
    bits: int
    limited: bool
    orientation: int

    @property
    def seen(self) -> tuple[int, int]:
        """Returns height and width as the picture is seen."""
        return self.size if self.orientation < 5 else self.size[::-1]


def write_frames(
    pictures: "Sequence[VideoFrame | None]", out: Bytes, color: Color, *, turn: bool, threads: int
) -> set[Geometry]:
    """Writes pictures to `out` u8[n,H,W] or [n,H,W,3], as they are seen where asked to; leaves it where there is none.

    Returns:
        The geometries that the pictures have.
    """
    laid_out = [None if picture is None else _laid_out(picture, color, turn=turn) for picture in pictures]
    (height, width), at, met = out.shape[1:3], 0, set[Geometry]()
    for geometry, some in groupby(laid_out, lambda one: None if one is None else one[0]):
        planes = [one[1] for one in some if one is not None] if geometry is not None else None
        if geometry is None or planes is None:
            at += sum(1 for _ in some)
            continue
        out[at : at + len(planes)] = _core.resize_planes(
            planes, geometry.line, geometry.size, height, width, color, bits=geometry.bits,
            limited=geometry.limited, orientation=geometry.orientation, threads=threads,
        )  # fmt: skip
        at += len(planes)
        met.add(geometry)
    return met


def geometry_of(picture: "VideoFrame") -> Geometry:
    """Returns how the luma of a picture lies, and how it is turned."""
    return _laid_out(picture, "grey", turn=True)[0]


def _laid_out(picture: Any, color: Color, *, turn: bool) -> tuple[Geometry, Bytes]:
    """Luma as it is where that is wanted and the picture has it, else what FFmpeg makes of it."""
    orientation, kind = _orientation(picture) if turn else 1, picture.format
    full, bits = picture.color_range == _FULL or kind.name.startswith("yuvj"), kind.components[0].bits
    if color == "rgb" or kind.is_rgb or kind.has_palette:
        picture, bits, full = picture.reformat(format="rgb24"), 24, True
    elif (not kind.is_planar and len(kind.components) > 1) or bits < 8 or (kind.is_big_endian and bits > 8):
        picture, bits = picture.reformat(format="yuv444p"), 8
    elif len(kind.components) == 1:
        full = picture.color_range != _LIMITED
    elif _UPPER_BITS.match(kind.name):
        bits = 16
    plane = picture.planes[0]
    geometry = Geometry(plane.line_size, (picture.height, picture.width), bits, not full, orientation)
    return geometry, np.frombuffer(plane, np.uint8)


def _orientation(picture: Any) -> int:
    """What the display matrix says, from 1 to 8 as EXIF numbers it; 1 where there is none, or it is askew."""
    matrix = picture.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 1
    numbers = np.sign(np.frombuffer(bytes(matrix), np.int32)[[0, 1, 3, 4]])
    return _TURNS.get(tuple(numbers.tolist()), 1)
