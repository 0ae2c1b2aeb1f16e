"""A training of the reconstruction method from decoded frames to checked files."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pixelfast.errors import OutputError
from pixelfast.flip.export import write_flip_classifier
from pixelfast.flip.network import FlipClassifier
from pixelfast.flip.training import FlipAccuracy, train_flip_classifier
from pixelfast.flip.weights import save_flip_classifier
from pixelfast.methods.recipes import Recipe, find_recipe
from pixelfast.methods.reconstruction.choice import choose
from pixelfast.methods.reconstruction.export import write_autoencoder
from pixelfast.methods.reconstruction.loop import (
    CHECKPOINT,
    Plan,
    held_out_windows,
    planned_epochs,
    train_autoencoder,
    windows_loss,
)
from pixelfast.methods.reconstruction.mean_image import MeanImageErrors, mean_image_errors
from pixelfast.methods.reconstruction.network import TemporalAutoencoder
from pixelfast.methods.reconstruction.report import TrainingReport, learned, share_below
from pixelfast.methods.reconstruction.weights import save_autoencoder
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.training.cache import FrameCache
from pixelfast.training.checkpoint import Checkpoint, load_checkpoint
from pixelfast.training.choice import Choice, Precision
from pixelfast.training.made_up import checked_frames
from pixelfast.training.reproducible import check_seed

_log = logging.getLogger("pixelfast")


@dataclass(frozen=True)
class _Request:
    """What the caller asked for."""

    cache: FrameCache
    workdir: Path
    recipe: Recipe
    epochs: int | None
    seed: int
    precision: str | None
    batch: int | None
    resume: bool
    threads: int
    progress: ProgressCallback


@dataclass
class _Journal:
    """Seconds of each phase, and what was said aloud."""

    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - begun

    def warn(self, note: str) -> None:
        _log.warning(note)
        self.notes.append(note)


@dataclass(frozen=True)
class _Outcome:
    """The trained networks and what was measured on held-out frames."""

    network: TemporalAutoencoder
    history: Checkpoint
    upright: float
    flipped: float
    marks: MeanImageErrors
    classifier: FlipClassifier
    accuracy: FlipAccuracy


def train_reconstruction(
    cache: FrameCache,
    workdir: Path,
    *,
    recipe: str | Recipe = "default",
    epochs: int | None = None,
    seed: int = 0,
    precision: str | None = None,
    batch: int | None = None,
    resume: bool = False,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> TrainingReport:
    """Trains autoencoder and flip classifier and writes `ae` and `flip`, each `.safetensors` and `.onnx`.

    The same footage, recipe, epochs, seed, precision, batch and number of threads give the same bits on one kind of
    CPU; a resumed training gives the model of an uninterrupted one.

    Args:
        cache: the decoded frames.
        workdir: an existing folder: a checkpoint is written there after each epoch, and the files at the end.
        recipe: "default" or "source" (or a recipe of one's own).
        epochs: at most so many passes over the training windows; None leaves it to the recipe.
        seed: 0 or more.
        precision: "fp32" or "bf16"; None takes the faster one that the recipe allows.
        batch: windows a step; None takes a fast one that the recipe allows.
        resume: go on from the checkpoint in `workdir` where there is one.
        threads: None takes all cores that this process may use.
        progress: told of each step.

    Raises:
        ModelError: an argument cannot be, the checkpoint is damaged or of other settings, training diverged, or an
            exported file does not compute what the network does.
        OutputError: `workdir` cannot be written.
    """
    request = _Request(
        cache,
        workdir,
        find_recipe(recipe),
        epochs,
        seed,
        precision,
        batch,
        resume,
        threads or len(os.sched_getaffinity(0)),
        progress or (lambda _: None),
    )
    _check(request)
    return _run(request, _Journal(notes=list(cache.notes)))


def _run(request: _Request, journal: _Journal) -> TrainingReport:
    with journal.phase("measure"):
        plan = _plan(request, journal)
    outcome = _train(request, plan, journal)
    _judge(outcome, journal)
    with journal.phase("export"):
        differences = _write(request, plan, outcome)
    return _report(request, plan, outcome, differences, journal)


def _check(request: _Request) -> None:
    check_seed(request.seed)
    if not request.workdir.is_dir():
        raise OutputError(f"there is no folder {request.workdir} to write into")


def _plan(request: _Request, journal: _Journal) -> Plan:
    recipe = request.recipe.autoencoder
    windows = len(request.cache.train_windows(recipe.window_stride))
    begun = request.workdir / CHECKPOINT
    if not request.resume:
        begun.unlink(missing_ok=True)
    if begun.exists():
        choice = _choice_of(load_checkpoint(begun), request, journal)
    else:
        choice = choose(recipe, precision=request.precision, batch=request.batch, threads=request.threads)
    epochs = planned_epochs(recipe, windows, choice.batch, request.epochs)
    return Plan(request.cache, recipe, choice, epochs, request.seed)


def _choice_of(before: Checkpoint, request: _Request, journal: _Journal) -> Choice:
    """The choice of the epochs that are done; what the caller fixes otherwise is refused later, by name."""
    if before.threads != request.threads:
        journal.warn(
            f"the training was begun with {before.threads} threads and goes on with {request.threads}: "
            "the model may differ in its last digits from that of an uninterrupted training"
        )
    settings = before.settings
    precision: Precision = "bf16" if (request.precision or settings.get("precision")) == "bf16" else "fp32"
    batch = request.batch or int(settings.get("batch", 1))
    return Choice(precision, bool(settings.get("channels_last")), batch, request.threads, settings.get("piece"))


def _train(request: _Request, plan: Plan, journal: _Journal) -> _Outcome:
    cache = request.cache
    with journal.phase("train"):
        network, history = train_autoencoder(plan, request.workdir, resume=request.resume, progress=request.progress)
        starts = held_out_windows(cache)
        upright, flipped = (
            windows_loss(network, cache.frames, starts, plan.choice, flipped=flipped) for flipped in (False, True)
        )
        marks = mean_image_errors(cache, starts, plan.recipe.flip_probability)
    journal.seconds["train"] = history.seconds  # over all sessions, where one was resumed
    with journal.phase("flip"):
        classifier, accuracy = train_flip_classifier(
            cache, request.recipe.flip, seed=request.seed, threads=request.threads, progress=request.progress
        )
    return _Outcome(network, history, upright, flipped, marks, classifier, accuracy)


def _judge(outcome: _Outcome, journal: _Journal) -> None:
    """Says aloud what the user must know about the model."""
    if outcome.accuracy.held_out is None:
        journal.warn(
            "the footage is too short to hold frames out: losses are those of training frames, the flip classifier "
            "is untested and there is no threshold; train on videos of at least 32 frames"
        )
    if outcome.upright >= outcome.marks.upright:
        journal.warn(
            f"the autoencoder has not learned: {learned(outcome.upright, outcome.marks.upright)}; "
            "train longer (--epochs), on more footage, or with --recipe default"
        )


def _write(request: _Request, plan: Plan, outcome: _Outcome) -> dict[str, float]:
    folder, name, threads = request.workdir, request.recipe.name, request.threads
    frames = checked_frames(request.cache.frames, [(video.offset, video.length) for video in request.cache.videos])
    trained_with = {**asdict(plan.choice), "seed": plan.seed, "epochs": outcome.history.epochs}
    save_autoencoder(outcome.network, folder / "ae.safetensors", recipe=name, trained_with=trained_with)
    save_flip_classifier(outcome.classifier, folder / "flip.safetensors", recipe=name)
    request.progress(Progress("export", 0, 2, "ae.onnx"))
    autoencoder = write_autoencoder(outcome.network, folder / "ae.onnx", frames=frames, threads=threads)
    request.progress(Progress("export", 1, 2, "flip.onnx"))
    flip = write_flip_classifier(outcome.classifier, folder / "flip.onnx", frames=frames, threads=threads)
    request.progress(Progress("export", 2, 2))
    return {"ae.onnx": autoencoder, "flip.onnx": flip}


def _report(
    request: _Request, plan: Plan, outcome: _Outcome, differences: dict[str, float], journal: _Journal
) -> TrainingReport:
    cache, history, recipe = request.cache, outcome.history, request.recipe
    return TrainingReport(
        recipe=recipe.name,
        settings={"autoencoder": asdict(recipe.autoencoder), "flip": asdict(recipe.flip), "seed": plan.seed},
        precision=plan.choice.precision,
        channels_last=plan.choice.channels_last,
        batch=plan.choice.batch,
        threads=plan.choice.threads,
        piece=plan.choice.piece,
        width=plan.recipe.width,
        videos=len(cache.videos),
        train_frames=len(cache.train_frame_ids()),
        held_out_frames=len(cache.held_out_frame_ids()),
        windows=len(cache.train_windows(plan.recipe.window_stride)),
        epochs=history.epochs,
        planned_epochs=plan.epochs,
        best_epoch=history.best_epoch,
        train_losses=tuple(history.train_losses),
        held_out_losses=tuple(history.held_out_losses),
        held_out_loss=outcome.upright,
        held_out_loss_flipped=outcome.flipped,
        mean_image_error=outcome.marks.upright,
        blend_error=outcome.marks.blend,
        beats_mean_image_by=share_below(outcome.upright, outcome.marks.upright),
        flip_held_out_accuracy=outcome.accuracy.held_out,
        flip_augmented_accuracy=outcome.accuracy.augmented,
        flip_steps=outcome.accuracy.steps,
        onnx_differences=differences,
        notes=tuple(journal.notes),
        seconds=journal.seconds,
    )
