"""The mark to beat: a network that has learned nothing but the mean training frame."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.geometry import WINDOW
from pixelfast.training.cache import FrameCache

_CHUNK_FRAMES: Final = 512


@dataclass(frozen=True)
class MeanImageErrors:
    """Mean squared errors of the held-out windows, of a full range of 1.

    Attributes:
        upright: of the mean training frame.
        blend: of the one image that is best where a share of frames is upside down, for that mix of frames;
            equal to `upright` where there are no flips.
    """

    upright: float
    blend: float


def mean_image_errors(cache: FrameCache, starts: NDArray[np.int64], flip_probability: float) -> MeanImageErrors:
    """What predicting the mean frame (and the blend of it and its flip) would cost on the windows at `starts`."""
    mean = mean_frame(cache.frames, cache.train_frame_ids())
    blend = (1 - flip_probability) * mean + flip_probability * mean[::-1]
    upright = _error(cache.frames, starts, mean)
    as_they_are = _error(cache.frames, starts, blend)
    turned = _error(cache.frames, starts, blend[::-1])  # turning the frame or the image is the same
    return MeanImageErrors(upright, (1 - flip_probability) * as_they_are + flip_probability * turned)


def mean_frame(frames: NDArray[np.uint8], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """f64[H,W] in [0, 1]: the mean of the frames at `ids`."""
    total = np.zeros(frames.shape[1:], np.int64)
    for first in range(0, len(ids), _CHUNK_FRAMES):
        total += frames[ids[first : first + _CHUNK_FRAMES]].sum(axis=0, dtype=np.int64)
    return total / (255.0 * len(ids))


def _error(frames: NDArray[np.uint8], starts: NDArray[np.int64], image: NDArray[np.float64]) -> float:
    squares = [float(np.mean((frames[first : first + WINDOW] / 255.0 - image) ** 2)) for first in starts.tolist()]
    return float(np.mean(squares))
