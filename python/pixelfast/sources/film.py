"""The frames of a video file as FFmpeg decodes them, with the time and the state of each."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Protocol, Self

import av
import av.filter
from av.codec.context import Flags, Flags2

from pixelfast.machine.threads import usable_cores
from pixelfast.sources.clock import Clock
from pixelfast.sources.file_faults import opened_file, video_stream
from pixelfast.sources.planes import ResizedPicture
from pixelfast.sources.video import READ, TRUNCATED, UNREADABLE

MOST_IN_A_ROW: Final = 25
"""So many frames in a row that cannot be decoded are replaced; more are footage that is missing."""

_MOST_THREADS: Final = 16
_DEINTERLACE: Final = "mode=send_frame:deint=interlaced"
_STEADY_FRAMES: Final = 10
_JITTER, _GAP = 0.1, 0.5  # of a step

_LOST: Final = "cannot be decoded: its packet is damaged"
_SMEARED: Final = "is smeared: packets before it are damaged or missing"

_Picture = av.VideoFrame | ResizedPicture


class Shot(NamedTuple):
    """One frame: its picture, None where there is none; its time in seconds; its status, and a clause that says why.

    Where the pictures were resized as they were decoded, `small` is the picture.
    """

    frame: "av.VideoFrame | None"
    seconds: float
    status: int = READ
    why: str = ""
    small: ResizedPicture | None = None


class PacketDecoder(Protocol):
    """What decodes a stream in place of FFmpeg's decoder."""

    def decode(self, packet: "av.Packet[Any] | None") -> list[ResizedPicture]:
        """Takes the next packet, the last of which is None or empty; returns the pictures that are ready."""


class Film:
    """Decodes the video stream of a file, forward, in a `with` block.

    Frames after a damaged one are taken as smeared up to the next key frame.

    Attributes:
        interlaced: whether an interlaced frame was met.
        clock: the times of the frames so far.
        codec: FFmpeg's name of the decoder.
        rate: frames a second by the file's header; None where it says nothing of it.
        promised: seconds that the header says the video lasts; None where it says nothing of it, or not of it alone.
        missing: seconds between frames that were lost with their packets.
        undecoded: frames that could not be decoded, and were too many in a row to be replaced.
        fault: what FFmpeg said where it could not read on; None where the video just ended.
    """

    def __init__(
        self,
        source: Path | tuple[Any, Any],
        threads: int,
        *,
        deinterlace: bool = False,
        decoder: Callable[[Any], PacketDecoder] | None = None,
    ) -> None:
        """Opens a file, or takes an open one with its stream, whose frames are then decoded without delay.

        `decoder` makes of the stream what decodes it; None for FFmpeg's own decoder.

        Raises:
            LostFootageError: it is none, or there is no video in it that can be decoded.
        """
        ready = not isinstance(source, Path)
        self._file, self._stream = _opened(source) if isinstance(source, Path) else source
        context = self._stream.codec_context
        context.thread_type = "SLICE" if ready else "AUTO"
        context.thread_count = min(_decoders(threads), _MOST_THREADS)
        context.flags |= Flags.output_corrupt
        context.flags2 |= Flags2.show_all
        if context.name == "hevc":
            context.options = {"err_detect": "explode"}  # without it, damage goes unsaid; its frames come all the same
        self.codec = str(context.name)
        self.rate = frame_rate(self._stream)
        self._tick = float(self._stream.time_base or 1)
        self.promised = self._promised()
        self._begin = 0.0 if self._stream.start_time is None else self._seconds(self._stream.start_time)
        self.clock = Clock(1.0 / self.rate if self.rate else 0.04)
        self.interlaced = False
        self.missing, self.undecoded = 0.0, 0
        self.fault: Exception | None = None
        self._deinterlace = deinterlace
        self._damaged: dict[int, bool] = {}  # times of packets: whether they gave no frame as yet
        self._smeared = False
        self._steady = _Steady()
        self._decode: Callable[[Any], list[Any]] = context.decode if decoder is None else self._begun(decoder).decode

    def _begun(self, decoder: Callable[[Any], PacketDecoder]) -> PacketDecoder:
        try:
            return decoder(self._stream)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    def _promised(self) -> float | None:
        """What the header says the video lasts; of several that it says the longest."""
        counted = self._stream.frames / self.rate if self.rate else 0.0
        if self._stream.duration is not None:
            return max(counted, self._seconds(self._stream.duration))
        if counted:
            return counted
        with suppress(KeyError, ValueError):
            hours, minutes, seconds = self._stream.metadata["DURATION"].split(":")
            return 3600.0 * int(hours) + 60.0 * int(minutes) + float(seconds)
        whole = self._file.duration
        return None if whole is None or len(self._file.streams) > 1 else whole / av.time_base

    def missing_seconds(self) -> float:
        """Returns how much shorter the video is than its header says, and what is missing within, so far."""
        if self.clock.last is None or self.promised is None:
            return self.missing
        late = max(0.0, self.clock.first - self._begin)
        return self.missing + max(0.0, self.promised - late - self.clock.last - self.clock.step) + late

    def __iter__(self) -> Iterator[Shot]:
        return self._with_lost(self._deinterlaced(self._frames()) if self._deinterlace else self._frames())

    def _packets(self) -> Iterator[Any]:
        packets = self._file.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError) as error:  # the file ends in the middle, or goes away
                self._smeared, self.fault = True, error
                yield None
                return
            if packet is None:
                return
            yield packet

    def _frames(self) -> Iterator[_Picture]:
        for packet in self._packets():
            try:
                frames = self._decode(packet)
            except av.FFmpegError:
                self._smeared = True
                if packet is not None and packet.pts is not None:
                    self._damaged[packet.pts] = True
                continue
            if packet is not None and packet.is_corrupt and packet.pts is not None:
                self._damaged[packet.pts] = False
            for frame in frames:
                self.interlaced |= frame.interlaced_frame
                yield frame

    def _deinterlaced(self, frames: Iterator[_Picture]) -> Iterator[_Picture]:
        graph: Any = None
        for frame in frames:
            if graph is None:
                if not frame.interlaced_frame:
                    yield frame
                    continue
                graph = av.filter.Graph()
                source = graph.add_buffer(template=self._stream, time_base=self._stream.time_base)
                graph.link_nodes(source, graph.add("bwdif", _DEINTERLACE), graph.add("buffersink")).configure()
            graph.push(frame)
            yield from _pulled(graph)
        if graph is not None:
            graph.push(None)
            yield from _pulled(graph)

    def _with_lost(self, frames: Iterator[_Picture]) -> Iterator[Shot]:
        """The frames as shots, and one without a picture for each that was lost between them."""
        for frame in frames:
            ticks = None if frame.pts is None else self._ticks(frame)
            passed = [] if ticks is None else sorted(at for at in self._damaged if at < ticks)
            lost = [at for at in passed if self._damaged.pop(at)]
            if self.clock.last is None or len(lost) > MOST_IN_A_ROW:
                self.undecoded += len(lost)
                lost = []
            for at in lost:
                yield Shot(None, self.clock.tell(self._seconds(at)), UNREADABLE, _LOST)
            yield self._shot(frame, ticks)

    def _shot(self, frame: _Picture, ticks: int | None) -> Shot:
        damaged = frame.is_corrupt or (ticks is not None and self._damaged.pop(ticks, None) is not None)
        before, was_smeared = self.clock.last, self._smeared
        seconds = self.clock.tell(None if ticks is None else self._seconds(ticks))
        gap = 0.0 if before is None else seconds - before - self.clock.step
        damaged |= self._steady.breaks(gap / self.clock.step) and not frame.key_frame
        if gap > self.clock.step / 2 and (damaged or was_smeared):
            self.missing += gap
        self._smeared = damaged or (was_smeared and not frame.key_frame)
        status, why = (TRUNCATED, _SMEARED) if self._smeared else (READ, "")
        if isinstance(frame, ResizedPicture):
            return Shot(None, seconds, status, why, frame)
        return Shot(frame, seconds, status, why)

    def _ticks(self, frame: _Picture) -> int:
        """The time of a frame in units of the stream, which a filter may have changed."""
        assert frame.pts is not None
        if isinstance(frame, ResizedPicture) or not self._deinterlace or frame.time_base is None:
            return frame.pts
        return round(float(frame.pts * frame.time_base) / self._tick)

    def _seconds(self, ticks: int) -> float:
        return ticks * self._tick


class _Steady:
    """Whether frames have come at even steps so far, so that one that comes later tells of lost ones before it."""

    def __init__(self) -> None:
        self._frames, self._even = 0, True

    def breaks(self, late: float) -> bool:
        """Takes the next frame, so many steps later than usual; returns whether frames are lost before it."""
        if self._even and self._frames >= _STEADY_FRAMES and late > _GAP:
            return True
        self._frames += 1
        self._even &= abs(late) <= _JITTER or self._frames < 2
        return False


def _decoders(threads: int) -> int:
    """One more than there are cores, where all may be used: one of them waits while a picture is resized."""
    return threads + (1 < usable_cores() <= threads)


def _opened(path: Path) -> tuple[Any, Any]:
    file = opened_file(path)
    return file, video_stream(file, path)


def frame_rate(stream: Any) -> float | None:
    """Returns the frames a second that a stream's header tells; None where it tells none that can be."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0.01 <= float(rate) <= 1000.0:
            return float(rate)
    return None


def _pulled(graph: Any) -> "Iterator[av.VideoFrame]":
    while True:
        try:
            yield graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
