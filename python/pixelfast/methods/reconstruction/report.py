"""What a training of the autoencoder did and how good the outcome is, as plain values for the manifest."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class TrainingReport:
    """The outcome of one training. Losses are mean squared errors of a full range of 1.

    Attributes:
        settings: every constant of the recipe.
        precision: "fp32" or "bf16".
        channels_last: memory layout.
        batch: windows a step.
        piece: windows through the network at a time; None for whole batches.
        channels: after the first convolution.
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
    """

    settings: dict[str, Any]
    precision: str
    channels_last: bool
    batch: int
    piece: int | None
    channels: int
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

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON."""
        return asdict(self)


def share_below(loss: float, reference: float) -> float:
    """Returns by what share `loss` lies below `reference`; 0 where there is nothing to beat."""
    return 1 - loss / reference if reference > 0 else 0.0


def learned(loss: float, mean_image_error: float) -> str:
    """Says by how much the held-out loss beats the mean image, or that it does not."""
    share = share_below(loss, mean_image_error)
    if share <= 0:
        return f"held-out loss {loss:.5f} is no better than the mean training image ({mean_image_error:.5f})"
    return (
        f"held-out loss {loss:.5f} is {share:.0%} below the error of the mean training image ({mean_image_error:.5f})"
    )


def outcome(report: Mapping[str, Any]) -> str:
    """Says in one sentence how well the autoencoder of a model learnt, by its report."""
    share = report.get("beats_mean_image_by")
    if not isinstance(share, int | float):
        return "not measured"
    side = "below" if share >= 0 else "ABOVE"
    return f"its error on held-out frames is {abs(share):.0%} {side} that of the mean image"
