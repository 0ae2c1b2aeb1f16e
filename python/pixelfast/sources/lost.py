"""Footage that went away: more of a video cannot be read than neighbouring frames may stand in for."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from pixelfast.errors import LostFootageError
from pixelfast.options import OnError
from pixelfast.sources.video import READABLE_NOW, UNREADABLE, Chunk, Video

SHARE: Final = 20
"""Of so many frames of a video one may be unreadable and repaired."""

FEW: Final = 5
"""So many may be in any video, however short."""

IN_A_ROW: Final = 50
"""So many frames in a row at most: a disk that is away loses more, a bad sector or a dropped packet fewer."""


class LossGuard:
    """Passes on the chunks of one video until too much of it is lost."""

    def __init__(self, video: Video, on_error: OnError = "repair") -> None:
        self._video = video
        self._on_error = on_error
        self._lost: list[int] = []  # positions of unreadable frames
        self._seen = 0
        self._in_a_row = 0

    def run(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Yields the chunks as they are.

        Raises:
            LostFootageError: `on_error` is "repair", and more than a twentieth of the video's frames (and more than
                `FEW`) or more than 50 in a row cannot be read. Where none can be read at all, that is left to `Repair`.
        """
        for chunk in chunks:
            longest = self._count(chunk)
            if self._on_error == "repair" and len(self._lost) < self._seen:
                self._check(self._video.length, longest)
            yield chunk
        if self._on_error == "repair" and len(self._lost) < self._seen:
            self._check(self._seen, 0)

    def came_back(self) -> bool:
        """Whether a frame that could not be read can be read now, so that the footage is not what it was taken for."""
        return any(self._video.explain(index) == READABLE_NOW for index in self._lost)

    def _count(self, chunk: Chunk) -> int:
        """Counts the frames of a chunk; returns the longest run of unreadable ones so far that reaches into it."""
        longest = self._in_a_row
        for index in np.flatnonzero(chunk.status == UNREADABLE).tolist():
            at = self._seen + index
            self._in_a_row = self._in_a_row + 1 if self._lost and self._lost[-1] == at - 1 else 1
            self._lost.append(at)
            longest = max(longest, self._in_a_row)
        self._seen += len(chunk.status)
        return longest

    def _check(self, frames: int | None, longest: int) -> None:
        many = frames is not None and len(self._lost) > max(FEW, frames / SHARE)
        if not many and longest <= IN_A_ROW:
            return
        share = f"more than a twentieth of its {frames:,} frames" if many else f"more than {IN_A_ROW} frames in a row"
        first = f"{self._video.describe(self._lost[0])} {self._video.explain(self._lost[0])}"
        raise LostFootageError(
            f"video {self._video.name} is not repaired: {share} cannot be read (first: {first}). "
            "Copy or extract the frames again, or leave the video out"
        )
