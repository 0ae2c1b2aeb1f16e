"""The training loop of the flip classifier."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pixelfast.flip.augmentation import augment
from pixelfast.flip.export import write_flip_classifier
from pixelfast.flip.network import FLIPPED, FlipClassifier, halve
from pixelfast.flip.recipe import FlipRecipe
from pixelfast.flip.strangers import Strangers
from pixelfast.flip.weights import save_flip_classifier
from pixelfast.model.names import EngineName
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.training.cache import FrameCache
from pixelfast.training.loop import reproducible
from pixelfast.training.onnx import checked_frames

MOST_HELD_OUT_FRAMES: Final = 1000
"""The accuracy is measured on at most so many held-out frames, evenly spaced, each upright and flipped."""

_EVALUATION_BATCH: Final = 256


@dataclass(frozen=True)
class FlipAccuracy:
    """How well the classifier does on frames that it has not seen, both orientations counted.

    Attributes:
        held_out: share of frames that are judged rightly, as they are; None where no frame is held out.
        augmented: the same under the recipe's changes of light and noise; None also where it has none.
        frames: held-out frames that were judged, each in both orientations.
        steps: of the training.
        onnx_difference: the largest difference of its ONNX file from PyTorch, relative to the largest value.
    """

    held_out: float | None
    augmented: float | None
    frames: int
    steps: int
    onnx_difference: float = 0.0


def train_flip_classifier(
    cache: FrameCache, recipe: FlipRecipe, *, seed: int, threads: int, progress: ProgressCallback | None = None
) -> tuple[FlipClassifier, FlipAccuracy]:
    """Trains on frames of `cache`, each upright and flipped, and measures on its held-out frames.

    Returns:
        The network in evaluation mode, and its accuracy.
    """
    with reproducible(seed, threads):
        draws = torch.Generator().manual_seed(seed)
        frames = _chosen(cache.frames, cache.train_frame_ids(), recipe.frames)
        network = FlipClassifier()
        steps = _fit(network, frames, recipe, seed=seed, draws=draws, tell=progress or (lambda _: None))
        held_out = _chosen(cache.frames, cache.held_out_frame_ids(), MOST_HELD_OUT_FRAMES)
        return network.eval(), _measure(network.eval(), held_out, recipe, draws, steps)


def train_flip_files(
    cache: FrameCache,
    recipe: FlipRecipe,
    folder: Path,
    *,
    name: str,
    seed: int,
    threads: int,
    progress: ProgressCallback | None,
) -> FlipAccuracy:
    """Trains as `train_flip_classifier` does, and writes weights and ONNX file; `name` is the recipe's.

    Raises:
        ModelError: the exported file does not compute what the network does.
        OutputError: the folder cannot be written.
    """
    network, accuracy = train_flip_classifier(cache, recipe, seed=seed, threads=threads, progress=progress)
    file = EngineName("flip")
    save_flip_classifier(network, folder / str(file.weights), recipe=name)
    difference = write_flip_classifier(network, folder / str(file), frames=checked_frames(cache), threads=threads)
    return replace(accuracy, onnx_difference=difference)


@torch.no_grad()
def flip_probabilities(network: FlipClassifier, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """u8[N,128,128] to the probability that each is upside down, f32[N]."""
    batches = torch.split(torch.from_numpy(np.ascontiguousarray(frames)), _EVALUATION_BATCH)
    outputs = [network.flip_probability(halve(batch.float() / 255)) for batch in batches]
    return torch.cat(outputs).numpy() if outputs else np.empty(0, np.float32)


class _Examples:
    """Batches to learn from: the scene's frames upright and flipped, and pictures of other scenes."""

    def __init__(self, frames: Tensor, recipe: FlipRecipe, seed: int, draws: torch.Generator) -> None:
        self._frames = frames
        self._recipe = recipe
        self._draws = draws
        self._strangers = Strangers(frames, seed) if recipe.strangers else None

    def batch(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs f32[B,1,H/2,W/2] and labels i64[B] of `samples`, and of the strangers among them."""
        pictures, labels = _turned(self._frames, samples), samples % 2
        if self._strangers is not None:
            strangers = self._strangers.draw(round(self._recipe.strangers * len(samples)), self._draws)
            pictures = torch.cat([pictures, strangers])
            labels = torch.cat([labels, torch.full((len(strangers),), 1 - FLIPPED)])
        return halve(augment(pictures, self._recipe, self._draws)), labels


def _fit(
    network: FlipClassifier,
    frames: Tensor,
    recipe: FlipRecipe,
    *,
    seed: int,
    draws: torch.Generator,
    tell: Callable[[Progress], None],
) -> int:
    per_epoch = math.ceil(2 * len(frames) / recipe.batch)
    steps = max(recipe.epochs * per_epoch, recipe.least_steps)
    optimiser = torch.optim.Adam(network.parameters(), recipe.learning_rate)
    examples = _Examples(frames, recipe, seed, draws)
    for step, samples in zip(range(steps), _sample_batches(2 * len(frames), recipe.batch, draws), strict=False):
        _set_rate(optimiser, recipe, step, steps)
        inputs, labels = examples.batch(samples)
        loss = F.cross_entropy(network(inputs), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        tell(Progress("flip", step + 1, steps, f"loss {loss.item():.4f}"))
    return steps


def _sample_batches(samples: int, batch: int, draws: torch.Generator) -> Iterator[Tensor]:
    """Batches of i64 sample numbers, epoch after epoch without end, each epoch in its own order."""
    while True:
        yield from torch.split(torch.randperm(samples, generator=draws), batch)


def _set_rate(optimiser: torch.optim.Optimizer, recipe: FlipRecipe, step: int, steps: int) -> None:
    share = 1.0 if recipe.schedule == "constant" else 0.5 * (1 + math.cos(math.pi * step / steps))
    for group in optimiser.param_groups:
        group["lr"] = recipe.learning_rate * share


def _chosen(frames: NDArray[np.uint8], ids: NDArray[np.int64], most: int) -> Tensor:
    """At most so many of the frames `ids`, evenly spaced, u8[n,H,W]."""
    kept = np.linspace(0, len(ids) - 1, min(len(ids), most)).round().astype(np.int64)
    return torch.from_numpy(np.ascontiguousarray(frames[ids[kept]]))


def _turned(frames: Tensor, samples: Tensor) -> Tensor:
    """f32[B,H,W] in [0, 1]: sample 2i is frame i upright, sample 2i + 1 the same upside down."""
    plain = frames[samples // 2].float() / 255
    return torch.where((samples % 2 == FLIPPED)[:, None, None], plain.flip(1), plain)


def _measure(
    network: FlipClassifier, frames: Tensor, recipe: FlipRecipe, draws: torch.Generator, steps: int
) -> FlipAccuracy:
    if not len(frames):
        return FlipAccuracy(None, None, 0, steps)
    plain = _accuracy(network, frames, lambda turned: turned)
    changed = None if recipe.gain is None else _accuracy(network, frames, lambda turned: augment(turned, recipe, draws))
    return FlipAccuracy(plain, changed, len(frames), steps)


@torch.no_grad()
def _accuracy(network: FlipClassifier, frames: Tensor, change: Callable[[Tensor], Tensor]) -> float:
    """Share of the frames, in both orientations, that are judged rightly after `change`."""
    right = 0
    for samples in torch.split(torch.arange(2 * len(frames)), _EVALUATION_BATCH):
        classes = network(halve(change(_turned(frames, samples)))).argmax(dim=1)
        right += int((classes == samples % 2).sum())
    return right / (2 * len(frames))
