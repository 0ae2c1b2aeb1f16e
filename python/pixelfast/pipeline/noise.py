"""Which frames of a video are noisy: their high-frequency residual stands far above the video's own."""

import numpy as np
from numpy.typing import NDArray

# Scaled so that MAD * 1.4826 is the standard deviation of normal values; eight of them are no chance find.
DEVIATIONS = 8.0
MAD_TO_SIGMA = 1.4826
# A calm video has a tiny MAD: a frame must also stand out in itself, by ratio and by grey levels.
RATIO = 1.5
LEVELS = 2.0


def noisy_frames(sigma: NDArray[np.float32]) -> NDArray[np.bool_]:
    """bool[N]: frames whose noise estimate stands far above the video's median.

    Args:
        sigma: f32[N], the noise estimate of each frame, grey levels (`_core.noise_sigma`).
    """
    median = float(np.median(sigma))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(sigma - median)))
    bound = max(median + DEVIATIONS * spread, median * RATIO, median + LEVELS)
    return np.asarray(sigma > bound)
