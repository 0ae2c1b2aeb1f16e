"""A video whose frames are in memory."""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pixelfast.sources.video import READ, Chunk, Color, Threads


class ArrayVideo:
    """A video whose frames are in memory (or mapped into it), of the engine's size already.

    Attributes:
        name: for messages.
        frames: u8[N, H, W].
    """

    def __init__(self, name: str, frames: NDArray[np.uint8]) -> None:
        self.name = name
        self.frames = frames

    @property
    def length(self) -> int:
        """Returns N, the number of frames."""
        return len(self.frames)

    def chunks(
        self,
        height: int | None,
        width: int | None,
        color: Color = "grey",
        chunk: int = 64,
        threads: Threads = None,
    ) -> Iterator[Chunk]:
        """Yields the frames as they are, all of them readable; see `Video.chunks`."""
        del color, threads
        if (height or self.size()[0], width or self.size()[1]) != self.size():
            raise ValueError(f"frames in memory keep their size, {self.size()}")
        for start in range(0, self.length, chunk):
            some = self.frames[start : start + chunk]
            ids = np.arange(start, start + len(some), dtype=np.int64)
            yield Chunk(ids, some, np.full(len(some), READ, np.uint8))

    def describe(self, index: int) -> str:
        """Returns the frame's position."""
        return f"{index} of video {self.name}"

    def explain(self, index: int) -> str:
        """Nothing is wrong with frames in memory."""
        del index
        return "is readable"

    def fingerprint(self) -> bytes:
        """Returns 32 bytes over all pixels."""
        return hashlib.sha256(self.frames.tobytes()).digest()

    def size(self) -> tuple[int, int]:
        """Returns H and W."""
        return self.frames.shape[1], self.frames.shape[2]
