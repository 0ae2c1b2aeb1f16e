"""The training loop of the temporal autoencoder."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from pixelfast.errors import ModelError
from pixelfast.methods.reconstruction.batches import CuboidBatches, plain_cuboids, steps_per_epoch
from pixelfast.methods.reconstruction.network import TemporalAutoencoder
from pixelfast.methods.reconstruction.recipe import AutoencoderRecipe
from pixelfast.methods.reconstruction.step import new_optimiser, reconstruct, train_step
from pixelfast.progress import Progress, ProgressCallback, duration
from pixelfast.training.cache import FrameCache
from pixelfast.training.checkpoint import Checkpoint, check_settings, load_checkpoint, save_checkpoint
from pixelfast.training.choice import Choice
from pixelfast.training.reproducible import reproducible

CHECKPOINT: Final = "autoencoder.checkpoint.pt"
"""The checkpoint's name in the working folder."""

MOST_HELD_OUT_WINDOWS: Final = 128
"""The held-out loss is measured on at most so many windows, evenly spaced, after each epoch."""

_log = logging.getLogger("pixelfast")


@dataclass(frozen=True, eq=False)
class AutoencoderTraining:
    """One training of the autoencoder, fixed in full: the same plan gives the same bits on one kind of CPU."""

    cache: FrameCache
    recipe: AutoencoderRecipe
    choice: Choice
    epochs: int
    seed: int

    def settings(self) -> dict[str, Any]:
        """All that fixes the model but the number of threads, as plain values."""
        choice = {name: value for name, value in asdict(self.choice).items() if name != "threads"}
        constants = {f"recipe's {name}": value for name, value in asdict(self.recipe).items() if name not in _FREE}
        epochs = {"epochs": self.epochs} if self.recipe.schedule == "cosine" else {}
        return {**constants, **choice, **epochs, "seed": self.seed, "footage": self.cache.digest}


_FREE: Final = ("epochs", "least_steps", "patience", "precisions", "batches")
"""What a recipe only proposes, and what does not change the weights of an epoch."""


def planned_epochs(recipe: AutoencoderRecipe, windows: int, batch: int, epochs: int | None) -> int:
    """How many epochs to train: what the caller asks for, else what the recipe says for so many windows.

    Raises:
        ModelError: `epochs` is less than 1.
    """
    if epochs is not None and epochs < 1:
        raise ModelError(f"epochs must be at least 1, not {epochs}")
    enough = math.ceil((recipe.least_steps or 0) / steps_per_epoch(recipe, windows, batch))
    return epochs or max(recipe.epochs, enough)


def learning_rate(recipe: AutoencoderRecipe, step: int, steps: int) -> float:
    """The learning rate of step `step` (from 0) of `steps`."""
    rising = recipe.warmup * steps
    rate = recipe.learning_rate * min(1.0, (step + 1) / rising if rising else 1.0)
    if recipe.schedule == "constant":
        return rate
    falling = steps - rising
    done = max(0.0, step - rising) / falling if falling else 0.0
    return rate * 0.5 * (1 + math.cos(math.pi * done))


def held_out_windows(cache: FrameCache) -> NDArray[np.int64]:
    """Starts of the windows that losses are compared on: held-out ones, or training ones where none is held out."""
    starts = cache.held_out_windows()
    starts = starts if len(starts) else cache.train_windows()
    kept = np.linspace(0, len(starts) - 1, min(len(starts), MOST_HELD_OUT_WINDOWS)).round().astype(np.int64)
    return starts[kept]


@torch.no_grad()
def windows_loss(
    network: TemporalAutoencoder, frames: NDArray[np.uint8], starts: NDArray[np.int64], choice: Choice, *, flipped: bool
) -> float:
    """Mean squared error over windows without augmentation, all upright or all upside down."""
    network.eval()
    total = 0.0
    for cuboids in plain_cuboids(frames, starts, choice.batch, flipped=flipped):
        difference = reconstruct(network, cuboids, choice) - cuboids
        total += float((difference * difference).mean(dim=(1, 2, 3)).double().sum())
    return total / len(starts)


def train_autoencoder(
    plan: AutoencoderTraining, workdir: Path, *, resume: bool, progress: ProgressCallback | None
) -> tuple[TemporalAutoencoder, Checkpoint]:
    """Trains to the end of the plan, or goes on from the checkpoint in `workdir`: the model is the same.

    Returns:
        The network in evaluation mode (of the best epoch where the recipe keeps that), and what happened.

    Raises:
        ModelError: the checkpoint is damaged or of another plan, or the loss is not finite.
        OutputError: the checkpoint cannot be written.
    """
    path = workdir / CHECKPOINT
    with reproducible(plan.seed, plan.choice.threads):
        loop = _AutoencoderLoop(plan, _begun(path, plan) if resume and path.exists() else _fresh(plan), progress)
        while not loop.finished():
            loop.run_epoch()
            save_checkpoint(loop.state, path)
        return loop.result(), loop.state


def _fresh(plan: AutoencoderTraining) -> Checkpoint:
    return Checkpoint(plan.settings(), plan.choice.threads)


def _begun(path: Path, plan: AutoencoderTraining) -> Checkpoint:
    checkpoint = load_checkpoint(path)
    check_settings(checkpoint, plan.settings(), path)
    return checkpoint


class _AutoencoderLoop:
    """Network, optimiser and batches between two checkpoints."""

    def __init__(self, plan: AutoencoderTraining, state: Checkpoint, progress: ProgressCallback | None) -> None:
        self.state = state
        self._plan = plan
        self._tell: Callable[[Progress], None] = progress or (lambda _: None)
        recipe, choice = plan.recipe, plan.choice
        self._network = TemporalAutoencoder(recipe.channels, recipe.normalisation).to(memory_format=choice.layout)
        self._optimiser = new_optimiser(self._network, recipe.learning_rate)
        if state.epochs:
            self._network.load_state_dict(state.network)
            self._optimiser.load_state_dict(state.optimiser)
        starts = plan.cache.train_windows(recipe.window_stride)
        self._batches = CuboidBatches(plan.cache.frames, starts, recipe, choice.batch, plan.seed)
        self._compared = held_out_windows(plan.cache)
        self._begun = time.monotonic() - state.seconds

    def finished(self) -> bool:
        """Whether the plan is fulfilled or the held-out loss has stopped falling."""
        done, recipe = self.state.epochs, self._plan.recipe
        if recipe.patience is None or done * len(self._batches) < (recipe.least_steps or 0):
            return done >= self._plan.epochs
        return done >= self._plan.epochs or done - self.state.best_epoch >= recipe.patience

    def run_epoch(self) -> None:
        """All windows once; the state is then that of a checkpoint."""
        losses = self._train_epoch()
        held_out = windows_loss(
            self._network, self._plan.cache.frames, self._compared, self._plan.choice, flipped=False
        )
        state = self.state
        state.epochs += 1
        state.train_losses.append(float(np.mean(losses)))
        state.held_out_losses.append(held_out)
        state.network = self._network.state_dict()
        state.optimiser = self._optimiser.state_dict()
        state.seconds = time.monotonic() - self._begun
        self._keep_best(held_out)

    def result(self) -> TemporalAutoencoder:
        """The network to write, in evaluation mode."""
        if self._plan.recipe.keep_best:
            self._network.load_state_dict(self.state.best_network)
        return self._network.eval()

    def _train_epoch(self) -> list[float]:
        self._network.train()
        per_epoch = len(self._batches)
        steps = self._plan.epochs * per_epoch
        losses: list[float] = []
        for batch in self._batches.epoch(self.state.epochs):
            step = self.state.epochs * per_epoch + len(losses)
            self._set_rate(learning_rate(self._plan.recipe, step, steps))
            loss = train_step(self._network, self._optimiser, batch.cuboids, batch.target, self._plan.choice)
            _check_finite(loss, step)
            losses.append(loss)
            self._tell(Progress("train", step + 1, steps, self._note(losses, step + 1, steps)))
        return losses

    def _set_rate(self, rate: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = rate

    def _note(self, losses: list[float], done: int, steps: int) -> str:
        left = (time.monotonic() - self._begun) / done * (steps - done)
        recent = float(np.mean(losses[-50:]))
        held_out = f", held-out {self.state.held_out_losses[-1]:.5f}" if self.state.held_out_losses else ""
        epoch = f"epoch {self.state.epochs + 1}/{self._plan.epochs}"
        return f"{epoch}, loss {recent:.5f}{held_out}, {duration(left)} left"

    def _keep_best(self, held_out: float) -> None:
        if held_out >= min(self.state.held_out_losses[:-1], default=math.inf):
            return
        self.state.best_epoch = self.state.epochs
        if self._plan.recipe.keep_best:
            self.state.best_network = {name: value.clone() for name, value in self.state.network.items()}


def _check_finite(loss: float, step: int) -> None:
    if not math.isfinite(loss):
        raise ModelError(
            f"training diverged: the loss of step {step + 1} is {loss}; try another seed or --precision fp32"
        )
