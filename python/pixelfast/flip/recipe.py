"""How the flip classifier is trained, number by number."""

from dataclasses import dataclass
from typing import Literal


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
