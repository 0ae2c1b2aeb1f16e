"""A camera that was nudged: how far its picture lies off the training's, and frames put back in place."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned, Frames
from pixelfast.methods.density import block_side

EVERY: Final = 16
"""Frames between two looks, counted from the start of a video."""

_ALIKE: Final = 0.3
"""Correlation with the training's picture from which on it is the same scene: 0.7 is usual, other scenes have 0.1."""

_GAIN: Final = 0.05
"""By how much correlation must be better off the place than on it."""

Shift = tuple[int, int]


class Nudge(NamedTuple):
    """From this frame of a video on (its position) the picture lies so many pixels to the right and below."""

    frame: int
    right: int
    down: int


class Steady:
    """Puts the frames of one video back to where the training's picture lies, streaming.

    The picture is compared by how strong its edges are, by normalised correlation, every 16 frames; where it has moved
    since, frame by frame. Whole pixels, at most a block: what moves farther is another view.

    Attributes:
        nudges: where it moved, so far.
    """

    def __init__(self, picture: NDArray[np.float32]) -> None:
        self._most = max(1, round(block_side(*picture.shape)))
        most = self._most
        self._inner = edges(picture)[most:-most, most:-most]
        self._at: Shift = (0, 0)
        self._done = 0
        self.nudges: list[Nudge] = []

    def run(self, cleaned: Iterable[Cleaned]) -> Iterator[Cleaned]:
        """Yields the same frames, in place, 16 at a time however they come."""
        rest: Cleaned | None = None
        for some in cleaned:
            whole = some if rest is None else _joined(rest, some)
            full = len(whole.usable) // EVERY * EVERY
            for start in range(0, full, EVERY):
                yield self._placed(whole.cut(start, start + EVERY))
            rest = whole.cut(full, len(whole.usable))
        if rest is not None and len(rest.usable):
            yield self._placed(rest)

    def shift(self, frame: NDArray[np.uint8]) -> Shift:
        """Returns how far to the right and below a frame u8[H, W] lies; where that cannot be told, as before."""
        import cv2

        most = self._most
        found: Any = cv2.matchTemplate(edges(frame.astype(np.float32)), self._inner, cv2.TM_CCOEFF_NORMED)
        down, right = divmod(int(found.argmax()), found.shape[1])
        across, below = self._at
        best = float(found[down, right])
        if best < _ALIKE or best - float(found[below + most, across + most]) < _GAIN:
            return self._at
        return right - most, down - most

    def _placed(self, some: Cleaned) -> Cleaned:
        usable = np.flatnonzero(some.usable)
        shifts = [self._at] * len(some.usable)
        if len(usable) and self.shift(some.frames[usable[-1]]) != self._at:
            for index in range(len(shifts)):
                if some.usable[index] and (now := self.shift(some.frames[index])) != self._at:
                    self._at = now
                    self.nudges.append(Nudge(self._done + index, *now))
                shifts[index] = self._at
        self._done += len(shifts)
        if not any(any(shift) for shift in shifts):
            return some
        frames = np.stack([_moved(frame, *shift) for frame, shift in zip(some.frames, shifts, strict=True)])
        return some._replace(frames=frames)


def _joined(one: Cleaned, other: Cleaned) -> Cleaned:
    return Cleaned(np.concatenate([one.frames, other.frames]), np.concatenate([one.usable, other.usable]))


def edges(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns f32[H, W], how strong the edges of a grey picture f32[H, W] are, on a scale that light hardly changes."""
    import cv2

    smooth = cv2.GaussianBlur(picture, (0, 0), 1)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    strength: NDArray[np.float32] = np.log1p(cv2.magnitude(across, down))
    return strength


def _moved(frame: Frames, right: int, down: int) -> Frames:
    """A frame u8[H, W] moved back; what comes in from outside repeats the edge."""
    height, width = frame.shape
    rows = np.clip(np.arange(height) + down, 0, height - 1)
    return frame[rows][:, np.clip(np.arange(width) + right, 0, width - 1)]
