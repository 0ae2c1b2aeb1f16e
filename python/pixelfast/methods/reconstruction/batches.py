"""Batches of cuboids, assembled in Rust one batch ahead of the training step."""

import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pixelfast import _core
from pixelfast.geometry import WINDOW
from pixelfast.machine.threads import usable_cores
from pixelfast.methods.reconstruction.recipe import AutoencoderRecipe
from pixelfast.training.device import CPU, room


def windows_per_epoch(recipe: AutoencoderRecipe, windows: int) -> int:
    """How many of so many windows an epoch shows."""
    return min(windows, recipe.epoch_windows or windows)


def steps_per_epoch(recipe: AutoencoderRecipe, windows: int, batch: int) -> int:
    """How many batches an epoch has; the last may be smaller."""
    return math.ceil(windows_per_epoch(recipe, windows) / batch)


@dataclass(frozen=True, eq=False)
class Batch:
    """Cuboids f32[B,16,H,W] to feed and what to ask for, the same shape; both are overwritten two batches later."""

    cuboids: Tensor
    target: Tensor


class CuboidBatches:
    """Training batches of one cache: the same seed, epoch and batch size give the same bits on any machine.

    Args:
        frames: u8[N,H,W].
        starts: i64[W], first frames of the windows.
        recipe: says how they are augmented.
        batch: windows a step; the last batch of an epoch may be smaller.
        seed: of the order of the windows and of the augmentation.
        device: that they are sent to; a batch is overwritten as the one after the next is asked for, and must have
            arrived by then.
    """

    def __init__(
        self,
        frames: NDArray[np.uint8],
        starts: NDArray[np.int64],
        recipe: AutoencoderRecipe,
        batch: int,
        seed: int,
        *,
        device: torch.device = CPU,
    ) -> None:
        self._frames = frames
        self._starts = starts
        self._recipe = recipe
        self._batch = batch
        self._seed = seed
        shape = (min(batch, windows_per_epoch(recipe, len(starts))), WINDOW, *frames.shape[1:])
        clean, self._threads = recipe.target == "clean", 1 if device.type == "cpu" else usable_cores()
        self._buffers = [(room(shape, device), room(shape, device) if clean else None) for _ in range(2)]

    def __len__(self) -> int:
        """Batches an epoch."""
        return steps_per_epoch(self._recipe, len(self._starts), self._batch)

    def epoch(self, number: int) -> Iterator[Batch]:
        """All windows once (or as many as the recipe shows), in an order that depends on seed and epoch alone."""
        order = np.random.default_rng((self._seed, number)).permutation(len(self._starts))
        order = order[: windows_per_epoch(self._recipe, len(order))]
        chosen = [order[first : first + self._batch] for first in range(0, len(order), self._batch)]
        with ThreadPoolExecutor(1, "pixelfast-batches") as pool:
            ahead: Future[Batch] = pool.submit(self._assemble, number, chosen[0], 0)
            for step in range(len(chosen)):
                batch = ahead.result()
                if step + 1 < len(chosen):
                    ahead = pool.submit(self._assemble, number, chosen[step + 1], step + 1)
                yield batch

    def _assemble(self, epoch: int, windows: NDArray[np.int64], step: int) -> Batch:
        cuboids, clean = self._buffers[step % 2]
        cuboids = cuboids[: len(windows)]
        clean = None if clean is None else clean[: len(windows)]
        _core.assemble_cuboids(
            self._frames,
            self._starts[windows],
            cuboids,
            clean=clean,
            samples=epoch * len(self._starts) + windows,
            seed=self._seed,
            noise_probability=self._recipe.noise_probability,
            noise_amplitude=self._recipe.noise_amplitude,
            flip_probability=self._recipe.flip_probability,
            flip=self._recipe.flip,
            threads=self._threads,  # on a CPU the other cores are busy with the step that runs meanwhile
        )
        fed = torch.from_numpy(cuboids)
        return Batch(fed, fed if clean is None else torch.from_numpy(clean))


def plain_cuboids(
    frames: NDArray[np.uint8], starts: NDArray[np.int64], batch: int, *, flipped: bool = False
) -> Iterator[Tensor]:
    """Cuboids f32[B,16,H,W] without augmentation, all upright or all upside down, in the order of `starts`."""
    for first in range(0, len(starts), batch):
        some = starts[first : first + batch]
        cuboids = np.empty((len(some), WINDOW, *frames.shape[1:]), np.float32)
        _core.assemble_cuboids(frames, some, cuboids, threads=1)
        upright = torch.from_numpy(cuboids)
        yield upright.flip(2) if flipped else upright
