"""What every source of frames looks like to the rest of the program."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Color = Literal["grey", "rgb"]
READ, TRUNCATED, UNREADABLE = 0, 1, 2
"""The values of `Chunk.status`: read in full; cut off, what could be decoded stands there; not readable, zeros."""


DIGEST_BYTES = 32
"""Of a frame's file."""

READABLE_NOW = "can be read now, though not when it was first tried"
"""What `Video.explain` says of a frame that is readable."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Neighbouring frames of one video, as they were decoded: nothing is repaired yet.

    Attributes:
        frame_ids: i64[n], the number of each frame.
        frames: u8[n, H, W], or u8[n, H, W, 3] in RGB order; zeros where the frame is unreadable.
        status: u8[n], `READ`, `TRUNCATED` or `UNREADABLE`.
        seconds: f64[n], the time of each frame since the start of the video; None where it is not known.
        digests: 32 bytes a frame, of its file as it was decoded; none where they were not asked for.
    """

    frame_ids: NDArray[np.int64]
    frames: NDArray[np.uint8]
    status: NDArray[np.uint8]
    seconds: NDArray[np.float64] | None = None
    digests: bytes = b""

    def cut(self, start: int, stop: int) -> "Chunk":
        """Returns frames `start` to `stop`, which share their memory."""
        now, seconds = slice(start, stop), self.seconds
        digests = self.digests[start * DIGEST_BYTES : stop * DIGEST_BYTES]
        seconds = None if seconds is None else seconds[now]
        return Chunk(self.frame_ids[now], self.frames[now], self.status[now], seconds, digests)


def joined(chunks: Sequence[Chunk]) -> Chunk:
    """Returns neighbouring chunks of one video as one; their times are known where those of all are."""
    seconds = [chunk.seconds for chunk in chunks if chunk.seconds is not None]
    return Chunk(
        np.concatenate([chunk.frame_ids for chunk in chunks]),
        np.concatenate([chunk.frames for chunk in chunks]),
        np.concatenate([chunk.status for chunk in chunks]),
        np.concatenate(seconds) if len(seconds) == len(chunks) else None,
        b"".join(chunk.digests for chunk in chunks),
    )


@runtime_checkable
class Video(Protocol):
    """One video: a name, and its frames in the order of time, forward only."""

    @property
    def name(self) -> str:
        """The name that scores and labels know the video by."""

    @property
    def length(self) -> int | None:
        """The number of frames; None where it is not known before the end."""

    def chunks(
        self, height: int | None, width: int | None, color: Color = "grey", chunk: int = 64, threads: int | None = None
    ) -> Iterator[Chunk]:
        """Yields all frames, `chunk` at a time (fewer at the end), resized to `height` x `width`; None keeps the size.

        Raises:
            SourceError: the size is kept and the frames are not all of one size.
        """

    def describe(self, index: int) -> str:
        """Says where frame `index` (its position, from 0) comes from, for messages: the path of its file."""

    def explain(self, index: int) -> str:
        """Returns a clause that says why frame `index` is not readable in full, such as "is empty (0 bytes)"."""

    def fingerprint(self) -> bytes:
        """Returns a digest of the names, sizes and bytes of the frames' files: equal for equal copies."""

    def size(self) -> tuple[int, int]:
        """Returns height and width, in pixels, of the first frame that can be read; a SourceError where none can."""


@dataclass(frozen=True)
class FrameFormat:
    """How the frames of a video are decoded: their size in pixels, and whether frames of other sizes are refused."""

    height: int
    width: int
    color: Color = "grey"
    one_size: bool = False
