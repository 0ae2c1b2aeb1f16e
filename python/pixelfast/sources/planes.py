"""From the pictures that FFmpeg decoded to frames of one size, without a copy in between."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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


@dataclass(frozen=True, eq=False)
class ResizedPicture:
    """A picture that was resized where it was decoded, and what `Film` asks of a picture of FFmpeg's.

    Attributes:
        pixels: u8[H,W], of the size that is wanted, full range.
        geometry: how the decoded picture lay.
        pts: its time, in units of the stream.
        key_frame: whether it can be decoded without others.
    """

    pixels: Bytes
    geometry: Geometry
    pts: int
    key_frame: bool
    is_corrupt: bool = False
    interlaced_frame: bool = False


def write_frames(
    pictures: "Sequence[VideoFrame | ResizedPicture | None]",
    out: Bytes,
    color: Color,
    *,
    orientation: int,
    threads: int,
) -> set[Geometry]:
    """Writes pictures to `out` u8[n,H,W] or [n,H,W,3], turned by an orientation; leaves it where there is none.

    What was resized already is only copied.

    Returns:
        The geometries that the pictures have.
    """
    (height, width), at, met = out.shape[1:3], 0, set[Geometry]()
    for index, picture in enumerate(pictures):
        if isinstance(picture, ResizedPicture):
            out[index] = picture.pixels
            met.add(picture.geometry)
    decoded = [None if isinstance(picture, ResizedPicture) else picture for picture in pictures]
    laid_out = [None if picture is None else _laid_out(picture, color, orientation) for picture in decoded]
    for geometry, some in groupby(laid_out, lambda one: None if one is None else one[0]):
        planes = [None if one is None else one[1] for one in some]
        if geometry is not None:
            out[at : at + len(planes)] = _core.resize_planes(
                [plane for plane in planes if plane is not None], geometry.line, geometry.size, height, width, color,
                bits=geometry.bits, limited=geometry.limited, orientation=geometry.orientation, threads=threads,
            )  # fmt: skip
            met.add(geometry)
        at += len(planes)
    return met


def geometry_of(picture: "VideoFrame") -> Geometry:
    """Returns how the luma of a picture lies, and how it is turned."""
    return _laid_out(picture, "grey", orientation_of(picture))[0]


def orientation_of(picture: Any) -> int:
    """Returns what the display matrix says, from 1 to 8 as EXIF numbers it; 1 where there is none, or it is askew."""
    from av.sidedata.sidedata import SideDataContainer

    # Not `picture.side_data`, which the picture keeps, and which keeps the picture, with its decoder's memory and the
    # threads that have resized it, until Python looks for such rings.
    side_data: Any = SideDataContainer
    matrix = side_data(picture).get("DISPLAYMATRIX")
    if matrix is None:
        return 1
    numbers = np.sign(np.frombuffer(bytes(matrix), np.int32)[[0, 1, 3, 4]])
    return _TURNS.get(tuple(numbers.tolist()), 1)


class _Kind(NamedTuple):
    """What a format's first plane is: what to make of it first, the bits of a sample, and whether its range is full.

    Where `full` is None the picture says it; `usual` is what counts where it does not.
    """

    remade: str | None
    bits: int
    full: bool | None
    usual: bool = False


@lru_cache(64)
def _kind_of(name: str) -> _Kind:
    import av

    kind = av.VideoFormat(name, 16, 16)
    bits = kind.components[0].bits
    if kind.is_rgb or kind.has_palette:
        return _Kind("rgb24", 24, True)
    if (not kind.is_planar and len(kind.components) > 1) or bits < 8 or (kind.is_big_endian and bits > 8):
        return _Kind("yuv444p", 8, False)
    if _UPPER_BITS.match(name):
        bits = 16
    return _Kind(None, bits, True if name.startswith("yuvj") else None, len(kind.components) == 1)


def _laid_out(picture: Any, color: Color, orientation: int) -> tuple[Geometry, Bytes]:
    """Luma as it is where that is wanted and the picture has it, else what FFmpeg makes of it."""
    kind = _Kind("rgb24", 24, True) if color == "rgb" else _kind_of(picture.format.name)
    full = kind.full
    if full is None:
        said = picture.color_range
        full = said == _FULL if said in (_LIMITED, _FULL) else kind.usual
    if kind.remade is not None:
        picture = picture.reformat(format=kind.remade)
    plane = picture.planes[0]
    geometry = Geometry(plane.line_size, (picture.height, picture.width), kind.bits, not full, orientation)
    return geometry, np.frombuffer(plane, np.uint8)
