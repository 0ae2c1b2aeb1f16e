"""Whether a stream ends whole, of which the container does not say how long its packets are."""

from typing import Any, Final

from av import FFmpegError, Packet

_UNSIZED: Final = frozenset({"mpegts", "mpeg"})
"""Containers, as FFmpeg calls them, whose last packet may be cut off without a word."""

_MOST_PACKETS: Final = 1000
"""Beyond so many since the last key frame nothing is looked at: FFmpeg would decode half a minute and more again."""


class StreamTail:
    """The packets since the last key frame, kept for FFmpeg to decode where only that tells whether the last is whole.

    Args:
        stream: of an open file, as PyAV has it; its own decoder has not been used.
    """

    def __init__(self, stream: Any) -> None:
        self._context = stream.codec_context
        self._packets: list[Any] | None = [] if stream.container.format.name in _UNSIZED else None

    def add(self, packet: Any) -> None:
        """Takes the next packet, and leaves it as it is."""
        if self._packets is None:
            return
        if packet.is_keyframe:
            self._packets.clear()
        if len(self._packets) <= _MOST_PACKETS:
            copy = Packet(bytes(packet))
            copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
            self._packets.append(copy)

    def is_whole(self) -> bool:
        """Returns whether FFmpeg makes a whole picture of the last packet, where anybody may doubt it; asked once."""
        if not self._packets or len(self._packets) > _MOST_PACKETS:
            return True
        try:
            pictures = [picture for packet in [*self._packets, None] for picture in self._context.decode(packet)]
        except FFmpegError:
            return False
        last = self._packets[-1].pts
        return any(picture.pts == last and not picture.is_corrupt for picture in pictures)
