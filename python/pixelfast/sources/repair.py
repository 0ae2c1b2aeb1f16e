"""Frames that cannot be read are replaced by a neighbour, in one pass and with one frame kept."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import DecodeError, LostFootageError
from pixelfast.options import OnError
from pixelfast.sources.folder import FolderVideo
from pixelfast.sources.video import TRUNCATED, UNREADABLE, Chunk, Video


class Repair:
    """Replaces each unreadable frame of one video by the nearest earlier readable one, else by the next.

    Where the video jumps in time, what comes after the gap is taken before what came before it. A truncated frame
    counts as readable: what could be decoded of it is used. `status` stays as it was, so that `status != READ` says
    which frames are not as they were taken. Results do not depend on the chunk size. Chunks without any readable frame
    at the start of a video, or after a gap, are held back, without their pixels, until one comes.

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
        """Yields the chunks of a whole video, repaired (in place where possible), in the same order.

        They have the same sizes, but where a gap lies in a chunk, beside an unreadable frame: that one is cut there.

        Raises:
            LostFootageError: no frame of the video can be read.
            DecodeError: one cannot, and `on_error` is "raise".
        """
        last: NDArray[np.uint8] | None = None  # the frame before, since the last gap
        before_gap: NDArray[np.uint8] | None = None
        waiting: list[Chunk] = []
        for chunk, anew in self._pieces(chunks):
            self.count(chunk.status)
            if anew:
                before_gap, last = before_gap if last is None else last, None
                if before_gap is not None:
                    yield from _filled(waiting, before_gap)
            readable = chunk.status != UNREADABLE
            if last is None and not readable.any():
                waiting.append(replace(chunk, frames=chunk.frames[:0].copy()))
                continue
            frames = chunk.frames if readable.all() or chunk.frames.flags.writeable else chunk.frames.copy()
            before = frames[readable.argmax()].copy() if last is None else last
            for index in np.flatnonzero(~readable):
                frames[index] = before if index == 0 else frames[index - 1]
            last = frames[-1].copy()
            yield from _filled(waiting, before)
            yield replace(chunk, frames=frames)
        if waiting and before_gap is not None:
            yield from _filled(waiting, before_gap)
        if waiting:
            raise LostFootageError(
                f"no frame of video {self._video.name} can be read: {self._complaint(0)}. "
                "Copy or extract the frames again, or leave the video out"
            )

    def _pieces(self, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, bool]]:
        """Yields the chunks, cut at gaps beside unreadable frames, and whether a gap lies before each."""
        starts, done = self._video.starts if isinstance(self._video, FolderVideo) else (), 0
        for chunk in chunks:
            bad, end = chunk.status == UNREADABLE, done + len(chunk.status)
            inside = (start - done for start in starts[bisect(starts, done) : bisect(starts, end - 1)])
            cuts = [at for at in inside if bad[at] or bad[at - 1]]
            for first, stop in pairwise((0, *cuts, end - done)):
                begins = bisect(starts, done + first) > bisect(starts, done + first - 1)
                yield chunk.cut(first, stop) if cuts else chunk, begins
            done = end

    def sentence(self) -> str | None:
        """Returns what was repaired so far, naming the first file and why; None where every frame was read in full."""
        if self._first_bad is None:
            return None
        return (
            f"video {self._video.name}: {self.unreadable} unreadable and {self.truncated} truncated of "
            f"{self._seen} frames were repaired (first: {self._complaint(self._first_bad)})"
        )

    def count(self, status: NDArray[np.uint8]) -> None:
        """Counts the next frames by how they were decoded, u8[n]; a DecodeError where none may be repaired."""
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


def stand_ins(status: NDArray[np.uint8], starts: Sequence[int] = ()) -> NDArray[np.int64]:
    """Returns i64[N]: which frame each one of a video is replaced by, where it is unreadable, else itself.

    Args:
        status: u8[N], as decoded, not all unreadable.
        starts: the positions before which time jumps.
    """
    readable, result = np.flatnonzero(status != UNREADABLE), np.arange(len(status))
    for index in np.flatnonzero(status == UNREADABLE).tolist():
        after = int(np.searchsorted(readable, index))
        choices = readable[max(0, after - 1) : after + 1].tolist()  # the nearest earlier one, and the next
        near = [one for one in choices if bisect(starts, one) == bisect(starts, index)]
        result[index] = (near or choices)[0]
    return result


def _filled(waiting: list[Chunk], frame: NDArray[np.uint8]) -> Iterator[Chunk]:
    """Yields the chunks that wait, which then wait no more, all of whose frames are replaced by one."""
    for held in waiting:
        yield replace(held, frames=np.repeat(frame[np.newaxis], len(held.status), axis=0))
    waiting.clear()
