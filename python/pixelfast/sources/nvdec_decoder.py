"""Packets to small frames on the GPU: decoded by NVDEC, resized by PyTorch, then copied to the host, page-locked.

Only the small frames cross the bus, 16 KB each at 128x128, which is nothing beside decoding: so a file that is decoded
here looks like any other to the stages after it (repair, noise, flips, digests), and none of them knows about GPUs.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from av import FFmpegError

from pixelfast import _core
from pixelfast.errors import first_line
from pixelfast.sources.nvdec import NvFrame, Toolkit, UnfitError
from pixelfast.sources.nvdec_plan import NvdecPlan
from pixelfast.sources.planes import Bytes, ResizedPicture
from pixelfast.sources.shrink import LumaShrink, can_shrink
from pixelfast.sources.tail import StreamTail

if TYPE_CHECKING:
    from av import Packet
    from torch import Tensor

_START_CODES: Final = {"H264": "h264_mp4toannexb", "HEVC": "hevc_mp4toannexb"}
"""FFmpeg's filters that make of an MP4's or MKV's packets what NVDEC takes; others pass unchanged."""

AT_ONCE: Final = 16
"""Pictures that are resized and copied at a time."""


class NvdecDecoder:
    """Decodes the packets of one stream, in place of FFmpeg's decoder.

    The first picture must be FFmpeg's, byte for byte; each picture must be of a packet that was given, and each packet
    must come to one. NVDEC conceals damage within a packet without a word, so that a packet which FFmpeg's demuxer
    calls damaged ends its work.

    Args:
        kit: what decodes.
        plan: how.
        stream: of an open file, as PyAV has it.

    Raises:
        UnfitError: the package refuses to make a decoder.
    """

    def __init__(self, kit: Toolkit, plan: NvdecPlan, stream: Any) -> None:
        self._kit, self._plan = kit, plan
        self._filter = _filter_for(plan.codec, stream)
        self._first: Bytes | None = plan.first
        self._waiting: dict[int, bool] = {}  # times of packets that came to no picture yet: whether they are key frames
        self._ready = list[tuple[int, bool]]()  # of the pictures that are held
        self._tail, self._ended = StreamTail(stream), False
        with _or_unfit():
            self._work = _Work(kit.device, plan)
            codec = getattr(kit.package.cudaVideoCodec, plan.codec)
            self._decoder = kit.package.CreateDecoder(
                gpuid=0, codec=codec, cudastream=self._work.stream, usedevicememory=True
            )

    def decode(self, packet: "Packet[Any] | None") -> list[ResizedPicture]:
        """Takes a packet, the last of which is None or empty; returns the pictures that are ready, as they are shown.

        Raises:
            UnfitError: the rest of the file is not for NVDEC.
        """
        if self._ended:
            raise UnfitError("it goes on after an empty packet")
        if packet is None or not packet.size:
            self._ended = True
            self._feed(0, 0, 0)
            if self._waiting:
                raise UnfitError(f"{len(self._waiting)} of its packets came to no picture")
            if not self._tail.is_whole():
                raise UnfitError("its end is damaged")
            return self._small()
        if packet.is_corrupt or packet.is_discard:
            raise UnfitError("a packet is damaged" if packet.is_corrupt else "some of its frames are not to be shown")
        if packet.pts is None or packet.pts in self._waiting:
            raise UnfitError("its packets have no times of their own")
        pts = packet.pts  # the filter takes the packet over
        self._waiting[pts] = packet.is_keyframe
        self._tail.add(packet)
        try:
            filtered = self._filter(packet)
        except FFmpegError as error:
            raise UnfitError("a packet is damaged") from error
        for one in filtered:
            self._feed(one.buffer_ptr, one.buffer_size, pts)
        return self._small() if len(self._ready) >= AT_ONCE else []

    def _feed(self, address: int, size: int, pts: int) -> None:
        """Has bytes decoded, and holds what comes of them: it lies where the next pictures will."""
        with _or_unfit(), self._work.on_stream():
            data = self._kit.package.PacketData()
            data.bsl_data, data.bsl, data.pts = address, size, pts
            for frame in self._decoder.Decode(data):
                self._hold(frame.timestamp, _luma(frame, self._plan.geometry.size))

    def _hold(self, pts: int, luma: "Tensor") -> None:
        key_frame = self._waiting.pop(pts, None)
        if key_frame is None or any(earlier < pts for earlier in self._waiting):
            raise UnfitError("its pictures are not those of its packets, one each")
        if self._first is not None:
            if not np.array_equal(luma.cpu().numpy(), self._first):
                raise UnfitError("its first picture is not what FFmpeg decodes")
            self._first = None
        self._ready.append((pts, key_frame))
        self._work.hold(luma)

    def _small(self) -> list[ResizedPicture]:
        with _or_unfit(), self._work.on_stream():
            frames = self._work.resized()
        ready, self._ready = self._ready, []
        return [
            ResizedPicture(pixels, self._plan.geometry, pts, key_frame)
            for pixels, (pts, key_frame) in zip(frames, ready, strict=True)
        ]


@contextmanager
def _or_unfit() -> Iterator[None]:
    """Whatever the GPU says within is a reason to let FFmpeg decode."""
    try:
        yield
    except UnfitError:
        raise
    except Exception as error:
        raise UnfitError(f"NVDEC fails: {first_line(error)}") from error


class _Work:
    """What PyTorch does with decoded pictures, on a stream of its own where that is a GPU.

    Attributes:
        stream: CUDA's handle of it, which the decoder works on as well; 0 on a CPU.
    """

    def __init__(self, device: str, plan: NvdecPlan) -> None:
        import torch

        self._geometry, self._into, self._device = plan.geometry, plan.into, device
        cuda: Any = torch.cuda
        self._stream = cuda.Stream() if device == "cuda" else None
        self.stream = 0 if self._stream is None else int(self._stream.cuda_stream)
        size, limited = plan.geometry.size, plan.geometry.limited
        self._shrink: LumaShrink | None = None
        if can_shrink(size, plan.into):
            self._shrink = LumaShrink(size, plan.into, limited=limited, device=device)
        self._held = list[Any]()

    def on_stream(self) -> AbstractContextManager[Any]:
        """Has PyTorch put its work on the stream, on this thread."""
        import torch

        return nullcontext() if self._stream is None else torch.cuda.stream(self._stream)

    def hold(self, luma: "Tensor") -> None:
        """Keeps a copy of u8[h, w] on the device."""
        self._held.append(luma.clone())

    def resized(self) -> Bytes:
        """Returns u8[n, H, W] of the pictures that are held, and lets them go."""
        import torch

        held, self._held = self._held, []
        if not held:
            return np.empty((0, *self._into), np.uint8)
        stacked = torch.stack(held)
        small = self._on_host(stacked if self._shrink is None else self._shrink(stacked))
        if self._shrink is not None:
            return small
        # So much smaller, the core takes another way, which is not made again here: whole pictures cross the bus.
        planes, (height, width) = small.reshape(len(held), -1), self._geometry.size
        return _core.resize_planes(
            list(planes), width, (height, width), *self._into, limited=self._geometry.limited, threads=2
        )

    def _on_host(self, pictures: "Tensor") -> Bytes:
        """A copy in memory of its own, by way of page-locked memory, of which PyTorch keeps some."""
        import torch

        if self._stream is None:
            return np.array(pictures.numpy())
        locked = torch.empty(pictures.shape, dtype=torch.uint8, pin_memory=True)
        locked.copy_(pictures, non_blocking=True)
        self._stream.synchronize()
        return np.array(locked.numpy())


def _luma(frame: NvFrame, size: tuple[int, int]) -> "Tensor":
    """The upper part u8[height, width] of a frame of luma above chroma, which shares its memory."""
    import torch

    whole: Tensor = torch.utils.dlpack.from_dlpack(frame)
    height, width = size
    if whole.dtype != torch.uint8 or tuple(whole.shape) != (height * 3 // 2, width):
        raise ValueError(f"a picture is {whole.dtype} {tuple(whole.shape)}, not that of {width}x{height} pixels")
    return whole[:height]


def _filter_for(codec: str, stream: Any) -> "Callable[[Packet[Any]], list[Packet[Any]]]":
    if codec not in _START_CODES:
        return lambda packet: [packet]
    from av.bitstream import BitStreamFilterContext

    return BitStreamFilterContext(_START_CODES[codec], stream).filter
