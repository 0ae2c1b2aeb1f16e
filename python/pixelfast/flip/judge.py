"""Flip correction of one video, streaming: the classifier decides, pixels settle what it is unsure of.

A vote among neighbours cannot tell a lone flipped frame from a lone mistake, so a sure classifier is never outvoted.
Whether it knows this scene at all is another question, and pixels answer it: a frame that really was flipped fits its
upright neighbour once it is turned. Where most changes of the decision inside a video are contradicted in this way, or
where more than half of a video would be turned, correction is refused for that video.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 0.5
UNSURE = (0.1, 0.9)
LOOKAHEAD = 8
# Frames are compared by their details at about this many cells a side, less the mean of so many cells around each.
CELLS = 32
AROUND = 4
SIGMAS = 3.0

Frame = NDArray[np.uint8]
Frames = NDArray[np.uint8]
Probabilities = NDArray[np.float32]


@dataclass
class Evidence:
    """What speaks for and against the correction of a video so far.

    Attributes:
        frames: frames decided.
        turned: frames turned.
        supported: changes of the decision between neighbours where the turned frame fits better than the original.
        contradicted: changes where it does not.
    """

    frames: int = 0
    turned: int = 0
    supported: int = 0
    contradicted: int = 0

    def refusal(self) -> str | None:
        """Why the correction of the whole video must not stand; None where it may."""
        if self.turned * 2 > self.frames:
            return f"{self.turned} of {self.frames} frames would be turned, more than half"
        if self.turned and self.contradicted >= self.supported:
            changes = self.supported + self.contradicted
            return (
                f"the pixels contradict {self.contradicted} of the {changes} places where the classifier's word "
                "changes, so it does not know this scene"
            )
        return None


class FlipJudge:
    """Says which frames of one video are flipped, in order, at most `LOOKAHEAD` frames later.

    Args:
        mode: `auto` collects evidence for a refusal, `always` needs none; both decide each frame alike.
        length: the video's frames where known, so that a refusal can be certain before the end.
    """

    def __init__(self, mode: Literal["auto", "always"] = "auto", length: int | None = None) -> None:
        self.evidence = Evidence()
        self._mode = mode
        self._length = length
        self._waiting: tuple[Frames, Probabilities] | None = None
        self._previous: tuple[Frame, bool] | None = None  # the last frame decided, and whether it is turned

    def push(self, frames: Frames, probability: Probabilities) -> NDArray[np.bool_]:
        """Takes grey frames u8[n, H, W] and flip probabilities f32[n]; gives bool[m] for the next m frames."""
        if not len(frames):
            return np.zeros(0, np.bool_)
        if self._previous is not None:
            return self._decide(frames, probability, 0)
        if self._waiting is not None:
            frames = np.concatenate([self._waiting[0], frames])
            probability = np.concatenate([self._waiting[1], probability])
        sure = np.flatnonzero(_is_sure(probability[: LOOKAHEAD + 1]))
        if not len(sure) and len(frames) <= LOOKAHEAD:
            self._waiting = frames, probability
            return np.zeros(0, np.bool_)
        return self._decide(frames, probability, int(sure[0]) if len(sure) else 0)

    def finish(self) -> NDArray[np.bool_]:
        """bool[m] for the frames that still wait at the end of a short video."""
        return np.zeros(0, np.bool_) if self._waiting is None else self._decide(*self._waiting, 0)

    def refusal(self, ended: bool) -> str | None:
        """Why this video must be left as it is: once `ended`, or as soon as it is certain; None while it is not."""
        if self._mode == "always":
            return None
        if ended:
            return self.evidence.refusal()
        if self._length is not None and self.evidence.turned * 2 > self._length:
            return f"more than half of its {self._length} frames would be turned"
        return None

    def _decide(self, frames: Frames, probability: Probabilities, first: int) -> NDArray[np.bool_]:
        turned = probability > THRESHOLD
        unsure = ~_is_sure(probability)
        for index in range(first - 1, -1, -1):  # the video's start, decided backwards from its first sure frame
            turned[index] = _settled(frames[index], frames[index + 1], turned[index + 1], turned[index])
        start = first + 1 if self._previous is None else 0
        for index in (start + np.flatnonzero(unsure[start:])).tolist():
            turned[index] = _settled(frames[index], *self._before(frames, turned, index), turned[index])
        self._weigh(frames, turned)
        self._previous, self._waiting = (frames[-1].copy(), bool(turned[-1])), None
        return turned

    def _before(self, frames: Frames, turned: NDArray[np.bool_], index: int) -> tuple[Frame, bool]:
        """The frame before one of these, and whether it is turned."""
        if index > 0:
            return frames[index - 1], bool(turned[index - 1])
        assert self._previous is not None, "the first frame of a video has none before it"
        return self._previous

    def _weigh(self, frames: Frame, turned: NDArray[np.bool_]) -> None:
        """Adds these frames to the evidence; looks at pixels only where the decision changes."""
        before = turned[0] if self._previous is None else self._previous[1]
        for index in np.flatnonzero(turned != np.concatenate([[before], turned[:-1]])).tolist():
            neighbour, _ = self._before(frames, turned, index)
            if fits_turned(frames[index], neighbour):
                self.evidence.supported += 1
            else:
                self.evidence.contradicted += 1
        self.evidence.frames += len(turned)
        self.evidence.turned += int(turned.sum())


def _is_sure(probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray((probability <= UNSURE[0]) | (probability >= UNSURE[1]))


def _settled(frame: Frame, neighbour: Frame, neighbour_turned: bool, otherwise: bool) -> bool:
    """Whether a frame is turned, by the pixels of its neighbour; `otherwise` where they do not tell."""
    fits = fits_turned(frame, neighbour[::-1] if neighbour_turned else neighbour)
    return otherwise if fits is None else fits


def fits_turned(frame: Frame, neighbour: Frame) -> bool | None:
    """Whether `frame` u8[H, W] resembles its neighbour more once it is turned; None where both fit alike.

    The details of the two tell, where the scene has details that rise above the noise: a change of light, also one
    that darkens half of the scene, moves no edge. Else the brightness of their parts tells.
    """
    cells, theirs = _cells(frame), _cells(neighbour)
    detail, their_detail = _detail(cells), _detail(theirs)
    gain = float(((detail[::-1] - detail) * their_detail).sum())
    # What the difference of two correlations of unrelated noise comes to: its standard deviation.
    chance = float(np.sqrt(2 * (detail**2).sum() * (their_detail**2).sum() / detail.size))
    if abs(gain) > SIGMAS * chance:
        return gain > 0
    as_is, turned = np.abs(cells - theirs).sum(), np.abs(cells[::-1] - theirs).sum()
    return None if as_is == turned else bool(turned < as_is)


def _cells(frame: Frame) -> NDArray[np.float64]:
    """Means of square blocks, about `CELLS` a side (noise of sigma 0.3 averages out), less the frame's own mean."""
    import cv2

    block = max(1, min(frame.shape) // CELLS)
    height, width = frame.shape[0] // block, frame.shape[1] // block
    whole = frame[: height * block, : width * block].astype(np.float64)
    cells = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)  # whole blocks: their plain means
    return np.asarray(cells - cells.mean(), np.float64)


def _detail(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each cell has beyond the mean of the cells around it."""
    import cv2

    side = 2 * AROUND + 1
    return np.asarray(cells - cv2.blur(cells, (side, side), borderType=cv2.BORDER_REPLICATE), np.float64)
