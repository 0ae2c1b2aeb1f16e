"""Which frames of a video are noisy, and which ones optical flow may use.

The high-frequency residual of a noisy frame stands far above that of the frames around it. Flow can bear neither noise
nor a frame that is half missing.
"""

import numpy as np
from numpy.typing import NDArray

# Scaled so that MAD * 1.4826 is the standard deviation of normal values; eight of them are no chance find.
DEVIATIONS = 8.0
MAD_TO_SIGMA = 1.4826
# A calm video has a tiny MAD: a frame must also stand out in itself, by ratio and by grey levels.
RATIO = 1.5
LEVELS = 2.0

BLOCK = 16
"""Frames that are judged together."""

PAST = 1008
"""Frames before a block that it is compared with, at most: a fade of the light is no noise."""


class NoiseJudge:
    """Says which frames of one video are noisy, in order, at most 2 * `BLOCK` frames later.

    A block of frames is compared with the frames before it, itself and the block after it; what it is called does not
    depend on how the frames are pushed.
    """

    def __init__(self) -> None:
        self._sigma = np.zeros(0, np.float32)  # of at most `PAST` frames that are judged, and of those that are not
        self._judged = 0

    def push(self, sigma: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Takes the noise estimates f32[n] of the next frames (`_core.noise_sigma`); gives bool[m] of the next m."""
        self._sigma = np.concatenate([self._sigma, sigma])
        blocks = (len(self._sigma) - self._judged) // BLOCK
        return self._judge(max(0, blocks - 1) * BLOCK)

    def finish(self) -> NDArray[np.bool_]:
        """bool[m] of the frames that are left."""
        return self._judge(len(self._sigma) - self._judged)

    def _judge(self, count: int) -> NDArray[np.bool_]:
        noisy = [self._judge_block(min(BLOCK, count - done)) for done in range(0, count, BLOCK)]
        return np.concatenate([np.zeros(0, np.bool_), *noisy])

    def _judge_block(self, count: int) -> NDArray[np.bool_]:
        first = self._judged
        noisy = self._sigma[first : first + count] > _bound(self._sigma[: first + 2 * BLOCK])
        self._judged = min(PAST, first + count)
        self._sigma = self._sigma[first + count - self._judged :]
        return np.asarray(noisy)


def _bound(sigma: NDArray[np.float32]) -> float:
    """The estimate above which a frame is noisy, among frames with these."""
    median = float(np.median(sigma))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(sigma - median)))
    return max(median + DEVIATIONS * spread, median * RATIO, median + LEVELS)


LONGEST = 16
"""Frames in a row that are passed over at most; the next one is used as it is."""


class Gaps:
    """Passes over bad frames, but not for longer than `LONGEST`: a video that is bad throughout is scored, too."""

    def __init__(self) -> None:
        self._passed_over = 0

    def usable(self, bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool[n]: which of the next frames are to be used."""
        usable = []
        for one in bad.tolist():
            self._passed_over = self._passed_over + 1 if one and self._passed_over < LONGEST else 0
            usable.append(self._passed_over == 0)
        return np.array(usable, np.bool_)
