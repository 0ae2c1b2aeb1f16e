"""A training of the reconstruction method from decoded frames to a checked engine."""

from dataclasses import asdict, dataclass

from pixelfast.geometry import WINDOW
from pixelfast.methods.reconstruction.choice import choose
from pixelfast.methods.reconstruction.export import write_autoencoder
from pixelfast.methods.reconstruction.loop import (
    CHECKPOINT,
    AutoencoderTraining,
    held_out_windows,
    planned_epochs,
    train_autoencoder,
    windows_loss,
)
from pixelfast.methods.reconstruction.mean_image import MeanImageErrors, mean_image_errors
from pixelfast.methods.reconstruction.network import TemporalAutoencoder
from pixelfast.methods.reconstruction.recipe import AutoencoderRecipe
from pixelfast.methods.reconstruction.report import TrainingReport, learned, share_below
from pixelfast.methods.reconstruction.weights import save_autoencoder
from pixelfast.methods.trained import Trained, TrainingJob
from pixelfast.model.names import EngineName
from pixelfast.options import TrainingPrecision
from pixelfast.training.checkpoint import Checkpoint, load_checkpoint
from pixelfast.training.choice import Choice
from pixelfast.training.onnx import checked_frames


@dataclass(frozen=True)
class TrainedAutoencoder:
    """The trained network and what was measured on held-out windows."""

    network: TemporalAutoencoder
    history: Checkpoint
    upright: float
    flipped: float
    marks: MeanImageErrors


def train_reconstruction(job: TrainingJob) -> Trained:
    """Trains an autoencoder and writes its weights and its engine.

    The same footage, recipe, epochs, seed, precision, batch and number of threads give the same bits on one kind of
    CPU; a resumed training gives the model of an uninterrupted one.

    Raises:
        ModelError: the checkpoint is damaged or of other settings, training diverged, or the exported file does not
            compute what the network does.
        OutputError: the working folder cannot be written.
    """
    with job.phase("measure"):
        training = _settled(job)
    outcome = _train(job, training)
    if outcome.upright >= outcome.marks.upright:
        job.notes.say(
            f"the autoencoder has not learned: {learned(outcome.upright, outcome.marks.upright)}; "
            "train longer (--epochs), on more footage, or with --recipe default"
        )
    engine = str(EngineName("ae"))
    with job.phase("export"):
        difference = _write(job, training, outcome, engine)
    report = _report(job, training, outcome).to_dict()
    return Trained(engine, WINDOW, report, job.cache.held_out(), differences={engine: difference})


def _settled(job: TrainingJob) -> AutoencoderTraining:
    """Everything that fixes the training, what a measurement or an earlier attempt decides among it."""
    recipe: AutoencoderRecipe = job.recipe.own
    request, begun = job.request, job.workdir / CHECKPOINT
    windows = len(job.cache.train_windows(recipe.window_stride))
    if not request.resume:
        begun.unlink(missing_ok=True)
    if begun.exists():
        choice = _choice_of(load_checkpoint(begun), job)
    else:
        choice = choose(recipe, precision=request.precision, batch=request.batch, threads=job.threads)
    epochs = planned_epochs(recipe, windows, choice.batch, request.epochs)
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


def _train(job: TrainingJob, training: AutoencoderTraining) -> TrainedAutoencoder:
    cache = job.cache
    with job.phase("train"):
        network, history = train_autoencoder(
            training, job.workdir, resume=job.request.resume, progress=job.request.progress
        )
        starts = held_out_windows(cache)
        upright, flipped = (
            windows_loss(network, cache.frames, starts, training.choice, flipped=flipped) for flipped in (False, True)
        )
        marks = mean_image_errors(cache, starts, training.recipe.flip_probability)
    job.seconds["train"] = history.seconds  # of all attempts, where one was resumed
    return TrainedAutoencoder(network, history, upright, flipped, marks)


def _write(job: TrainingJob, training: AutoencoderTraining, outcome: TrainedAutoencoder, engine: str) -> float:
    """The largest difference between ONNX Runtime and PyTorch."""
    trained_with = {**asdict(training.choice), "seed": training.seed, "epochs": outcome.history.epochs}
    weights = job.workdir / str(EngineName("ae").weights)
    save_autoencoder(outcome.network, weights, recipe=job.recipe.name, trained_with=trained_with)
    job.tell("export", 0, 1, engine)
    difference = write_autoencoder(
        outcome.network, job.workdir / engine, frames=checked_frames(job.cache), threads=job.threads
    )
    job.tell("export", 1, 1)
    return difference


def _report(job: TrainingJob, training: AutoencoderTraining, outcome: TrainedAutoencoder) -> TrainingReport:
    cache, history, recipe = job.cache, outcome.history, training.recipe
    return TrainingReport(
        settings={"autoencoder": asdict(recipe)},
        precision=training.choice.precision,
        channels_last=training.choice.channels_last,
        batch=training.choice.batch,
        piece=training.choice.piece,
        channels=recipe.channels,
        train_frames=len(cache.train_frame_ids()),
        held_out_frames=len(cache.held_out_frame_ids()),
        windows=len(cache.train_windows(recipe.window_stride)),
        epochs=history.epochs,
        planned_epochs=training.epochs,
        best_epoch=history.best_epoch,
        train_losses=tuple(history.train_losses),
        held_out_losses=tuple(history.held_out_losses),
        held_out_loss=outcome.upright,
        held_out_loss_flipped=outcome.flipped,
        mean_image_error=outcome.marks.upright,
        blend_error=outcome.marks.blend,
        beats_mean_image_by=share_below(outcome.upright, outcome.marks.upright),
    )
