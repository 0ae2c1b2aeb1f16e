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

FlipMode = Literal["auto", "always", "never"]

THRESHOLD = 0.5
UNSURE = (0.1, 0.9)
LOOKAHEAD = 8
# Frames are compared as means of 4x4 pixels: sensor noise shrinks to a quarter, the scene hardly changes.
BLOCK = 4

Frame = NDArray[np.uint8]


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


class FlipCorrector:
    """Turns the flipped frames of one video upright; frames come out in order, at most `LOOKAHEAD` later.

    Args:
        mode: `auto` collects evidence for a refusal, `always` needs none; both decide each frame alike.
        length: the video's frames where known, so that a refusal can be certain before the end.
    """

    def __init__(self, mode: Literal["auto", "always"] = "auto", length: int | None = None) -> None:
        self.evidence = Evidence()
        self._mode = mode
        self._length = length
        self._waiting: list[Frame] = []
        self._waiting_probability: list[float] = []
        self._previous: Frame | None = None
        self._previous_turned = False

    def push(self, frames: NDArray[np.uint8], probability: NDArray[np.float32]) -> tuple[Frame, NDArray[np.bool_]]:
        """Takes frames u8[n, H, W], flip probabilities f32[n]; gives upright frames u8[m, H, W] and bool[m] turned."""
        if self._previous is None:
            frames, probability = self._joined(frames, probability)
            first = self._first_decidable(probability, len(frames) > LOOKAHEAD)
            if first is None:
                self._waiting, self._waiting_probability = list(frames), probability.tolist()
                return frames[:0], np.zeros(0, np.bool_)
            return self._decide(frames, probability, first)
        return self._decide(frames, probability, 0)

    def finish(self, height: int, width: int) -> tuple[Frame, NDArray[np.bool_]]:
        """The frames u8[m, height, width] that still wait at the end of a short video, and which were turned."""
        if not self._waiting:
            return np.zeros((0, height, width), np.uint8), np.zeros(0, np.bool_)
        frames, probability = self._joined(np.zeros((0, height, width), np.uint8), np.zeros(0, np.float32))
        return self._decide(frames, probability, 0)

    def refusal(self, ended: bool) -> str | None:
        """Why this video must be left as it is: once `ended`, or as soon as it is certain; None while it is not."""
        if self._mode == "always":
            return None
        if ended:
            return self.evidence.refusal()
        if self._length is not None and self.evidence.turned * 2 > self._length:
            return f"more than half of its {self._length} frames would be turned"
        return None

    def _joined(self, frames: Frame, probability: NDArray[np.float32]) -> tuple[Frame, NDArray[np.float32]]:
        if not self._waiting:
            return frames, probability
        waiting = np.asarray(self._waiting_probability, np.float32)
        joined = np.concatenate([np.stack(self._waiting), frames]), np.concatenate([waiting, probability])
        self._waiting, self._waiting_probability = [], []
        return joined

    def _first_decidable(self, probability: NDArray[np.float32], full: bool) -> int | None:
        """The first sure frame within the lookahead; 0 where there is none in a full one; None to wait for more."""
        sure = np.flatnonzero(_is_sure(probability[: LOOKAHEAD + 1]))
        if len(sure):
            return int(sure[0])
        return 0 if full else None

    def _decide(self, frames: Frame, probability: NDArray[np.float32], first: int) -> tuple[Frame, NDArray[np.bool_]]:
        turned = probability > THRESHOLD
        sure = _is_sure(probability)
        for index in range(first - 1, -1, -1):  # the video's start, decided backwards from its first sure frame
            turned[index] = _fits_turned(frames[index], _upright(frames[index + 1], turned[index + 1]), turned[index])
        start = first + 1 if self._previous is None else 0
        for index in (start + np.flatnonzero(~sure[start:])).tolist():
            turned[index] = _fits_turned(frames[index], self._upright_before(frames, turned, index), turned[index])
        self._weigh(frames, turned)
        upright = frames
        if turned.any():
            upright = frames.copy()
            upright[turned] = frames[turned, ::-1]
        self._previous, self._previous_turned = frames[-1].copy(), bool(turned[-1])
        return upright, turned

    def _upright_before(self, frames: Frame, turned: NDArray[np.bool_], index: int) -> Frame:
        if index > 0:
            return _upright(frames[index - 1], turned[index - 1])
        assert self._previous is not None, "the first frame of a video is decided by its probability"
        return _upright(self._previous, self._previous_turned)

    def _weigh(self, frames: Frame, turned: NDArray[np.bool_]) -> None:
        """Adds these frames to the evidence; looks at pixels only where the decision changes."""
        before = turned[0] if self._previous is None else self._previous_turned
        for index in np.flatnonzero(turned != np.concatenate([[before], turned[:-1]])):
            neighbour = frames[index - 1] if index else self._previous
            assert neighbour is not None, "a decision changes between two frames"
            if _distance(frames[index, ::-1], neighbour) < _distance(frames[index], neighbour):
                self.evidence.supported += 1
            else:
                self.evidence.contradicted += 1
        self.evidence.frames += len(turned)
        self.evidence.turned += int(turned.sum())


def _is_sure(probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray((probability <= UNSURE[0]) | (probability >= UNSURE[1]))


def _upright(frame: Frame, turned: np.bool_ | bool) -> Frame:
    return frame[::-1] if turned else frame


def _fits_turned(frame: Frame, upright_neighbour: Frame, otherwise: np.bool_ | bool) -> bool:
    """Whether `frame` resembles its upright neighbour more once it is turned; `otherwise` where pixels cannot tell."""
    turned, as_is = _distance(frame[::-1], upright_neighbour), _distance(frame, upright_neighbour)
    return bool(otherwise) if turned == as_is else turned < as_is


def _distance(a: Frame, b: Frame) -> float:
    """Mean absolute difference of two frames, grey levels, whatever their brightness."""
    return float(np.abs(_coarse(a) - _coarse(b)).mean())


def _coarse(frame: Frame) -> NDArray[np.float32]:
    """Means of the blocks of a frame (its pixels, where blocks do not fit), less the frame's own mean."""
    height, width = frame.shape
    pixels: NDArray[np.float32] = frame.astype(np.float32)
    if height % BLOCK == 0 and width % BLOCK == 0:
        pixels = pixels.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).mean((1, 3))
    return np.asarray(pixels - pixels.mean())
