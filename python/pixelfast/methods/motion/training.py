"""A training of the motion method from flows to checked files."""

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pixelfast.errors import ModelError, OutputError
from pixelfast.flip.export import write_flip_classifier
from pixelfast.flip.network import FlipClassifier
from pixelfast.flip.training import FlipAccuracy, train_flip_classifier
from pixelfast.flip.weights import save_flip_classifier
from pixelfast.flow.cache import FlowCache
from pixelfast.methods.motion.export import write_motion
from pixelfast.methods.motion.loop import (
    CHECKPOINT,
    MotionPlan,
    faster_precision,
    mean_flow_loss,
    persistence_loss,
    prediction_loss,
    train_gru,
    zero_loss,
)
from pixelfast.methods.motion.network import FlowGru
from pixelfast.methods.motion.weights import save_flow_gru
from pixelfast.methods.recipes import Recipe, find_recipe
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.training.cache import FrameCache
from pixelfast.training.checkpoint import Checkpoint, load_checkpoint
from pixelfast.training.choice import Precision
from pixelfast.training.made_up import checked_frames
from pixelfast.training.reproducible import check_seed


@dataclass(frozen=True)
class MotionReport:
    """The outcome of one training. Losses are mean squared errors of the flow, in scaled units, on held-out flows.

    Attributes:
        recipe: its name.
        settings: every constant of the recipe, by part ("motion", "flip"), and the seed.
        precision: "fp32" or "bf16".
        batch: sequences a step.
        threads: of PyTorch.
        videos: trained on.
        train_flows: trained on.
        held_out_flows: never trained on.
        scale: what flows are divided by, pixels of the grid.
        epochs: done.
        train_losses: mean loss of each epoch's batches.
        held_out_losses: after each epoch.
        held_out_loss: of the GRU.
        persistence_loss: of the flow before as the prediction.
        mean_flow_loss: of the mean training flow.
        zero_loss: of no motion at all.
        flip_held_out_accuracy: as in `TrainingReport`.
        flip_augmented_accuracy: as in `TrainingReport`.
        onnx_differences: largest difference from PyTorch of each exported file, relative to the largest value.
        notes: what was said aloud.
        seconds: by phase: "train", "flip", "export".
    """

    recipe: str
    settings: dict[str, Any]
    precision: str
    batch: int
    threads: int
    videos: int
    train_flows: int
    held_out_flows: int
    scale: float
    epochs: int
    train_losses: tuple[float, ...]
    held_out_losses: tuple[float, ...]
    held_out_loss: float
    persistence_loss: float
    mean_flow_loss: float
    zero_loss: float
    flip_held_out_accuracy: float | None
    flip_augmented_accuracy: float | None
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
        return (
            f"held-out prediction error {self.held_out_loss:.3f}, against {self.persistence_loss:.3f} for the flow "
            f"before, {self.mean_flow_loss:.3f} for the mean flow and {self.zero_loss:.3f} for no motion. "
            f"Flip classifier: {flip}."
        )


def train_motion(
    frames: FrameCache,
    flows: FlowCache,
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
) -> MotionReport:
    """Trains GRU and flip classifier and writes `motion` and `flip`, each `.safetensors` and `.onnx`.

    Args:
        frames: the decoded frames, for the flip classifier.
        flows: the flows, for the GRU.
        workdir: an existing folder: a checkpoint is written there after each epoch, and the files at the end.
        recipe: "default" or "source" (or a recipe of one's own).
        epochs: passes over the training flows; None leaves it to the recipe.
        seed: 0 or more.
        precision: "fp32" or "bf16"; None takes the faster one.
        batch: sequences a step; None leaves it to the recipe.
        resume: go on from the checkpoint in `workdir` where there is one.
        threads: None takes all cores that this process may use.
        progress: told of each step.

    Raises:
        ModelError: an argument cannot be, the checkpoint is damaged or of other settings, training diverged, or an
            exported file does not compute what the network does.
        OutputError: `workdir` cannot be written.
    """
    chosen = find_recipe(recipe)
    count = threads or len(os.sched_getaffinity(0))
    if not workdir.is_dir():
        raise OutputError(f"there is no folder {workdir} to write into")
    plan = MotionPlan(
        flows,
        chosen.motion,
        _positive("epochs", epochs, chosen.motion.epochs),
        check_seed(seed),
        _precision(precision, chosen, workdir if resume else None, count),
        _positive("batch", batch, chosen.motion.batch),
        count,
        frames.digest,
    )
    network, history = _predictor(plan, workdir, resume=resume, progress=progress)
    begun = time.monotonic()
    classifier, accuracy = train_flip_classifier(frames, chosen.flip, seed=seed, threads=count, progress=progress)
    trained, begun = {"train": history.seconds, "flip": time.monotonic() - begun}, time.monotonic()
    if progress is not None:
        progress(Progress("export", 0, 1, "motion.onnx"))
    save_flip_classifier(classifier, workdir / "flip.safetensors", recipe=chosen.name)
    outcome = _Outcome(history, zero_loss(plan) if network is None else prediction_loss(plan, network), accuracy)
    differences = {
        "motion.onnx": _write(network, plan, workdir, chosen.name),
        "flip.onnx": _write_flips(classifier, frames, workdir, count),
    }
    seconds = {**trained, "export": time.monotonic() - begun}
    return _report(chosen, plan, outcome, differences=differences, seconds=seconds, notes=frames.notes)


@dataclass(frozen=True)
class _Outcome:
    """What was measured on held-out flows and frames."""

    history: Checkpoint
    loss: float
    accuracy: FlipAccuracy


def _predictor(
    plan: MotionPlan, workdir: Path, *, resume: bool, progress: ProgressCallback | None
) -> tuple[FlowGru | None, Checkpoint]:
    if plan.recipe.predictor == "none":
        return None, Checkpoint(plan.settings(), plan.threads)
    return train_gru(plan, workdir, resume=resume, progress=progress)


def _write(network: FlowGru | None, plan: MotionPlan, workdir: Path, recipe: str) -> float:
    if network is not None:
        save_flow_gru(network, workdir / "motion.safetensors", recipe=recipe, scale=plan.scale, past=plan.recipe.past)
    return write_motion(network, plan.scale, plan.recipe.past, workdir / "motion.onnx", threads=plan.threads)


def _write_flips(classifier: FlipClassifier, frames: FrameCache, workdir: Path, threads: int) -> float:
    real = checked_frames(frames.frames, [(video.offset, video.length) for video in frames.videos])
    return write_flip_classifier(classifier, workdir / "flip.onnx", frames=real, threads=threads)


def _report(
    recipe: Recipe,
    plan: MotionPlan,
    outcome: _Outcome,
    *,
    differences: dict[str, float],
    seconds: dict[str, float],
    notes: tuple[str, ...],
) -> MotionReport:
    videos = plan.cache.videos
    return MotionReport(
        recipe=recipe.name,
        settings={"motion": asdict(recipe.motion), "flip": asdict(recipe.flip), "seed": plan.seed},
        precision=plan.precision,
        batch=plan.batch,
        threads=plan.threads,
        videos=len(videos),
        train_flows=sum(video.training for video in videos),
        held_out_flows=sum(video.held_out for video in videos),
        scale=plan.scale,
        epochs=outcome.history.epochs,
        train_losses=tuple(outcome.history.train_losses),
        held_out_losses=tuple(outcome.history.held_out_losses),
        held_out_loss=outcome.loss,
        persistence_loss=persistence_loss(plan),
        mean_flow_loss=mean_flow_loss(plan),
        zero_loss=zero_loss(plan),
        flip_held_out_accuracy=outcome.accuracy.held_out,
        flip_augmented_accuracy=outcome.accuracy.augmented,
        onnx_differences=differences,
        notes=notes,
        seconds=seconds,
    )


def _precision(precision: str | None, recipe: Recipe, resumed: Path | None, threads: int) -> Precision:
    """What the caller fixed, else that of the epochs that are done, else the faster one."""
    if precision not in (None, "fp32", "bf16"):
        raise ModelError(f"precision must be fp32 or bf16, not {precision!r}")
    if precision is None and resumed is not None and (resumed / CHECKPOINT).exists():
        precision = load_checkpoint(resumed / CHECKPOINT).settings.get("precision")
    if precision is None and recipe.motion.predictor == "gru":
        return faster_precision(recipe.motion, threads)
    return "bf16" if precision == "bf16" else "fp32"


def _positive(name: str, value: int | None, otherwise: int) -> int:
    if value is not None and value < 1:
        raise ModelError(f"{name} must be at least 1, not {value}")
    return value or otherwise
