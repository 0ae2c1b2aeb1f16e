"""The loop of every training: epoch after epoch, each of which ends with a checkpoint to go on from."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pixelfast.errors import ModelError
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.training.checkpoint import Checkpoint, save_checkpoint


@contextmanager
def reproducible(seed: int, threads: int) -> Iterator[None]:
    """Seeds PyTorch, allows only deterministic algorithms, uses `threads` threads; restores all three at the end.

    The same seed, choice and number of threads then give the same bits on one kind of CPU or GPU.
    """
    threads_before = torch.get_num_threads()
    deterministic_before = torch.are_deterministic_algorithms_enabled()
    gpus = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=gpus):
        try:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(True)
            torch.manual_seed(seed)
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic_before)
            torch.set_num_threads(threads_before)


@dataclass(eq=False)
class TrainingLoop:
    """A network and its optimiser from one checkpoint to the next.

    Attributes:
        network: in the state in which a training begins.
        optimiser: of its weights.
        state: what was done before, with which the two are filled; it is kept up to date.
        train: takes the steps of an epoch, by its number from 0, and yields the loss of each.
        held_out_loss: what epochs are compared by.
        steps: of an epoch.
        epochs: at most so many.
        patience: stop after so many epochs without a better held-out loss, but not before `least_steps`; None never
            stops.
        least_steps: of all epochs.
        keep_best: whether the network gets the weights of its best epoch in the end, or keeps those of its last.
        progress: is told of each step.
    """

    network: nn.Module
    optimiser: torch.optim.Optimizer
    state: Checkpoint
    train: Callable[[int], Iterator[float]]
    held_out_loss: Callable[[], float]
    steps: int
    epochs: int
    patience: int | None = None
    least_steps: int = 0
    keep_best: bool = False
    progress: ProgressCallback | None = None

    def run(self, checkpoint: Path) -> None:
        """Trains to the end, writing a checkpoint after each epoch; the network is in evaluation mode then.

        Raises:
            ModelError: the loss is not finite.
            OutputError: the checkpoint cannot be written.
        """
        if self.state.epochs:
            self.network.load_state_dict(self.state.network)
            self.optimiser.load_state_dict(self.state.optimiser)
        self._begun = time.monotonic() - self.state.seconds
        while not self._finished():
            self._run_epoch()
            save_checkpoint(self.state, checkpoint)
        if self.keep_best:
            self.network.load_state_dict(self.state.best_network)
        self.network.eval()

    def _finished(self) -> bool:
        done = self.state.epochs
        if self.patience is None or done * self.steps < self.least_steps:
            return done >= self.epochs
        return done >= self.epochs or done - self.state.best_epoch >= self.patience

    def _run_epoch(self) -> None:
        """All training data once; the state is then that of a checkpoint."""
        state, losses = self.state, self._train_epoch()
        held_out = self.held_out_loss()
        best = not held_out >= min(state.held_out_losses, default=math.inf)  # also where it is not a number
        state.epochs += 1
        state.train_losses.append(float(np.mean(losses)))
        state.held_out_losses.append(held_out)
        state.network, state.optimiser = self.network.state_dict(), self.optimiser.state_dict()
        state.seconds = time.monotonic() - self._begun
        if best:
            state.best_epoch = state.epochs
        if best and self.keep_best:
            state.best_network = {name: value.clone() for name, value in state.network.items()}

    def _train_epoch(self) -> list[float]:
        self.network.train()
        before, losses = self.state.epochs * self.steps, list[float]()
        for loss in self.train(self.state.epochs):
            losses.append(loss)
            done = before + len(losses)
            if not math.isfinite(loss):
                raise ModelError(
                    f"training diverged: the loss of step {done} is {loss}; try another seed or --precision fp32"
                )
            if self.progress is not None:
                steps = self.epochs * self.steps
                self.progress(Progress("train", done, steps, self._note(losses)))
        return losses

    def _note(self, losses: list[float]) -> str:
        held_out = f", held-out {self.state.held_out_losses[-1]:.5f}" if self.state.held_out_losses else ""
        epoch = f"epoch {self.state.epochs + 1}/{self.epochs}"
        return f"{epoch}, loss {np.mean(losses[-50:]):.5f}{held_out}"
