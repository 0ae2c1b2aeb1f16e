"""The method's plain loop on this machine, which speed is compared with: one window at a time, in float32.

Importing this needs PyTorch and Pillow.
"""

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pixelfast.geometry import FRAME_SIZE, WINDOW
from pixelfast.methods.reconstruction.network import load_autoencoder
from pixelfast.runtime.trial import calls_a_second

Frames = NDArray[np.float32]
"""Grey levels in [0, 1]."""


def measure_plain_loop(
    weights: Path, device: str, frames: NDArray[np.uint8], files: Sequence[Path], seconds: float
) -> tuple[float, float]:
    """Measures the plain loop's frames a second, in memory and from files; see `EngineKind.plain_loop`.

    A window is a frame of a video, and gives the errors of its 16 frames. Each file is opened, decoded and resized by
    Pillow for all windows that hold it.

    Args:
        weights: an `ae.safetensors`.
        device: "cuda" or "cpu".
        frames: u8[N, 128, 128], in memory.
        files: of frames of one video.
        seconds: how long each figure is measured, about.
    """
    network = load_autoencoder(weights).to(device)
    scaled: Frames = frames.astype(np.float32) / np.float32(255)

    @torch.no_grad()
    def errors(cuboid: Frames) -> Frames:
        given = torch.from_numpy(cuboid).to(device)[None]  # [1, T, H, W]
        difference = network(given) - given
        means: Frames = (difference**2).mean(dim=(2, 3)).cpu().numpy()
        return means

    def rate(length: int, cuboid: Callable[[int], Frames]) -> float:
        windows, starts = count(), length - WINDOW + 1
        for start in range(3):
            errors(cuboid(start % starts))
        return calls_a_second(lambda: errors(cuboid(next(windows) % starts)), seconds)

    in_memory = rate(len(frames), lambda start: scaled[start : start + WINDOW])
    return in_memory, rate(len(files), lambda start: np.stack([_open(one) for one in files[start : start + WINDOW]]))


def _open(path: Path) -> Frames:
    with Image.open(path) as image:
        grey = image.convert("L").resize((FRAME_SIZE, FRAME_SIZE), Image.Resampling.BILINEAR)
    levels: Frames = np.asarray(grey, np.float32) / np.float32(255)
    return levels
