"""The training of the flip classifier, and the changes of light and noise that it must not mind."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pixelfast.flip.export import write_flip_files
from pixelfast.flip.network import FLIPPED, FlipClassifier, halve
from pixelfast.flip.recipe import FlipRecipe
from pixelfast.flip.strangers import Strangers
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.training.cache import FrameCache, spread
from pixelfast.training.device import device_of, sent, training_device
from pixelfast.training.loop import reproducible
from pixelfast.training.onnx import checked_frames

MOST_HELD_OUT_FRAMES: Final = 1000
"""The accuracy is measured on at most so many held-out frames, evenly spaced, each upright and flipped."""

_EVALUATION_BATCH: Final = 256
_TRIED_STEPS: Final = 4  # by which the time of a training is told


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
        network = FlipClassifier().to(training_device())
        strangers = Strangers(frames, seed) if recipe.strangers else None
        steps = _fit(network, frames, strangers, recipe, draws, tell=progress or (lambda _: None))
        held_out = _chosen(cache.frames, cache.held_out_frame_ids(), MOST_HELD_OUT_FRAMES)
        plain = _accuracy(network.eval(), held_out, lambda turned: turned)
        changed = None
        if recipe.gain is not None:
            changed = _accuracy(network, held_out, lambda turned: augment(turned, recipe, draws))
        return network.cpu(), FlipAccuracy(plain, changed, len(held_out), steps)


def expected_seconds(cache: FrameCache, recipe: FlipRecipe, threads: int) -> float:
    """Returns about how long the training will take on this machine, by a few steps of it on a batch of frames."""
    told: list[float] = []
    with reproducible(0, threads):
        frames = _chosen(cache.frames, cache.train_frame_ids(), recipe.batch)
        strangers = Strangers(frames, 0) if recipe.strangers else None
        few = replace(recipe, epochs=0, least_steps=_TRIED_STEPS)
        draws = torch.Generator().manual_seed(0)
        network = FlipClassifier().to(training_device())
        _fit(network, frames, strangers, few, draws, tell=lambda _: told.append(time.monotonic()))
    steps = _planned_steps(recipe, min(recipe.frames, len(cache.train_frame_ids())))
    return steps * float(np.median(np.diff(told)))


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
    difference = write_flip_files(network, folder, name, frames=checked_frames(cache), threads=threads)
    return replace(accuracy, onnx_difference=difference)


def _fit(
    network: FlipClassifier,
    frames: Tensor,
    strangers: Strangers | None,
    recipe: FlipRecipe,
    draws: torch.Generator,
    *,
    tell: ProgressCallback,
) -> int:
    """Returns the steps."""
    steps, device = _planned_steps(recipe, len(frames)), device_of(network)
    optimiser = torch.optim.Adam(network.parameters(), recipe.learning_rate)
    for step, samples in zip(range(steps), _sample_batches(2 * len(frames), recipe.batch, draws), strict=False):
        _set_rate(optimiser, recipe, step, steps)
        inputs, labels = _examples(frames, samples, strangers, recipe, draws)
        loss = F.cross_entropy(network(sent(inputs, device)), sent(labels, device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        tell(Progress("flip", step + 1, steps, f"loss {loss.item():.4f}"))
    return steps


def _planned_steps(recipe: FlipRecipe, frames: int) -> int:
    return max(recipe.epochs * math.ceil(2 * frames / recipe.batch), recipe.least_steps)


def _examples(
    frames: Tensor, samples: Tensor, strangers: Strangers | None, recipe: FlipRecipe, draws: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Inputs f32[B,1,H/2,W/2] and labels i64[B] of `samples`, and of the strangers among them."""
    pictures, labels = _turned(frames, samples), samples % 2
    if strangers is not None:
        others = strangers.draw(round(recipe.strangers * len(samples)), draws)
        pictures = torch.cat([pictures, others])
        labels = torch.cat([labels, torch.full((len(others),), 1 - FLIPPED)])
    return halve(augment(pictures, recipe, draws)), labels


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
    return torch.from_numpy(np.ascontiguousarray(frames[spread(ids, most)]))


def _turned(frames: Tensor, samples: Tensor) -> Tensor:
    """f32[B,H,W] in [0, 1]: sample 2i is frame i upright, sample 2i + 1 the same upside down."""
    plain = frames[samples // 2].float() / 255
    return torch.where((samples % 2 == FLIPPED)[:, None, None], plain.flip(1), plain)


@torch.no_grad()
def _accuracy(network: FlipClassifier, frames: Tensor, change: Callable[[Tensor], Tensor]) -> float | None:
    """Share of the frames, in both orientations, that are judged rightly after `change`; None where there are none."""
    if not len(frames):
        return None
    right, device = 0, device_of(network)
    for samples in torch.split(torch.arange(2 * len(frames)), _EVALUATION_BATCH):
        classes = network(sent(halve(change(_turned(frames, samples))), device)).argmax(dim=1).cpu()
        right += int((classes == samples % 2).sum())
    return right / (2 * len(frames))


def augment(frames: Tensor, recipe: FlipRecipe, draws: torch.Generator) -> Tensor:
    """Each frame of f32[B,H,W] in [0, 1] in another light and with other noise, clipped to [0, 1] as a camera does.

    A recipe without `gain` gives the frames back as they are.
    """
    if recipe.gain is None:
        return frames
    count = len(frames)
    mean = frames.mean(dim=(1, 2), keepdim=True)
    contrasted = (frames - mean) * _uniform(*recipe.contrast, count, draws) + mean
    curved = contrasted.clamp(0, 1) ** _log_uniform(*recipe.gamma, count, draws)
    vignette = _uniform(0, recipe.vignette, count, draws) * _some(recipe.vignette_probability, count, draws)
    darkened = curved * (1 - vignette * _squared_radius(*frames.shape[1:]))
    lit = (darkened * _log_uniform(*recipe.gain, count, draws)).clamp(0, 1)
    sigma = _uniform(0, recipe.noise_sigma, count, draws) * _some(recipe.noise_probability, count, draws)
    return (lit + sigma * torch.randn(frames.shape, generator=draws)).clamp(0, 1)


def _squared_radius(height: int, width: int) -> Tensor:
    """f32[H,W]: squared distance from the middle, 1 in the corners."""
    rows = torch.linspace(-1, 1, height)[:, None]
    columns = torch.linspace(-1, 1, width)[None, :]
    return (rows**2 + columns**2) / 2


def _uniform(low: float, high: float, count: int, draws: torch.Generator) -> Tensor:
    """f32[count,1,1] between `low` and `high`."""
    return low + (high - low) * torch.rand(count, 1, 1, generator=draws)


def _log_uniform(low: float, high: float, count: int, draws: torch.Generator) -> Tensor:
    return torch.exp(_uniform(math.log(low), math.log(high), count, draws))


def _some(probability: float, count: int, draws: torch.Generator) -> Tensor:
    """f32[count,1,1]: 1 with this probability, else 0."""
    return (torch.rand(count, 1, 1, generator=draws) < probability).float()
