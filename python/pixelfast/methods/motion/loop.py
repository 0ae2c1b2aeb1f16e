"""The training loop of the flow GRU."""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pixelfast.errors import ModelError
from pixelfast.flow.cache import FlowCache
from pixelfast.methods.motion.network import FLOW_VALUES, FlowGru
from pixelfast.methods.motion.recipe import MotionRecipe
from pixelfast.options import TrainingPrecision
from pixelfast.progress import Progress, ProgressCallback, duration
from pixelfast.training.checkpoint import Checkpoint, check_settings, load_checkpoint, save_checkpoint
from pixelfast.training.reproducible import reproducible
from pixelfast.training.speed import choose_precision

CHECKPOINT: Final = "motion.checkpoint.pt"
"""The checkpoint's name in the working folder."""

MOST_HELD_OUT: Final = 1024
"""Losses are compared on at most so many held-out sequences, evenly spaced."""


@dataclass(frozen=True, eq=False)
class GruTraining:
    """One training of the GRU, fixed in full: the same plan gives the same bits on one kind of CPU."""

    cache: FlowCache
    recipe: MotionRecipe
    epochs: int
    seed: int
    precision: TrainingPrecision
    batch: int
    threads: int
    footage: str

    @property
    def scale(self) -> float:
        """What flows are divided by."""
        return self.cache.deviation if self.recipe.scaled else 1.0

    def settings(self) -> dict[str, Any]:
        """All that fixes the model but the number of threads and epochs, as plain values."""
        recipe = {f"recipe's {name}": value for name, value in asdict(self.recipe).items() if name != "epochs"}
        own = {"seed": self.seed, "precision": self.precision, "batch": self.batch, "footage": self.footage}
        return {**recipe, **own}

    def sequences(self, starts: NDArray[np.int64]) -> Tensor:
        """f32[B,K+1,8192]: scaled flows, the last of which is to be predicted."""
        indices = starts[:, None] + np.arange(self.recipe.past + 1)
        flows = torch.from_numpy(np.asarray(self.cache.flows[indices])).float()
        return flows.flatten(2) / self.scale

    def held_out(self) -> NDArray[np.int64]:
        """Starts of the sequences that losses are compared on: held-out ones, or training ones where there are none."""
        starts = self.cache.held_out_starts(self.recipe.past + 1)
        starts = starts if len(starts) else self.cache.train_starts(self.recipe.past + 1)
        kept = np.linspace(0, len(starts) - 1, min(len(starts), MOST_HELD_OUT)).round().astype(np.int64)
        return starts[kept]

    def batches(self, starts: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """`starts`, a batch at a time."""
        for first in range(0, len(starts), self.batch):
            yield starts[first : first + self.batch]

    def predicted(self, network: FlowGru, past: Tensor) -> Tensor:
        """The network's prediction in the plan's precision, as float32."""
        return _predicted(network, past, self.precision)


def train_gru(
    plan: GruTraining, workdir: Path, *, resume: bool, progress: ProgressCallback | None
) -> tuple[FlowGru, Checkpoint]:
    """Trains to the end of the plan, or goes on from the checkpoint in `workdir`: the model is the same.

    Returns:
        The network in evaluation mode, and what happened.

    Raises:
        ModelError: no sequence can be trained on, the checkpoint is damaged or of another plan, or the loss is not
            finite.
        OutputError: the checkpoint cannot be written.
    """
    starts = plan.cache.train_starts(plan.recipe.past + 1)
    if not len(starts):
        raise ModelError(
            f"every training video is too short: the motion method needs {plan.recipe.past + 2} frames in a row "
            "that are not held out"
        )
    path = workdir / CHECKPOINT
    with reproducible(plan.seed, plan.threads):
        state = _begun(path, plan) if resume and path.exists() else Checkpoint(plan.settings(), plan.threads)
        loop = _GruLoop(plan, state, starts, progress)
        while state.epochs < plan.epochs:
            loop.run_epoch()
            save_checkpoint(state, path)
        return loop.network.eval(), state


@torch.no_grad()
def prediction_loss(plan: GruTraining, network: FlowGru) -> float:
    """Mean squared error of the prediction over the compared sequences, in scaled units."""
    network.eval()
    return _mean_loss(plan, lambda past: plan.predicted(network, past))


def faster_precision(recipe: MotionRecipe, threads: int) -> TrainingPrecision:
    """The precision that a step takes less time in, on this machine."""
    with reproducible(0, threads):
        network = FlowGru(recipe.hidden)
        optimiser = torch.optim.Adam(network.parameters(), recipe.learning_rate, fused=True)
        sequences = torch.randn(recipe.batch, recipe.past + 1, FLOW_VALUES)
        return choose_precision(
            f"GRU {recipe.hidden}, {recipe.past} flows",
            lambda precision: _step(network, optimiser, sequences, precision),
            threads,
        )


def persistence_loss(plan: GruTraining) -> float:
    """The same for the flow before as the prediction."""
    return _mean_loss(plan, lambda past: past[:, -1])


def mean_flow_loss(plan: GruTraining) -> float:
    """The same for the mean training flow as the prediction."""
    training = [plan.cache.flows[video.offset : video.offset + video.training] for video in plan.cache.videos]
    total = sum((some.sum(axis=0, dtype=np.float64) for some in training), np.zeros(plan.cache.flows.shape[1:]))
    mean = torch.from_numpy(total / sum(map(len, training))).float().flatten() / plan.scale
    return _mean_loss(plan, lambda past: mean.expand(len(past), -1))


def zero_loss(plan: GruTraining) -> float:
    """The same for no motion as the prediction: what the plain norm of the flow measures."""
    return _mean_loss(plan, lambda past: torch.zeros_like(past[:, -1]))


def _mean_loss(plan: GruTraining, predict: Any) -> float:
    total, count = 0.0, 0
    for starts in plan.batches(plan.held_out()):
        sequences = plan.sequences(starts)
        error = predict(sequences[:, :-1]) - sequences[:, -1]
        total += float((error * error).mean(dim=1).double().sum())
        count += len(starts)
    return total / count


def _begun(path: Path, plan: GruTraining) -> Checkpoint:
    checkpoint = load_checkpoint(path)
    check_settings(checkpoint, plan.settings(), path)
    return checkpoint


class _GruLoop:
    """Network and optimiser between two checkpoints."""

    def __init__(
        self, plan: GruTraining, state: Checkpoint, starts: NDArray[np.int64], progress: ProgressCallback | None
    ) -> None:
        self.network = FlowGru(plan.recipe.hidden)
        self._plan = plan
        self._state = state
        self._starts = starts
        self._progress = progress
        self._optimiser = torch.optim.Adam(self.network.parameters(), plan.recipe.learning_rate, fused=True)
        if state.epochs:
            self.network.load_state_dict(state.network)
            self._optimiser.load_state_dict(state.optimiser)
        self._begun = time.monotonic() - state.seconds

    def run_epoch(self) -> None:
        """All sequences once, in an order that depends on seed and epoch alone; then the state is a checkpoint's."""
        state = self._state
        order = np.random.default_rng((self._plan.seed, state.epochs)).permutation(len(self._starts))
        self.network.train()
        losses: list[float] = []
        for starts in self._plan.batches(self._starts[order]):
            losses.append(self._step(self._plan.sequences(starts)))
            self._tell(losses)
        state.epochs += 1
        state.train_losses.append(float(np.mean(losses)))
        state.held_out_losses.append(prediction_loss(self._plan, self.network))
        state.network, state.optimiser = self.network.state_dict(), self._optimiser.state_dict()
        state.seconds = time.monotonic() - self._begun

    def _step(self, sequences: Tensor) -> float:
        loss = _step(self.network, self._optimiser, sequences, self._plan.precision)
        if not math.isfinite(loss):
            raise ModelError(
                f"training diverged in epoch {self._state.epochs + 1}: try another seed or --precision fp32"
            )
        return loss

    def _tell(self, losses: list[float]) -> None:
        if self._progress is None:
            return
        per_epoch = math.ceil(len(self._starts) / self._plan.batch)
        done, steps = self._state.epochs * per_epoch + len(losses), self._plan.epochs * per_epoch
        left = (time.monotonic() - self._begun) / done * (steps - done)
        note = f"epoch {self._state.epochs + 1}/{self._plan.epochs}, loss {np.mean(losses[-50:]):.4f}, "
        self._progress(Progress("train", done, steps, note + f"{duration(left)} left"))


def _predicted(network: FlowGru, past: Tensor, precision: TrainingPrecision) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        output: Tensor = network(past)
    return output.float()


def _step(network: FlowGru, optimiser: torch.optim.Adam, sequences: Tensor, precision: TrainingPrecision) -> float:
    """One step down the gradient of the mean squared error, which is returned."""
    loss = F.mse_loss(_predicted(network, sequences[:, :-1], precision), sequences[:, -1])
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return loss.item()
