"""Frame files for benches: those of the generated video, larger."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np


def write_large_frames(frames: Sequence[Path], folder: Path) -> list[Path]:
    """Frame files of 1920x1080, quality 90, by the same names: enlarged, with the grain of a sensor."""
    grain = np.random.default_rng(0).normal(0, 2.5, (1080, 1920, 1)).astype(np.float32)
    paths = [folder / path.name for path in frames]
    for path, small in zip(paths, frames, strict=True):
        enlarged = cv2.resize(cv2.imread(str(small)), (1920, 1080), interpolation=cv2.INTER_CUBIC)
        pixels = (enlarged + grain).clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return paths
