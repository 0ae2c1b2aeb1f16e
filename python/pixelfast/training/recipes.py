"""What a training does, number by number, and where each number comes from."""

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

from pixelfast.errors import ModelError
from pixelfast.networks.autoencoder import Normalisation
from pixelfast.networks.geometry import PAST_FLOWS, SOURCE_WIDTH

Precision = Literal["fp32", "bf16"]

LEAST_CHANNELS: Final = 8
MOST_CHANNELS: Final = 512
"""After the first convolution; the last one has eight times as many."""


@dataclass(frozen=True)
class AutoencoderRecipe:
    """How the temporal autoencoder is built and trained.

    Attributes:
        width: channels after the first convolution; `resized` says it as a share of the source's 64.
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
        precisions: what the measurement may choose from.
        batches: what the measurement may choose from, small to large.
    """

    width: int
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
    precisions: tuple[Precision, ...]
    batches: tuple[int, ...]


@dataclass(frozen=True)
class FlipRecipe:
    """How the flip classifier is trained. Ranges are drawn from uniformly, for each frame on its own.

    Attributes:
        frames: at most so many training frames, evenly spaced; each is shown upright and flipped.
        epochs: passes over both, unless `least_steps` asks for more.
        least_steps: no fewer steps than this, however few frames there are.
        batch: frames a step.
        learning_rate: of Adam, at its highest.
        schedule: "constant", or "cosine" down to zero.
        gain: range of the factor on brightness, drawn on a logarithmic scale; None for no augmentation at all.
        contrast: range of the factor on the distance from the frame's mean.
        gamma: range of the exponent, drawn on a logarithmic scale.
        vignette: the corners lose up to this share of light.
        vignette_probability: share of frames that get it.
        noise_sigma: standard deviation of Gaussian noise, up to this, of a full range of 1.
        noise_probability: share of frames that get it.
        strangers: pictures of other scenes in a batch, as a share of `batch` and on top of it, all labelled upright.
    """

    frames: int
    epochs: int
    least_steps: int
    batch: int
    learning_rate: float
    schedule: Literal["constant", "cosine"]
    gain: tuple[float, float] | None
    contrast: tuple[float, float]
    gamma: tuple[float, float]
    vignette: float
    vignette_probability: float
    noise_sigma: float
    noise_probability: float
    strangers: float


@dataclass(frozen=True)
class MotionRecipe:
    """How the GRU of the motion method is built and trained.

    Attributes:
        predictor: "gru", or "none": no motion is expected, and the error is the plain norm of the flow.
        hidden: units.
        past: flows that the next one is predicted from.
        scaled: whether flows are divided by their deviation over the training footage.
        bridge_noisy: whether flow leaps over noisy and damaged frames, in training and in scoring.
        learning_rate: of Adam.
        batch: sequences a step.
        epochs: passes over the training sequences.
    """

    predictor: Literal["gru", "none"]
    hidden: int
    past: int
    scaled: bool
    bridge_noisy: bool
    learning_rate: float
    batch: int
    epochs: int


# METHOD, "Motion", number by number.
SOURCE_MOTION: Final = MotionRecipe(
    predictor="gru",
    hidden=512,
    past=PAST_FLOWS,
    scaled=False,
    bridge_noisy=False,
    learning_rate=1e-3,
    batch=64,
    epochs=8,
)
# The input scaling is worth 0.03 of AUROC on Ped2; flow cannot bear noise.
DEFAULT_MOTION: Final = replace(SOURCE_MOTION, scaled=True, bridge_noisy=True)


@dataclass(frozen=True)
class Recipe:
    """Everything about a training but the footage, the seed and the machine."""

    name: str
    autoencoder: AutoencoderRecipe
    flip: FlipRecipe
    motion: MotionRecipe = DEFAULT_MOTION


# METHOD, "Temporal autoencoder" and "Flip classifier", number by number.
SOURCE: Final = Recipe(
    name="source",
    autoencoder=AutoencoderRecipe(
        width=SOURCE_WIDTH,
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
        precisions=("fp32", "bf16"),  # the source's own where bf16 is not clearly faster; the same loss curve in both
        batches=(32,),
    ),
    flip=FlipRecipe(
        frames=3000,
        epochs=5,
        least_steps=0,
        batch=64,
        learning_rate=1e-3,
        schedule="constant",
        gain=None,
        contrast=(1.0, 1.0),
        gamma=(1.0, 1.0),
        vignette=0.0,
        vignette_probability=0.0,
        noise_sigma=0.0,
        noise_probability=0.0,
        strangers=0.0,
    ),
    motion=SOURCE_MOTION,
)

DEFAULT: Final = Recipe(
    name="default",
    autoencoder=AutoencoderRecipe(
        # Measured on Ped2 and on the demo's scene, where nothing else is said: held-out loss and AUROC.
        width=32,  # half of METHOD's: no worse, and twice as fast in training and scoring
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
        batches=(4, 8),
    ),
    flip=FlipRecipe(
        frames=3000,  # METHOD
        epochs=5,  # METHOD
        least_steps=500,
        batch=64,  # METHOD
        learning_rate=2e-3,
        schedule="cosine",
        gain=(0.4, 1.9),
        contrast=(0.6, 1.4),
        gamma=(0.67, 1.5),
        vignette=0.7,
        vignette_probability=0.3,
        noise_sigma=0.4,
        noise_probability=0.6,
        strangers=0.25,
    ),
)

# For the motion method alone. On Ped2 better than the GRU, which learns where people walked, not how things move.
PLAIN: Final = replace(DEFAULT, name="plain", motion=replace(DEFAULT_MOTION, predictor="none"))

RECIPES: Final = {recipe.name: recipe for recipe in (DEFAULT, SOURCE, PLAIN)}


def find_recipe(name: str | Recipe) -> Recipe:
    """The recipe of that name; one that is given as such is passed through.

    Raises:
        ModelError: there is no recipe of that name.
    """
    if isinstance(name, Recipe):
        return name
    if name not in RECIPES:
        raise ModelError(f"there is no recipe {name!r}: choose one of {', '.join(sorted(RECIPES))}")
    return RECIPES[name]


def resized(recipe: Recipe, width: float | None) -> Recipe:
    """The recipe with an autoencoder of `width` times the source's 64-128-256-512 channels; None leaves its own.

    Work and weights go with the square of the width: 0.5 is a quarter of the source's.

    Raises:
        ModelError: `width` is no positive number, or does not make a whole number of channels within the limits.
    """
    if width is None:
        return recipe
    if not (math.isfinite(width) and width > 0):
        raise ModelError(f"width must be a positive number, not {width}: 1 is the source's network, 0.5 half as wide")
    channels = SOURCE_WIDTH * width
    if not LEAST_CHANNELS <= channels <= MOST_CHANNELS:
        least, most = LEAST_CHANNELS / SOURCE_WIDTH, MOST_CHANNELS / SOURCE_WIDTH
        raise ModelError(f"width must be {least:g} to {most:g}, not {width:g}")
    if channels != int(channels):
        near = round(channels) / SOURCE_WIDTH
        raise ModelError(
            f"width {width:g} would be {channels:g} of the source's {SOURCE_WIDTH} channels, which must be a whole "
            f"number: try {near:g}"
        )
    return replace(recipe, autoencoder=replace(recipe.autoencoder, width=int(channels)))
