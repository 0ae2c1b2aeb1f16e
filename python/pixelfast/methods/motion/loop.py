"""The training of the flow GRU, and the losses that it is compared with."""

import math
from collections.abc import Callable, Iterator
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
from pixelfast.methods.motion.network import FlowGru
from pixelfast.methods.motion.recipe import MotionRecipe
from pixelfast.options import TrainingPrecision
from pixelfast.progress import ProgressCallback
from pixelfast.training.cache import spread
from pixelfast.training.checkpoint import Checkpoint, begin
from pixelfast.training.device import device_of, in_precision, sent, training_device
from pixelfast.training.loop import TrainingLoop, reproducible

CHECKPOINT: Final = "motion.checkpoint.pt"
"""The checkpoint's name in the working folder."""

MOST_HELD_OUT: Final = 1024
"""Losses are compared on at most so many held-out sequences, evenly spaced."""


@dataclass(frozen=True, eq=False)
class GruTraining:
    """One training of the GRU, fixed in full: the same one gives the same bits on one kind of CPU."""

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
        return spread(starts if len(starts) else self.cache.train_starts(self.recipe.past + 1), MOST_HELD_OUT)

    def batches(self, starts: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """`starts`, a batch at a time."""
        for first in range(0, len(starts), self.batch):
            yield starts[first : first + self.batch]


def train_gru(
    training: GruTraining, workdir: Path, *, resume: bool, progress: ProgressCallback | None
) -> tuple[FlowGru, Checkpoint]:
    """Trains to the end, or goes on from the checkpoint in `workdir`: the model is the same.

    Returns:
        The network in evaluation mode, where it was trained, and what happened.

    Raises:
        ModelError: no sequence can be trained on, the checkpoint is damaged or of another training, or the loss is not
            finite.
        OutputError: the checkpoint cannot be written.
    """
    starts = training.cache.train_starts(training.recipe.past + 1)
    if not len(starts):
        raise ModelError(
            f"every training video is too short: the motion method needs {training.recipe.past + 2} frames in a row "
            "that are not held out"
        )
    with reproducible(training.seed, training.threads):
        state = begin(workdir / CHECKPOINT, training.settings(), training.threads, resume=resume)
        network = FlowGru(training.recipe.hidden).to(training_device())
        optimiser = torch.optim.Adam(network.parameters(), training.recipe.learning_rate, fused=True)

        def losses(epoch: int) -> Iterator[float]:
            order = np.random.default_rng((training.seed, epoch)).permutation(len(starts))
            for some in training.batches(starts[order]):
                yield gru_step(network, optimiser, training.sequences(some), training.precision).item()

        TrainingLoop(
            network,
            optimiser,
            state,
            losses,
            lambda: prediction_loss(training, network),
            steps=math.ceil(len(starts) / training.batch),
            epochs=training.epochs,
            progress=progress,
        ).run(workdir / CHECKPOINT)
        return network, state


@torch.no_grad()
def prediction_loss(training: GruTraining, network: FlowGru) -> float:
    """Mean squared error of the prediction over the compared sequences, in scaled units."""
    network.eval()
    device = device_of(network)
    return _mean_loss(training, lambda past: _predicted(network, sent(past, device), training.precision).cpu())


def persistence_loss(training: GruTraining) -> float:
    """The same for the flow before as the prediction."""
    return _mean_loss(training, lambda past: past[:, -1])


def mean_flow_loss(training: GruTraining) -> float:
    """The same for the mean training flow as the prediction."""
    flows = training.cache.flows
    kept = [flows[video.offset : video.offset + video.training] for video in training.cache.videos]
    total = sum((some.sum(axis=0, dtype=np.float64) for some in kept), np.zeros(flows.shape[1:]))
    mean = torch.from_numpy(total / sum(map(len, kept))).float().flatten() / training.scale
    return _mean_loss(training, lambda past: mean.expand(len(past), -1))


def zero_loss(training: GruTraining) -> float:
    """The same for no motion as the prediction: what the plain norm of the flow measures."""
    return _mean_loss(training, lambda past: torch.zeros_like(past[:, -1]))


def _mean_loss(training: GruTraining, predict: Callable[[Tensor], Tensor]) -> float:
    total, count = 0.0, 0
    for starts in training.batches(training.held_out()):
        sequences = training.sequences(starts)
        error = predict(sequences[:, :-1]) - sequences[:, -1]
        total += float((error * error).mean(dim=1).double().sum())
        count += len(starts)
    return total / count


def _predicted(network: FlowGru, past: Tensor, precision: TrainingPrecision) -> Tensor:
    with in_precision(past.device, precision):
        output: Tensor = network(past)
    return output.float()


def gru_step(
    network: FlowGru, optimiser: torch.optim.Optimizer, sequences: Tensor, precision: TrainingPrecision
) -> Tensor:
    """One step down the gradient of the mean squared error f32[], which is returned; sequences come from the host."""
    sequences = sent(sequences, device_of(network))
    loss = F.mse_loss(_predicted(network, sequences[:, :-1], precision), sequences[:, -1])
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return loss.detach()
