"""From decoded frames, or from the source method's own weights, to a checked engine of the reconstruction method."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pixelfast.errors import ModelError
from pixelfast.geometry import WINDOW
from pixelfast.methods.exports import ConvertRequest
from pixelfast.methods.reconstruction.export import write_autoencoder
from pixelfast.methods.reconstruction.loop import (
    CHECKPOINT,
    AutoencoderTraining,
    choose,
    held_out_windows,
    planned_epochs,
    train_autoencoder,
    windows_loss,
)
from pixelfast.methods.reconstruction.network import TemporalAutoencoder, save_autoencoder
from pixelfast.methods.reconstruction.recipe import AutoencoderRecipe
from pixelfast.methods.trained import Trained, TrainingJob
from pixelfast.model.names import EngineName
from pixelfast.options import TrainingPrecision
from pixelfast.training.cache import FrameCache
from pixelfast.training.checkpoint import Checkpoint, load_checkpoint
from pixelfast.training.device import device_of, training_device
from pixelfast.training.onnx import checked_frames
from pixelfast.training.speed import Choice
from pixelfast.training.weights import fill

_CHUNK_FRAMES: Final = 512


class HeldOutLosses(NamedTuple):
    """Mean squared errors of the held-out windows, of a full range of 1.

    Attributes:
        upright: of the autoencoder.
        flipped: of the autoencoder, the same windows upside down.
        mean_image: of the mean training frame, the mark to beat: a network that has learned nothing else.
        blend: of the one image that is best where a share of frames is upside down, for that mix of frames.
    """

    upright: float
    flipped: float
    mean_image: float
    blend: float


def train_reconstruction(job: TrainingJob) -> Trained:
    """Trains an autoencoder and writes its weights and its engine.

    The same footage, recipe, epochs, seed, precision, batch and number of threads give the same bits on one kind of
    CPU or GPU; a resumed training gives the model of an uninterrupted one.

    Raises:
        ModelError: the checkpoint is damaged or of other settings, training diverged, or the exported file does not
            compute what the network does.
        OutputError: the working folder cannot be written.
    """
    request, cache, name = job.request, job.cache, EngineName("ae")
    with job.phase("measure"):
        training = _settled(job)
    with job.phase("train"):
        network, history = train_autoencoder(training, job.workdir, resume=request.resume, progress=request.progress)
        starts = held_out_windows(cache)
        upright, flipped = (
            windows_loss(network, cache.frames, starts, training.choice, flipped=flipped) for flipped in (False, True)
        )
        computed_on = device_of(network).type
        network = network.cpu()
        marks = mean_image_errors(cache, starts, training.recipe.flip_probability)
    job.seconds["train"] = history.seconds  # of all attempts, where one was resumed
    losses = HeldOutLosses(upright, flipped, *marks)
    if losses.upright >= losses.mean_image:
        job.notes.say(
            f"the autoencoder has not learned: {learned(losses.upright, losses.mean_image)}; "
            "train longer (--epochs), on more footage, or with --recipe default"
        )
    with job.phase("export"):
        job.tell("export", 0, 1, str(name))
        trained_with = {**asdict(training.choice), "seed": training.seed, "epochs": history.epochs}
        save_autoencoder(network, job.workdir / str(name.weights), recipe=job.recipe.name, trained_with=trained_with)
        difference = write_autoencoder(
            network, job.workdir / str(name), frames=checked_frames(cache), threads=job.threads
        )
        job.tell("export", 1, 1)
    report = {**_report(training, history, losses), "device": computed_on}
    return Trained(str(name), WINDOW, report, cache.held_out(), differences={str(name): difference})


def convert_autoencoder(path: Path, state: Mapping[str, Tensor], workdir: Path, request: ConvertRequest) -> Trained:
    """Writes the weights and the engine of an autoencoder; see `SourceWeights.convert`.

    Raises:
        ModelError: the state dict is not that of the source's network.
        OutputError: a file cannot be written.
    """
    del request
    first = state["encoder.0.weight"]
    if first.ndim != 4 or not 0 < len(first) <= 1024:
        raise ModelError(f"{path}: encoder.0.weight has the shape {list(first.shape)}, not [channels, 16, 4, 4]")
    network, name = TemporalAutoencoder(len(first), "none"), EngineName("ae")
    fill(network, path, state)
    save_autoencoder(network, workdir / str(name.weights), recipe="source", trained_with={})
    difference = write_autoencoder(network, workdir / str(name))
    return Trained(str(name), WINDOW, {"channels": network.channels}, differences={str(name): difference})


def _settled(job: TrainingJob) -> AutoencoderTraining:
    """Everything that fixes the training, what the processor or an earlier attempt decides among it."""
    recipe: AutoencoderRecipe = job.recipe.own
    request, begun = job.request, job.workdir / CHECKPOINT
    if not request.resume:
        begun.unlink(missing_ok=True)
    if begun.exists():
        choice = _choice_of(load_checkpoint(begun), job)
    else:
        device = training_device()
        choice = choose(recipe, precision=request.precision, batch=request.batch, threads=job.threads, device=device)
    epochs = planned_epochs(recipe, len(job.cache.train_windows(recipe.window_stride)), choice.batch, request.epochs)
    return AutoencoderTraining(job.cache, recipe, choice, epochs, request.seed)


def _choice_of(before: Checkpoint, job: TrainingJob) -> Choice:
    """The choice of the epochs that are done; what the caller fixes otherwise is refused later, by name."""
    if before.threads != job.threads:
        job.notes.say(
            f"the training was begun with {before.threads} threads and goes on with {job.threads}: "
            "the model may differ in its last digits from that of an uninterrupted training"
        )
    settings = before.settings
    precision: TrainingPrecision = "bf16" if (job.request.precision or settings.get("precision")) == "bf16" else "fp32"
    batch = job.request.batch or int(settings.get("batch", 1))
    return Choice(precision, bool(settings.get("channels_last")), batch, job.threads, settings.get("piece"))


def _report(training: AutoencoderTraining, history: Checkpoint, losses: HeldOutLosses) -> dict[str, Any]:
    """What was done and how good the outcome is, as plain values for the manifest; losses are mean squared errors."""
    cache, recipe, choice = training.cache, training.recipe, training.choice
    return {
        "settings": {"autoencoder": asdict(recipe)},
        "precision": choice.precision,
        "channels_last": choice.channels_last,
        "batch": choice.batch,
        "piece": choice.piece,
        "channels": recipe.channels,
        "train_frames": len(cache.train_frame_ids()),
        "held_out_frames": len(cache.held_out_frame_ids()),
        "windows": len(cache.train_windows(recipe.window_stride)),  # each shown once an epoch
        "epochs": history.epochs,
        "planned_epochs": training.epochs,
        "best_epoch": history.best_epoch,
        "train_losses": tuple(history.train_losses),  # of the augmented batches
        "held_out_losses": tuple(history.held_out_losses),
        "held_out_loss": losses.upright,  # of the weights that were kept
        "held_out_loss_flipped": losses.flipped,
        "mean_image_error": losses.mean_image,
        "blend_error": losses.blend,
        "beats_mean_image_by": share_below(losses.upright, losses.mean_image),
    }


def share_below(loss: float, reference: float) -> float:
    """Returns by what share `loss` lies below `reference`; 0 where there is nothing to beat."""
    return 1 - loss / reference if reference > 0 else 0.0


def learned(loss: float, mean_image_error: float) -> str:
    """Says by how much the held-out loss beats the mean image, or that it does not."""
    share = share_below(loss, mean_image_error)
    mark = f"the mean training image ({mean_image_error:.5f})"
    if share <= 0:
        return f"held-out loss {loss:.5f} is no better than {mark}"
    return f"held-out loss {loss:.5f} is {share:.0%} below the error of {mark}"


def mean_image_errors(cache: FrameCache, starts: NDArray[np.int64], flip_probability: float) -> tuple[float, float]:
    """What predicting the mean frame, and the blend of it and its flip, would cost on the windows at `starts`."""
    mean = _mean_frame(cache.frames, cache.train_frame_ids())
    blend = (1 - flip_probability) * mean + flip_probability * mean[::-1]
    upright = _error(cache.frames, starts, mean)
    as_they_are = _error(cache.frames, starts, blend)
    turned = _error(cache.frames, starts, blend[::-1])  # turning the frame or the image is the same
    return upright, (1 - flip_probability) * as_they_are + flip_probability * turned


def _mean_frame(frames: NDArray[np.uint8], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """f64[H,W] in [0, 1]: the mean of the frames at `ids`."""
    total = np.zeros(frames.shape[1:], np.int64)
    for first in range(0, len(ids), _CHUNK_FRAMES):
        total += frames[ids[first : first + _CHUNK_FRAMES]].sum(axis=0, dtype=np.int64)
    return total / (255.0 * len(ids))


def _error(frames: NDArray[np.uint8], starts: NDArray[np.int64], image: NDArray[np.float64]) -> float:
    squares = [float(np.mean((frames[first : first + WINDOW] / 255.0 - image) ** 2)) for first in starts.tolist()]
    return float(np.mean(squares))
