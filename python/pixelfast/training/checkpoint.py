"""What a training needs to go on where it stopped, written whole after each epoch."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from pixelfast.errors import ModelError
from pixelfast.files.atomic import atomic_path
from pixelfast.training.weights import NotPlainError, load_plain

_FORMAT: Final = 1


@dataclass
class Checkpoint:
    """The state after some epochs.

    The order of the windows and the augmentation depend on the seed and the epoch alone, the learning rate on the
    step alone: so the weights and the optimiser are all the state there is.

    Attributes:
        settings: all that fixes the model but the threads; a run with others must not go on from here.
        threads: of PyTorch; with others the model differs in its last digits.
        epochs: how many are done.
        network: its weights.
        optimiser: its state.
        train_losses: mean loss of each epoch's batches.
        held_out_losses: loss on held-out data after each epoch.
        best_epoch: the epoch (from 1) with the lowest held-out loss; 0 before the first.
        best_network: its weights, where they are kept.
        seconds: spent so far.
    """

    settings: dict[str, Any]
    threads: int
    epochs: int = 0
    network: dict[str, Tensor] = field(default_factory=dict)
    optimiser: dict[str, Any] = field(default_factory=dict)
    train_losses: list[float] = field(default_factory=list)
    held_out_losses: list[float] = field(default_factory=list)
    best_epoch: int = 0
    best_network: dict[str, Tensor] = field(default_factory=dict)
    seconds: float = 0.0


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Writes it whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    with atomic_path(path) as temporary:
        torch.save({"format": _FORMAT, **vars(checkpoint)}, temporary)


def load_checkpoint(path: Path) -> Checkpoint:
    """Reads what `save_checkpoint` wrote; only tensors and plain values are accepted.

    Raises:
        ModelError: it is damaged or of another version.
    """
    try:
        state = load_plain(path)
        if state.pop("format") != _FORMAT:
            raise KeyError("format")
        return Checkpoint(**state)
    except (NotPlainError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"the checkpoint {path} is damaged or of another version ({error}): train again with --fresh"
        ) from None


def begin(path: Path, settings: dict[str, Any], threads: int, *, resume: bool) -> Checkpoint:
    """The state that a training begins with: that of the checkpoint at `path` where it is resumed, else a new one.

    Raises:
        ModelError: the checkpoint is damaged, or of other settings: each that differs is named, with both values.
    """
    if not (resume and path.exists()):
        return Checkpoint(settings, threads)
    checkpoint = load_checkpoint(path)
    before = checkpoint.settings
    differing = [
        f"{name} {before.get(name)!r}, now {settings.get(name)!r}"
        for name in sorted({*before, *settings})
        if before.get(name) != settings.get(name)
    ]
    if differing:
        raise ModelError(
            f"the training in {path.parent} was begun with other settings ({'; '.join(differing)}): "
            "resume with the same, or train again with --fresh"
        )
    return checkpoint
