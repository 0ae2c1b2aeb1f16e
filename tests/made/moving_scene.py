"""A textured scene that moves as it is told, bright above and dark below, for tests of motion."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


def textured_scene(height: int, width: int, seed: int = 0, grain: float = 3.0) -> NDArray[np.float32]:
    """f32[height,width]: blots of about `grain` pixels and larger ones, on light that falls from top to bottom."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((height, width)).astype(np.float32)
    blots = sum(_spread(cv2.GaussianBlur(noise, None, size)) for size in (grain, 4 * grain))
    light = np.linspace(215, 45, height, dtype=np.float32)[:, None]
    return light + 10 * blots


def moved(height: int, width: int, offsets: Sequence[tuple[int, int]], seed: int = 0, grain: float = 3.0) -> Frames:
    """u8[n,height,width]: the scene moved right and down by whole pixels, one offset (right, down) a frame."""
    right, down = (np.array(offsets)[:, axis] for axis in (0, 1))
    margin = int(np.abs(np.array(offsets)).max())
    scene = textured_scene(height + 2 * margin, width + 2 * margin, seed, grain)
    frames = [
        scene[margin - dy : margin - dy + height, margin - dx : margin - dx + width]
        for dx, dy in zip(right, down, strict=True)
    ]
    return np.stack(frames).round().clip(0, 255).astype(np.uint8)


def _spread(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return picture / picture.std()
