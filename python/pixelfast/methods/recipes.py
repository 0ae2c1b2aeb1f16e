"""What a training does, number by number, and where each number comes from."""

import math
from dataclasses import dataclass, replace
from typing import Final

from pixelfast.errors import ModelError
from pixelfast.flip.recipe import FlipRecipe
from pixelfast.geometry import SOURCE_WIDTH
from pixelfast.methods.motion.recipe import DEFAULT_MOTION, SOURCE_MOTION, MotionRecipe
from pixelfast.methods.reconstruction.recipe import LEAST_CHANNELS, MOST_CHANNELS, AutoencoderRecipe


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
