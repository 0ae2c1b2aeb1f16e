"""What every method's training takes, and the model that comes of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelfast.flow.footage import FlowRequest
from pixelfast.geometry import GRID
from pixelfast.machine.cores import Cores
from pixelfast.model import Calibration, Flip, Manifest, Training
from pixelfast.notes import Notes
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import Source, Video

if TYPE_CHECKING:
    from pixelfast.methods.recipes import Recipe
    from pixelfast.training.cache import FrameCache


# DESIGN: a classifier is trusted when it is right on at least 99% of held-out frames.
TRUSTED_ACCURACY = 0.99


CACHE_DIGEST = "cache_digest"


@dataclass(frozen=True)
class TrainingRequest:
    """How to train; see `pixelfast.train`."""

    method: str = "reconstruction"
    recipe: "str | Recipe" = "default"
    epochs: int | None = None
    seed: int = 0
    precision: str | None = None
    batch: int | None = None
    width: float | None = None
    resume: bool = False
    threads: int | None = None
    progress: ProgressCallback | None = None
    flow: FlowRequest = field(default_factory=FlowRequest)


@dataclass(frozen=True)
class TrainingJob:
    """A training whose footage is decoded."""

    source: Source
    videos: Sequence[Video]
    cache: "FrameCache"
    workdir: Path
    request: TrainingRequest
    cores: Cores
    notes: Notes

    def settings(self) -> dict[str, Any]:
        """What every method's training takes."""
        names = ("recipe", "epochs", "seed", "precision", "batch", "resume", "progress")
        return {**{name: getattr(self.request, name) for name in names}, "threads": self.cores.count}


def tell_calibration(request: TrainingRequest, done: int) -> None:
    if request.progress is not None:
        request.progress(Progress("calibrate", done, 1))


def trained_manifest(job: TrainingJob, report: Any, calibrations: Sequence[Calibration], window: int) -> Manifest:
    accuracy, frames = report.flip_held_out_accuracy, job.cache.frames
    # As JSON has it, so that the manifest equals the one that is read back.
    facts = json.loads(json.dumps({**report.to_dict(), CACHE_DIGEST: job.cache.digest}))
    training = Training(
        sources=tuple(_source_names(job.source)),
        videos=len(job.cache.videos),
        frames=sum(video.length for video in job.cache.videos),
        report=facts,
    )
    return Manifest(
        method=job.request.method,
        recipe=report.recipe,
        window=window,
        height=frames.shape[1],
        width=frames.shape[2],
        grid=GRID,
        training=training,
        flip=Flip(accuracy, accuracy is not None and accuracy >= TRUSTED_ACCURACY),
        calibrations=tuple(calibrations),
        notes=(*job.notes, *report.notes),
    )


def _source_names(source: Source) -> list[str]:
    """Absolute paths, so that an engine exported later can be calibrated on the same footage."""
    items = [source] if isinstance(source, str | PathLike | Video) else list(source)
    return [item.name if isinstance(item, Video) else str(Path(item).absolute()) for item in items]
