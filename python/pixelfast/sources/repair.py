"""Frames that cannot be read are replaced by a neighbour, in one pass and with one frame kept."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import DecodeError, LostFootageError
from pixelfast.options import OnError
from pixelfast.sources.video import TRUNCATED, UNREADABLE, Chunk, Video


class Repair:
    """Replaces each unreadable frame of one video by the nearest earlier readable one, else by the next.

    A truncated frame counts as readable: what could be decoded of it is used. `status` stays as it was, so that
    `status != READ` says which frames are not as they were taken. Results do not depend on the chunk size. Chunks
    without any readable frame at the start of a video are held back, without their pixels, until one comes.

    Attributes:
        truncated: how many frames so far were cut off.
        unreadable: how many frames so far were replaced.
    """

    def __init__(self, video: Video, on_error: OnError = "repair") -> None:
        """Takes the video that the chunks come from, for messages; `on_error="raise"` stops at the first bad frame."""
        self.truncated = 0
        self.unreadable = 0
        self._video = video
        self._on_error = on_error
        self._seen = 0
        self._first_bad: int | None = None

    def run(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Yields the chunks of a whole video, repaired (in place where possible): the same sizes, in the same order.

        Raises:
            LostFootageError: no frame of the video can be read.
            DecodeError: one cannot, and `on_error` is "raise".
        """
        last: NDArray[np.uint8] | None = None
        waiting: list[Chunk] = []
        for chunk in chunks:
            self._count(chunk.status)
            readable = chunk.status != UNREADABLE
            if last is None and not readable.any():
                waiting.append(replace(chunk, frames=chunk.frames[:0].copy()))
                continue
            frames = chunk.frames if readable.all() or chunk.frames.flags.writeable else chunk.frames.copy()
            before = frames[readable.argmax()].copy() if last is None else last
            for index in np.flatnonzero(~readable):
                frames[index] = before if index == 0 else frames[index - 1]
            last = frames[-1].copy()
            for held in waiting:
                yield replace(held, frames=np.repeat(before[np.newaxis], len(held.status), axis=0))
            waiting = []
            yield replace(chunk, frames=frames)
        if waiting:
            raise LostFootageError(
                f"no frame of video {self._video.name} can be read: {self._complaint(0)}. "
                "Copy or extract the frames again, or leave the video out"
            )

    def sentence(self) -> str | None:
        """Returns what was repaired so far, naming the first file and why; None where every frame was read in full."""
        if self._first_bad is None:
            return None
        return (
            f"video {self._video.name}: {self.unreadable} unreadable and {self.truncated} truncated of "
            f"{self._seen} frames were repaired (first: {self._complaint(self._first_bad)})"
        )

    def _count(self, status: NDArray[np.uint8]) -> None:
        bad = np.flatnonzero(status)
        if len(bad) and self._first_bad is None:
            self._first_bad = self._seen + int(bad[0])
            if self._on_error == "raise":
                raise DecodeError(f"{self._complaint(self._first_bad)}: mend or remove it, or let it be repaired")
        self.truncated += int(np.count_nonzero(status == TRUNCATED))
        self.unreadable += int(np.count_nonzero(status == UNREADABLE))
        self._seen += len(status)

    def _complaint(self, index: int) -> str:
        return f"{self._video.describe(index)} {self._video.explain(index)}"
