"""A module with PyNvVideoCodec's interface that decodes by FFmpeg on the CPU, as tightly as that does on a GPU."""

import ctypes
from enum import Enum
from fractions import Fraction
from typing import Any

import av
import numpy as np
import torch


class PacketData:
    """A packet by its address; a name that the package does not have is refused."""

    __slots__ = ("bsl", "bsl_data", "pts")

    def __init__(self) -> None:
        self.bsl_data = self.bsl = self.pts = 0


class DecodedFrame:
    """A picture in memory that the next packet's pictures get."""

    def __init__(self, timestamp: int, memory: torch.Tensor) -> None:
        self.timestamp, self._memory = timestamp, memory

    def __dlpack__(self, stream: Any = None, **more: Any) -> Any:
        return self._memory.__dlpack__(**more)

    def __dlpack_device__(self) -> Any:
        return self._memory.__dlpack_device__()


class cudaVideoCodec(Enum):  # noqa: N801
    """As the package's, with the names of FFmpeg's decoders."""

    H264 = "h264"
    HEVC = "hevc"
    VP9 = "vp9"
    AV1 = "libdav1d"


class Decoder:
    """Decodes what it is given, says nothing of damage, and reuses its memory."""

    def __init__(self, codec: cudaVideoCodec, faults: "FakeNvdec") -> None:
        self._context: Any = av.CodecContext.create(codec.value, "r")
        self._context.thread_count = 1
        self._memory: list[torch.Tensor] = []
        self._faults, self._shown = faults, 0

    def Decode(self, packet: PacketData) -> list[DecodedFrame]:  # noqa: N802
        self._faults.packets += 1
        if self._faults.packets == self._faults.fails_at:
            raise RuntimeError("CUDA_ERROR_UNKNOWN\nand more")
        for memory in self._memory:
            memory.fill_(77)
        data = None
        if packet.bsl:
            data = av.Packet(ctypes.string_at(packet.bsl_data, packet.bsl))
            data.pts, data.time_base = packet.pts, Fraction(1, 1000)
        try:
            pictures = self._context.decode(data)
        except av.FFmpegError:
            return []
        return [self._frame(index, picture) for index, picture in enumerate(pictures)]

    def _frame(self, index: int, picture: Any) -> DecodedFrame:
        whole = torch.from_numpy(picture.reformat(format="nv12").to_ndarray())
        if len(self._memory) <= index:
            self._memory.append(torch.empty_like(whole))
        self._memory[index].copy_(whole)
        self._shown += 1
        self._faults.spoil(self._shown, self._memory[index])
        return DecodedFrame(picture.pts, self._memory[index])


class FakeNvdec:
    """The module.

    Attributes:
        packets: how many were decoded.
        fails_at: the packet at which the GPU fails; 0 for before the first.
        wrong: whether pixels are not what they should be.
        caps: what the GPU decodes.
    """

    cudaVideoCodec = cudaVideoCodec  # noqa: N815
    PacketData = PacketData

    def __init__(self) -> None:
        self.packets, self.fails_at, self.wrong = 0, -1, False
        self.caps = {"supported": 1, "width_min": 16, "height_min": 16, "width_max": 4096, "height_max": 4096}

    def CreateDecoder(  # noqa: N802
        self, *, gpuid: int, codec: cudaVideoCodec, cudastream: int, usedevicememory: bool
    ) -> Decoder:
        assert (gpuid, cudastream, usedevicememory) == (0, 0, True)
        if self.fails_at == 0:
            raise RuntimeError("CUDA_ERROR_UNKNOWN")
        return Decoder(codec, self)

    def GetDecoderCaps(self, *, gpuid: int, codec: cudaVideoCodec) -> dict[str, int]:  # noqa: N802
        assert gpuid == 0 and isinstance(codec, cudaVideoCodec)
        return self.caps

    def spoil(self, shown: int, memory: torch.Tensor) -> None:
        """Makes one pixel of the first picture another, where that is asked for."""
        if self.wrong and shown == 1:
            memory[0, 0] = np.uint8(memory[0, 0].item() ^ 1)
