"""The loop of every training: epoch after epoch, each of which ends with a checkpoint to go on from."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pixelfast.errors import ModelError
from pixelfast.progress import Progress, ProgressCallback, duration
from pixelfast.training.checkpoint import Checkpoint, save_checkpoint


@contextmanager
def reproducible(seed: int, threads: int) -> Iterator[None]:
    """Seeds PyTorch, allows only deterministic algorithms, uses `threads` threads; restores all three at the end.

    The same seed, choice and number of threads then give the same bits on a CPU.
    """
    threads_before = torch.get_num_threads()
    deterministic_before = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        try:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(True)
            torch.manual_seed(seed)
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic_before)
            torch.set_num_threads(threads_before)


class TrainingLoop(ABC):
    """A network and its optimiser from one checkpoint to the next; a method says what a step is.

    Args:
        network: in the state in which a training begins.
        optimiser: of its weights.
        state: what was done before, with which the two are filled; it is kept up to date.
        steps: of an epoch.
        epochs: at most so many.
        progress: is told of each step.
    """

    def __init__(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        state: Checkpoint,
        *,
        steps: int,
        epochs: int,
        progress: ProgressCallback | None,
    ) -> None:
        self.state = state
        self._network = network
        self._optimiser = optimiser
        self._steps = steps
        self._epochs = epochs
        self._progress = progress
        if state.epochs:
            network.load_state_dict(state.network)
            optimiser.load_state_dict(state.optimiser)
        self._begun = time.monotonic() - state.seconds

    @abstractmethod
    def train_epoch(self) -> Iterator[float]:
        """Takes the steps of an epoch, and yields the loss of each."""

    @abstractmethod
    def held_out_loss(self) -> float:
        """The loss that epochs are compared by."""

    def finished(self) -> bool:
        """Whether no epoch is left to do."""
        return self.state.epochs >= self._epochs

    def run(self, checkpoint: Path, *, keep_best: bool = False) -> None:
        """Trains to the end, writing a checkpoint after each epoch; the network is in evaluation mode then.

        Args:
            checkpoint: the file to write.
            keep_best: whether the network has the weights of its best epoch then, not those of its last.

        Raises:
            ModelError: the loss is not finite.
            OutputError: the checkpoint cannot be written.
        """
        while not self.finished():
            self._run_epoch(keep_best)
            save_checkpoint(self.state, checkpoint)
        if keep_best:
            self._network.load_state_dict(self.state.best_network)
        self._network.eval()

    def _run_epoch(self, keep_best: bool) -> None:
        """All training data once; the state is then that of a checkpoint."""
        state, losses = self.state, self._train_epoch()
        held_out = self.held_out_loss()
        best = not held_out >= min(state.held_out_losses, default=math.inf)  # also where it is not a number
        state.epochs += 1
        state.train_losses.append(float(np.mean(losses)))
        state.held_out_losses.append(held_out)
        state.network, state.optimiser = self._network.state_dict(), self._optimiser.state_dict()
        state.seconds = time.monotonic() - self._begun
        if best:
            state.best_epoch = state.epochs
        if best and keep_best:
            state.best_network = {name: value.clone() for name, value in state.network.items()}

    def _train_epoch(self) -> list[float]:
        self._network.train()
        before, losses = self.state.epochs * self._steps, list[float]()
        for loss in self.train_epoch():
            losses.append(loss)
            done = before + len(losses)
            if not math.isfinite(loss):
                raise ModelError(
                    f"training diverged: the loss of step {done} is {loss}; try another seed or --precision fp32"
                )
            if self._progress is not None:
                steps = self._epochs * self._steps
                self._progress(Progress("train", done, steps, self._note(losses, done, steps)))
        return losses

    def _note(self, losses: list[float], done: int, steps: int) -> str:
        left = (time.monotonic() - self._begun) / done * (steps - done)
        held_out = f", held-out {self.state.held_out_losses[-1]:.5f}" if self.state.held_out_losses else ""
        epoch = f"epoch {self.state.epochs + 1}/{self._epochs}"
        return f"{epoch}, loss {np.mean(losses[-50:]):.5f}{held_out}, {duration(left)} left"
