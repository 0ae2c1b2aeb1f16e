"""What a training did and how good the outcome is, as plain values for the manifest."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class TrainingReport:
    """The outcome of one training. Losses are mean squared errors of a full range of 1.

    Attributes:
        recipe: its name.
        settings: every constant of the recipe, by part ("autoencoder", "flip"), and the seed.
        precision: "fp32" or "bf16".
        channels_last: memory layout.
        batch: windows a step.
        threads: of PyTorch.
        piece: windows through the network at a time; None for whole batches.
        width: channels after the first convolution: 64 times the `width` that `pixelfast.train` takes.
        videos: trained on.
        train_frames: trained on.
        held_out_frames: never trained on.
        windows: training windows, each shown once an epoch.
        epochs: done.
        planned_epochs: at most.
        best_epoch: the one with the lowest held-out loss, from 1.
        train_losses: mean loss of the augmented batches of each epoch.
        held_out_losses: after each epoch.
        held_out_loss: of the weights that were kept, on upright held-out windows.
        held_out_loss_flipped: the same windows upside down.
        mean_image_error: of predicting the mean training frame on the same upright windows.
        blend_error: of the best single image where the recipe turns a share of frames upside down, on that mix.
        beats_mean_image_by: 1 - held_out_loss / mean_image_error; above 0 is better than the mean image.
        flip_held_out_accuracy: share of held-out frames, in both orientations, that the flip classifier judges
            rightly; None where no frame is held out.
        flip_augmented_accuracy: the same under the recipe's changes of light and noise; None where it has none.
        flip_steps: of the flip classifier's training.
        onnx_differences: largest difference from PyTorch of each exported file, relative to the largest value.
        notes: what was said aloud.
        seconds: by phase: "measure", "train", "flip", "export".
    """

    recipe: str
    settings: dict[str, Any]
    precision: str
    channels_last: bool
    batch: int
    threads: int
    piece: int | None
    width: int
    videos: int
    train_frames: int
    held_out_frames: int
    windows: int
    epochs: int
    planned_epochs: int
    best_epoch: int
    train_losses: tuple[float, ...]
    held_out_losses: tuple[float, ...]
    held_out_loss: float
    held_out_loss_flipped: float
    mean_image_error: float
    blend_error: float
    beats_mean_image_by: float
    flip_held_out_accuracy: float | None
    flip_augmented_accuracy: float | None
    flip_steps: int
    onnx_differences: dict[str, float]
    notes: tuple[str, ...]
    seconds: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    def summary(self) -> str:
        """Two sentences for a person."""
        flip = "not measured (no frame is held out)"
        if self.flip_held_out_accuracy is not None:
            flip = f"{self.flip_held_out_accuracy:.2%} of held-out frames right"
        return f"{learned(self.held_out_loss, self.mean_image_error)}. Flip classifier: {flip}."


def share_below(loss: float, reference: float) -> float:
    """By what share `loss` lies below `reference`; 0 where there is nothing to beat."""
    return 1 - loss / reference if reference > 0 else 0.0


def learned(loss: float, mean_image_error: float) -> str:
    """Says by how much the held-out loss beats the mean image, or that it does not."""
    share = share_below(loss, mean_image_error)
    if share <= 0:
        return f"held-out loss {loss:.5f} is no better than the mean training image ({mean_image_error:.5f})"
    return (
        f"held-out loss {loss:.5f} is {share:.0%} below the error of the mean training image ({mean_image_error:.5f})"
    )
