"""Noisy frames of one video replaced by the nearest earlier clean one, streaming: optical flow cannot bear noise."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


class NoisyFrames:
    """Replaces each noisy frame by the nearest earlier one that is not, else by the next; frames stay in order."""

    def __init__(self) -> None:
        self._last: Frames | None = None
        self._waiting: list[Frames] = []  # noisy ones at the start of the video, until a clean one comes

    def push(self, frames: Frames, noisy: NDArray[np.bool_]) -> Iterator[Frames]:
        """Takes the next frames u8[n, ...] and bool[n]; yields frames u8[m, ...], replaced where they must be."""
        if self._last is None:
            if noisy.all():
                self._waiting.append(frames)
                return
            first = frames[int(np.argmin(noisy))]
            self._last = first.copy()
            for held in self._waiting:
                yield np.repeat(first[np.newaxis], len(held), axis=0)
            self._waiting = []
        yield self._replaced(frames, noisy, self._last)

    def finish(self) -> Iterator[Frames]:
        """The frames of a video in which every frame is noisy, as they are."""
        yield from self._waiting
        self._waiting = []

    def _replaced(self, frames: Frames, noisy: NDArray[np.bool_], before: Frames) -> Frames:
        clean = frames.copy() if noisy.any() else frames
        for index in np.flatnonzero(noisy):
            clean[index] = clean[index - 1] if index else before
        self._last = clean[-1].copy()
        return clean
