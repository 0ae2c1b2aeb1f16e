"""How the autoencoder is trained, number by number."""

from dataclasses import dataclass
from typing import Final, Literal

from pixelfast.methods.reconstruction.network import Normalisation
from pixelfast.training.choice import Precision

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
