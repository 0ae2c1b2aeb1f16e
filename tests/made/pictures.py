"""Pictures with what real ones have: gradients, edges, texture and color."""

import numpy as np
from PIL import Image


def picture(height: int, width: int, seed: int = 0) -> Image.Image:
    """An RGB picture, the same for the same seed; no channel is cut off at its ends, so grey and color agree."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    down, across = rows / height, columns / width
    slope = np.stack([70 + 60 * down, 80 + 50 * across, 120 - 40 * down * across], axis=2)
    waves = 25 * np.sin(columns / 9 + seed)[..., None] * np.array([1.0, 0.5, -0.7])
    squares = 40 * (((rows // 23) + (columns // 31)) % 2)[..., None]
    pixels = slope + waves + squares + rng.normal(0, 5, (height, width, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
