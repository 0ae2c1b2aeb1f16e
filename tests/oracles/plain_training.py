"""The source's training of its autoencoder: a window opens, decodes and resizes its own 16 files each time it is shown.

`file_windows` is the source's way; `given_windows` takes decoded frames, so that a difference from the product cannot
come from decoding.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from oracles.networks import AE_SIZE, WINDOW, TemporalAutoencoder
from oracles.plain_loop import open_frame

STRIDE = 2  # frames between the starts of neighbouring windows
BATCH = 32
LEARNING_RATE = 1e-3
NOISE_SHARE = 0.3  # of the frames, each on its own
NOISE = 0.15
FLIP_SHARE = 0.2  # of the frames, each on its own

Window = Callable[[], NDArray[np.float32]]  # makes its cuboid f32[16,H,W] in [0, 1]


class PlainTraining:
    """A training in NumPy and PyTorch float32: Adam, mean squared error, the augmented cuboid as its own target."""

    def __init__(self, seed: int, width: int = 64) -> None:
        torch.manual_seed(seed)
        self.autoencoder = TemporalAutoencoder(width)
        self.optimiser = torch.optim.Adam(self.autoencoder.parameters(), lr=LEARNING_RATE)
        self.rng = np.random.default_rng(seed)

    def epoch(self, windows: Sequence[Window]) -> list[float]:
        """Shows all windows once in a random order; the loss of each step."""
        order = self.rng.permutation(len(windows))
        return [
            self.step([windows[index] for index in order[first : first + BATCH]])
            for first in range(0, len(order), BATCH)
        ]

    def step(self, windows: Sequence[Window]) -> float:
        """Makes the windows' cuboids and goes one step down the gradient of the loss, which is returned."""
        cuboids = torch.from_numpy(np.stack([self.augmented(window()) for window in windows]))
        self.optimiser.zero_grad()
        loss = nn.functional.mse_loss(self.autoencoder(cuboids), cuboids)
        loss.backward()
        self.optimiser.step()
        return loss.item()

    def augmented(self, cuboid: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cuboid with noise on some of its frames and some of its frames upside down."""
        return np.stack([self.augmented_frame(frame) for frame in cuboid])

    def augmented_frame(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.rng.random() < NOISE_SHARE:
            noise = self.rng.uniform(-NOISE, NOISE, frame.shape).astype(np.float32)
            frame = np.clip(frame + noise, 0, 1)
        return frame[::-1] if self.rng.random() < FLIP_SHARE else frame


def file_windows(paths: Sequence[Path]) -> list[Window]:
    """The training windows of a video of frame files."""

    def window(start: int) -> Window:
        return lambda: np.stack([open_frame(path, AE_SIZE) for path in paths[start : start + WINDOW]])

    return [window(start) for start in range(0, len(paths) - WINDOW + 1, STRIDE)]


def given_windows(frames: NDArray[np.uint8], starts: Sequence[int]) -> list[Window]:
    """Windows of decoded frames u8[N,H,W]."""

    def window(start: int) -> Window:
        return lambda: frames[start : start + WINDOW].astype(np.float32) / np.float32(255)

    return [window(start) for start in starts]
