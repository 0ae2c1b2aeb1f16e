"""Which video files NVDEC decodes: those of which it gives the very pixels that FFmpeg gives."""

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pixelfast.errors import first_line
from pixelfast.sources.nvdec import NvPackage, Toolkit, UnfitError
from pixelfast.sources.planes import Bytes, Geometry, geometry_of, orientation_of

if TYPE_CHECKING:
    from av import VideoFrame

_CODECS: Final = {"h264": "H264", "hevc": "HEVC", "vp9": "VP9", "libvpx-vp9": "VP9", "av1": "AV1", "libdav1d": "AV1"}
"""The codecs by FFmpeg's decoders whose standards leave no choice of pixels, and what the package calls them."""

_FORMATS: Final = frozenset({"yuv420p", "yuvj420p"})


class NvdecPlan(NamedTuple):
    """How a file is decoded.

    Attributes:
        codec: as the package calls it.
        geometry: how pictures lie, all as the first.
        into: the height and width that are wanted.
        first: u8[height, width], the luma of the first picture as FFmpeg decodes it.
    """

    codec: str
    geometry: Geometry
    into: tuple[int, int]
    first: Bytes


def nvdec_plan(kit: Toolkit, codec: str, first: "VideoFrame", into: tuple[int, int], *, orientation: bool) -> NvdecPlan:
    """Returns how a file is decoded, of which FFmpeg has decoded the first picture.

    Args:
        kit: what decodes.
        codec: FFmpeg's name of its decoder.
        first: the picture.
        into: the height and width that are wanted.
        orientation: whether pictures are turned as they say.

    Raises:
        UnfitError: it is none that NVDEC gives the same pixels of.
    """
    height, width = first.height, first.width
    if codec not in _CODECS:
        raise UnfitError(f"it is {codec}, and NVDEC is used for H.264, HEVC, VP9 and AV1")
    if first.format.name not in _FORMATS:
        raise UnfitError(f"its pixels are {first.format.name}, and NVDEC is used for yuv420p of 8 bits")
    if first.interlaced_frame:
        raise UnfitError("it is interlaced")
    if orientation and orientation_of(first) != 1:
        raise UnfitError("it carries a rotation")
    if height % 2 or width % 2:
        raise UnfitError(f"its pictures are {width}x{height}, and NVDEC takes even sides")
    _check_caps(kit.package, _CODECS[codec], height, width)
    geometry = geometry_of(first)._replace(orientation=1)
    rows = np.frombuffer(memoryview(first.planes[0]), np.uint8)[: height * geometry.line].reshape(height, geometry.line)
    return NvdecPlan(_CODECS[codec], geometry, into, rows[:, :width].copy())


def _check_caps(package: NvPackage, codec: str, height: int, width: int) -> None:
    try:
        caps = package.GetDecoderCaps(gpuid=0, codec=getattr(package.cudaVideoCodec, codec))
    except Exception as error:
        raise UnfitError(f"NVDEC does not say what it decodes ({first_line(error)})") from error
    if not caps.get("supported"):
        raise UnfitError(f"this GPU does not decode {codec}")
    least, most = ((caps.get(f"height_{end}", 0), caps.get(f"width_{end}", 0)) for end in ("min", "max"))
    if not (least[0] <= height <= most[0] and least[1] <= width <= most[1]):
        raise UnfitError(f"its pictures are {width}x{height}, and this GPU decodes {codec} up to {most[1]}x{most[0]}")
