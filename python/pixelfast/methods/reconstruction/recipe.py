"""How the autoencoder is trained, number by number."""

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

from pixelfast.errors import ModelError
from pixelfast.flip import recipe as flip
from pixelfast.geometry import SOURCE_CHANNELS
from pixelfast.methods.trained import Recipe
from pixelfast.options import TrainingPrecision

Normalisation = Literal["none", "batch"]

LEAST_CHANNELS: Final = 8
MOST_CHANNELS: Final = 512
"""After the first convolution; the last one has eight times as many."""


@dataclass(frozen=True)
class AutoencoderRecipe:
    """How the temporal autoencoder is built and trained.

    Attributes:
        channels: those after the first convolution; `resized` says them as a share of the source's 64.
        normalisation: "none" or "batch".
        window_stride: frames between the starts of neighbouring training windows.
        noise_probability: share of frames that get uniform noise, each on its own.
        noise_amplitude: the noise lies within plus and minus this, of a full range of 1.
        flip_probability: share of frames (or cuboids) that are turned upside down.
        flip: "frame" turns each frame on its own, "cuboid" the whole window.
        target: "augmented" asks for the noisy cuboid back, "clean" for the one without noise (flips stay).
        learning_rate: of Adam, at its highest.
        warmup: share of all steps over which the learning rate rises.
        schedule: "constant", or "cosine" down to zero at the last epoch.
        epochs: passes over the training windows, unless the caller says otherwise; at least so many.
        least_steps: where set, there are as many epochs as it takes for so many steps.
        epoch_windows: where set and there are more windows, an epoch shows so many of them, others each time: so
            that checkpoints and the held-out loss come often however long the footage is.
        patience: stop after so many epochs without a better held-out loss, but not before `least_steps`; None
            never stops.
        keep_best: keep the weights of the epoch with the lowest held-out loss, not the last.
        precisions: those that a training may compute in, by what the processor can do; the usual one first.
        batches: windows a step: the first, unless the caller says otherwise.
    """

    channels: int
    normalisation: Normalisation
    window_stride: int
    noise_probability: float
    noise_amplitude: float
    flip_probability: float
    flip: Literal["frame", "cuboid"]
    target: Literal["augmented", "clean"]
    learning_rate: float
    warmup: float
    schedule: Literal["constant", "cosine"]
    epochs: int
    least_steps: int | None
    epoch_windows: int | None
    patience: int | None
    keep_best: bool
    precisions: tuple[TrainingPrecision, ...]
    batches: tuple[int, ...]


SOURCE: Final = AutoencoderRecipe(
    channels=SOURCE_CHANNELS,
    normalisation="none",
    window_stride=2,
    noise_probability=0.3,
    noise_amplitude=0.15,
    flip_probability=0.2,
    flip="frame",
    target="augmented",
    learning_rate=1e-3,
    warmup=0.0,
    schedule="constant",
    epochs=40,
    least_steps=None,
    epoch_windows=None,
    patience=None,
    keep_best=False,
    precisions=("fp32", "bf16"),  # the source's own where the processor has no bf16; the same loss curve in both
    batches=(32,),
)
"""METHOD, "Temporal autoencoder", number by number."""

DEFAULT: Final = AutoencoderRecipe(
    # Measured on Ped2 and on the demo's scene, where nothing else is said: held-out loss and AUROC.
    channels=32,  # half of METHOD's: no worse, and twice as fast in training and scoring
    normalisation="batch",  # without it the source's network stays at the mean image
    window_stride=1,
    noise_probability=0.3,  # METHOD; other shares and strengths made no difference
    noise_amplitude=0.15,  # METHOD
    # METHOD turns a fifth of the frames, which teaches a blend of both orientations; turned cuboids made no
    # difference, as frames are turned upright before they are scored.
    flip_probability=0.0,
    flip="cuboid",
    target="clean",  # noise cannot be predicted: asking for it back only adds to the loss
    learning_rate=3e-3,  # better than 1e-3
    warmup=0.05,
    schedule="cosine",
    epochs=4,
    least_steps=1024,  # what counts is the number of steps, not of cuboids: hence small batches
    epoch_windows=4096,
    patience=3,
    keep_best=True,
    precisions=("bf16", "fp32"),
    batches=(4,),
)

RECIPES: Final = {
    "default": Recipe("default", DEFAULT, flip.DEFAULT),
    "source": Recipe("source", SOURCE, flip.SOURCE),
}


def resized(recipe: Recipe, width_share: float | None) -> Recipe:
    """Returns the recipe with an autoencoder of a share of the source's 64-128-256-512 channels; None leaves its own.

    Work and weights go with the square of the share: 0.5 is a quarter of the source's.

    Raises:
        ModelError: the share is no positive number, or does not make a whole number of channels within the limits.
    """
    if width_share is None:
        return recipe
    if not (math.isfinite(width_share) and width_share > 0):
        raise ModelError(
            f"width must be a positive number, not {width_share}: 1 is the source's network, 0.5 half as wide"
        )
    channels = SOURCE_CHANNELS * width_share
    if not LEAST_CHANNELS <= channels <= MOST_CHANNELS:
        least, most = LEAST_CHANNELS / SOURCE_CHANNELS, MOST_CHANNELS / SOURCE_CHANNELS
        raise ModelError(f"width must be {least:g} to {most:g}, not {width_share:g}")
    if channels != int(channels):
        near = round(channels) / SOURCE_CHANNELS
        raise ModelError(
            f"width {width_share:g} would be {channels:g} of the source's {SOURCE_CHANNELS} channels, which must be a "
            f"whole number: try {near:g}"
        )
    return replace(recipe, own=replace(recipe.own, channels=int(channels)))


def window_bytes(recipe: AutoencoderRecipe) -> int:
    """Returns about what a window of a batch takes of memory in a training step: 8.5 MiB measured with 32 channels."""
    return (4 << 20) + (recipe.channels << 17)
