"""How the flip classifier is trained, number by number."""

from dataclasses import dataclass
from typing import Final, Literal

TRUSTED_ACCURACY: Final = 0.99
"""The share of held-out frames that a classifier must judge rightly to be trusted (DESIGN)."""


@dataclass(frozen=True)
class FlipRecipe:
    """How the flip classifier is trained: METHOD's numbers, "Flip classifier", where a recipe says nothing else.

    Ranges are drawn from uniformly, for each frame on its own.

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

    frames: int = 3000
    epochs: int = 5
    least_steps: int = 0
    batch: int = 64
    learning_rate: float = 1e-3
    schedule: Literal["constant", "cosine"] = "constant"
    gain: tuple[float, float] | None = None
    contrast: tuple[float, float] = (1.0, 1.0)
    gamma: tuple[float, float] = (1.0, 1.0)
    vignette: float = 0.0
    vignette_probability: float = 0.0
    noise_sigma: float = 0.0
    noise_probability: float = 0.0
    strangers: float = 0.0


SOURCE: Final = FlipRecipe()
"""METHOD, "Flip classifier", number by number."""

DEFAULT: Final = FlipRecipe(
    least_steps=500,
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
)
