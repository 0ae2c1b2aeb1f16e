"""NVIDIA's video decoder by PyNvVideoCodec: whether it is there, what is used of it, and when it is to decode.

Not seen at work: no GPU was at hand. What is used of the package was compared with its built module, and the path runs
in tests with a module that has its interface and decodes by FFmpeg.
"""

import os
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, Literal, NamedTuple, Protocol, get_args

from pixelfast.errors import ArgumentError, EngineError, first_line
from pixelfast.machine.forks import check_torch_not_inherited
from pixelfast.machine.gpu import first_gpu

PACKAGE: Final = "PyNvVideoCodec"
INSTALL: Final = "pip install 'pixelfast[nvdec]'"

WISH: Final = "PIXELFAST_DECODER"
"""The environment variable that says who decodes video files; it changes no result, so that no model keeps it."""

Wish = Literal["auto", "ffmpeg", "nvdec"]
_WISHES: Final[tuple[Wish, ...]] = get_args(Wish)


class UnfitError(Exception):
    """A file, or the rest of it, is not for NVDEC; the text is a clause that says why."""


class NvPacket(Protocol):
    """`PacketData`: a packet of the stream, by its address."""

    bsl_data: int
    bsl: int
    pts: int


class NvFrame(Protocol):
    """`DecodedFrame`: luma above chroma, on the GPU, until the next packet is decoded."""

    @property
    def timestamp(self) -> int:
        """The time of the packet that the frame came with."""

    def __dlpack__(self, stream: Any = None) -> Any:
        """The same memory as a tensor u8[3 * height / 2, width]."""

    def __dlpack_device__(self) -> Any:
        """Where it lies."""


class NvPacketDecoder(Protocol):
    """`PyNvDecoder`."""

    def Decode(self, packet: NvPacket, /) -> list[NvFrame]:  # noqa: N802
        """The frames that are ready, in the order in which they are shown; all that are left after one of no bytes."""


class NvPackage(Protocol):
    """The module."""

    cudaVideoCodec: Any  # noqa: N815
    """Its members are codecs: `H264`, `HEVC`, `VP9`, `AV1`."""

    def PacketData(self) -> NvPacket:  # noqa: N802
        """An empty packet."""

    def CreateDecoder(  # noqa: N802
        self, *, gpuid: int, codec: Any, cudastream: int, usedevicememory: bool
    ) -> NvPacketDecoder:
        """A decoder in the GPU's primary context, PyTorch's own, whose frames are ready in the order of a stream."""

    def GetDecoderCaps(self, *, gpuid: int, codec: Any) -> dict[str, int]:  # noqa: N802
        """What the GPU decodes of a codec's 8-bit 4:2:0: `supported`, and the least and largest sides."""


class Toolkit(NamedTuple):
    """What decodes: the module, and where PyTorch finds its frames."""

    package: NvPackage
    device: str


def wish() -> Wish:
    """Returns what the environment says about who decodes video files; "auto" where it says nothing.

    Raises:
        ArgumentError: it says something else.

    Examples:
        >>> from pixelfast.sources.nvdec import wish
        >>> wish()
        'auto'
    """
    said = os.environ.get(WISH, "").strip().lower() or "auto"
    for known in _WISHES:
        if said == known:
            return known
    raise ArgumentError(f"the environment variable {WISH} must be auto, ffmpeg or nvdec, not {said!r}")


def toolkit() -> Toolkit:
    """Returns what decodes on this machine's GPU; PyTorch and the package are imported by it.

    Raises:
        UnfitError: the package is missing, or there is no GPU for it.
    """
    missing = _missing()
    if missing is not None:
        raise UnfitError(missing)
    try:
        check_torch_not_inherited()
    except EngineError as error:
        raise UnfitError(str(error)) from error
    package: Any = import_module(PACKAGE)
    return Toolkit(package, "cuda")


@cache
def _missing() -> str | None:
    """What NVDEC lacks here, as a clause; None where it is there."""
    if find_spec(PACKAGE) is None:
        return f"{PACKAGE} is not installed: {INSTALL}"
    if first_gpu() is None:
        return "this machine has no NVIDIA GPU that can be used"
    try:
        import torch

        if not torch.cuda.is_available():
            return "PyTorch, which resizes what NVDEC decodes, finds no GPU"
    except (ImportError, OSError) as error:
        return f"PyTorch, which resizes what NVDEC decodes, cannot be imported ({first_line(error)}): {INSTALL}"
    try:
        import_module(PACKAGE)
    except Exception as error:
        # It raises RuntimeError where the driver lacks its video part, as in a container that was not given it.
        return f"{PACKAGE} is installed and cannot be imported ({first_line(error)})"
    return None


def describe_nvdec() -> str:
    """Says whether NVDEC decodes video files here, and if not, why."""
    try:
        wished = wish()
    except ArgumentError as error:
        return f"no: {error}"
    missing = f"{WISH} says ffmpeg" if wished == "ffmpeg" else _missing()
    return f"no: {missing}" if missing else "yes: H.264, HEVC, VP9 and AV1 of 8 bits, 4:2:0, progressive"
