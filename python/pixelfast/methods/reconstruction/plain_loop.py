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

Cuboid = Callable[[int], NDArray[np.float32]]
"""The frames f32[16, 128, 128] of a window, by its number."""


def measure_plain_loop(
    weights: Path, device: str, frames: NDArray[np.uint8], files: Sequence[Path], seconds: float
) -> tuple[float, float]:
    """Measures the plain loop's frames a second; see `EngineKind.plain_loop`.

    Args:
        weights: an `ae.safetensors`.
        device: "cuda" or "cpu".
        frames: u8[N, 128, 128], in memory.
        files: of frames of one video.
        seconds: how long each figure is measured, about.
    """
    loop = _PlainLoop(weights, device)
    return loop.windows_a_second(frames, seconds), loop.frames_a_second(files, seconds)


class _PlainLoop:
    """The autoencoder of a model as its source runs it; each window gives the errors of its 16 frames.

    Args:
        weights: an `ae.safetensors`.
        device: "cuda" or "cpu".
    """

    def __init__(self, weights: Path, device: str) -> None:
        self._device = device
        self._network = load_autoencoder(weights).to(device)

    def windows_a_second(self, frames: NDArray[np.uint8], seconds: float) -> float:
        """On frames u8[N, 128, 128] in memory; a window is a frame of a video."""
        scaled: NDArray[np.float32] = frames.astype(np.float32) / np.float32(255)
        starts = len(frames) - WINDOW + 1
        return self._rate(lambda window: scaled[window % starts : window % starts + WINDOW], seconds)

    def frames_a_second(self, files: Sequence[Path], seconds: float) -> float:
        """From files, each of which is opened, decoded and resized by Pillow for all of its 16 windows."""
        starts = len(files) - WINDOW + 1

        def opened(window: int) -> NDArray[np.float32]:
            first = window % starts
            cuboid: NDArray[np.float32] = np.stack([_open(path) for path in files[first : first + WINDOW]])
            return cuboid

        return self._rate(opened, seconds)

    def _rate(self, cuboid: Cuboid, seconds: float) -> float:
        for window in range(3):
            self._errors(cuboid(window))
        windows = count()
        return calls_a_second(lambda: self._errors(cuboid(next(windows))), seconds)

    def _errors(self, cuboid: NDArray[np.float32]) -> NDArray[np.float32]:
        frames = torch.from_numpy(cuboid).to(self._device)[None]  # [1, T, H, W]
        with torch.no_grad():
            difference = self._network(frames) - frames
            errors: NDArray[np.float32] = (difference**2).mean(dim=(2, 3)).cpu().numpy()
        return errors


def _open(path: Path) -> NDArray[np.float32]:
    with Image.open(path) as image:
        grey = image.convert("L").resize((FRAME_SIZE, FRAME_SIZE), Image.Resampling.BILINEAR)
    levels: NDArray[np.float32] = np.asarray(grey, np.float32) / np.float32(255)
    return levels
