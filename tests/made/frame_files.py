"""Frames as files, for tests."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def write_video(folder: Path, frames: NDArray[np.uint8], suffix: str = ".png") -> Path:
    """Writes frames as `frame_0001.png`, …; PNG at the engine's size comes back as it is."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(folder / f"frame_{number:04d}{suffix}")
    return folder
