"""Which frames of a video are noisy: their high-frequency residual stands far above that of the frames around them."""

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
        self._sigma = np.zeros(0, np.float32)  # of the frames from `_base` on
        self._base = 0
        self._judged = 0

    def push(self, sigma: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Takes the noise estimates f32[n] of the next frames (`_core.noise_sigma`); gives bool[m] of the next m."""
        self._sigma = np.concatenate([self._sigma, sigma])
        noisy = []
        while self._base + len(self._sigma) >= self._judged + 2 * BLOCK:
            noisy.append(self._judge(BLOCK))
        return np.concatenate([np.zeros(0, np.bool_), *noisy])

    def finish(self) -> NDArray[np.bool_]:
        """bool[m] of the frames that are left."""
        left = self._base + len(self._sigma) - self._judged
        noisy = [self._judge(min(BLOCK, left - done)) for done in range(0, left, BLOCK)]
        return np.concatenate([np.zeros(0, np.bool_), *noisy])

    def _judge(self, count: int) -> NDArray[np.bool_]:
        begin = self._judged - self._base
        known = self._sigma[: begin + 2 * BLOCK]
        noisy = self._sigma[begin : begin + count] > _bound(known)
        self._judged += count
        drop = self._judged - self._base - PAST
        if drop > 0:
            self._sigma = self._sigma[drop:]
            self._base += drop
        return np.asarray(noisy)


def _bound(sigma: NDArray[np.float32]) -> float:
    """The estimate above which a frame is noisy, among frames with these."""
    median = float(np.median(sigma))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(sigma - median)))
    return max(median + DEVIATIONS * spread, median * RATIO, median + LEVELS)
