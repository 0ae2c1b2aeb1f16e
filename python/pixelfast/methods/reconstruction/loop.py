"""The training of the temporal autoencoder: with what, in which steps, and when it is over."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pixelfast.methods.reconstruction.batches import CuboidBatches, plain_cuboids, steps_per_epoch
from pixelfast.methods.reconstruction.network import TemporalAutoencoder
from pixelfast.methods.reconstruction.recipe import AutoencoderRecipe
from pixelfast.options import TrainingPrecision
from pixelfast.progress import ProgressCallback
from pixelfast.training.cache import FrameCache, spread
from pixelfast.training.checkpoint import Checkpoint, begin
from pixelfast.training.device import CPU, device_of, in_precision, sent, training_device
from pixelfast.training.loop import TrainingLoop, reproducible
from pixelfast.training.speed import Choice, usual_precision

CHECKPOINT: Final = "autoencoder.checkpoint.pt"
"""The checkpoint's name in the working folder."""

MOST_HELD_OUT_WINDOWS: Final = 128
"""The held-out loss is measured on at most so many windows, evenly spaced, after each epoch."""

PIECE: Final = 8
"""Windows at a time where a batch may be split: their activations stay in the processor's caches."""

_FREE: Final = ("epochs", "least_steps", "patience", "precisions", "batches")
"""What a recipe only proposes, and what does not change the weights of an epoch."""


@dataclass(frozen=True, eq=False)
class AutoencoderTraining:
    """One training of the autoencoder, fixed in full: the same one gives the same bits on one kind of CPU."""

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


def choose(
    recipe: AutoencoderRecipe, *, precision: str | None, batch: int | None, threads: int, device: torch.device = CPU
) -> Choice:
    """What to train with: what the caller fixed, the recipe's batch, and what the processor or the GPU is made for."""
    fixed: dict[str, tuple[TrainingPrecision, ...]] = {"fp32": ("fp32",), "bf16": ("bf16",)}
    size = batch or recipe.batches[0]
    # Batch normalisation needs its batch whole, and a GPU takes one at a time.
    whole = recipe.normalisation == "batch" or size <= PIECE or device.type != "cpu"
    allowed = fixed[precision] if precision else recipe.precisions
    return Choice(usual_precision(allowed, device), True, size, threads, None if whole else PIECE)


def planned_epochs(recipe: AutoencoderRecipe, windows: int, batch: int, epochs: int | None) -> int:
    """How many epochs to train: what the caller asks for, else what the recipe says for so many windows."""
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
    return spread(starts if len(starts) else cache.train_windows(), MOST_HELD_OUT_WINDOWS)


def reconstruct(network: TemporalAutoencoder, cuboids: Tensor, choice: Choice) -> Tensor:
    """f32[B,16,H,W] to their reconstruction f32[B,16,H,W]."""
    with in_precision(cuboids.device, choice.precision):
        output: Tensor = network(cuboids.contiguous(memory_format=choice.layout))
    return output


def train_step(
    network: TemporalAutoencoder, optimiser: torch.optim.Optimizer, cuboids: Tensor, target: Tensor, choice: Choice
) -> Tensor:
    """One step down the gradient of the mean squared error f64[], which is returned; the batch comes from the host."""
    optimiser.zero_grad(set_to_none=True)
    size, device, same = choice.piece or len(cuboids), device_of(network), target is cuboids
    cuboids = sent(cuboids, device)
    target = cuboids if same else sent(target, device)
    total = torch.zeros((), dtype=torch.float64, device=device)
    for fed, asked in zip(torch.split(cuboids, size), torch.split(target, size), strict=True):
        share = len(fed) / len(cuboids)
        loss = F.mse_loss(reconstruct(network, fed, choice), asked) * share
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    optimiser.step()
    return total


def new_optimiser(network: TemporalAutoencoder, learning_rate: float) -> torch.optim.Adam:
    """Adam (METHOD), its update of all weights in one pass over memory."""
    return torch.optim.Adam(network.parameters(), learning_rate, fused=True)


@torch.no_grad()
def windows_loss(
    network: TemporalAutoencoder, frames: NDArray[np.uint8], starts: NDArray[np.int64], choice: Choice, *, flipped: bool
) -> float:
    """Mean squared error over windows without augmentation, all upright or all upside down."""
    network.eval()
    total, device = 0.0, device_of(network)
    for some in plain_cuboids(frames, starts, choice.batch, flipped=flipped):
        cuboids = sent(some, device)
        difference = reconstruct(network, cuboids, choice) - cuboids
        total += float((difference * difference).mean(dim=(1, 2, 3)).double().sum())
    return total / len(starts)


def train_autoencoder(
    training: AutoencoderTraining, workdir: Path, *, resume: bool, progress: ProgressCallback | None
) -> tuple[TemporalAutoencoder, Checkpoint]:
    """Trains to the end, or goes on from the checkpoint in `workdir`: the model is the same.

    Returns:
        The network in evaluation mode (of the best epoch where the recipe keeps that), where it was trained, and what
        happened.

    Raises:
        ModelError: the checkpoint is damaged or of another training, or the loss is not finite.
        OutputError: the checkpoint cannot be written.
    """
    cache, recipe, choice = training.cache, training.recipe, training.choice
    with reproducible(training.seed, choice.threads):
        state = begin(workdir / CHECKPOINT, training.settings(), choice.threads, resume=resume)
        device = training_device()
        network = TemporalAutoencoder(recipe.channels, recipe.normalisation).to(device).to(memory_format=choice.layout)
        optimiser, compared = new_optimiser(network, recipe.learning_rate), held_out_windows(cache)
        starts = cache.train_windows(recipe.window_stride)
        batches = CuboidBatches(cache.frames, starts, recipe, choice.batch, training.seed, device=device)

        def losses(epoch: int) -> Iterator[float]:
            for step, batch in enumerate(batches.epoch(epoch), epoch * len(batches)):
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate(recipe, step, training.epochs * len(batches))
                yield train_step(network, optimiser, batch.cuboids, batch.target, choice).item()

        TrainingLoop(
            network,
            optimiser,
            state,
            losses,
            lambda: windows_loss(network, cache.frames, compared, choice, flipped=False),
            steps=len(batches),
            epochs=training.epochs,
            patience=recipe.patience,
            least_steps=recipe.least_steps or 0,
            keep_best=recipe.keep_best,
            progress=progress,
        ).run(workdir / CHECKPOINT)
        return network, state
