"""A training from footage to a calibrated model on disk: what `pixelfast.train` does."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelfast.atomic import atomic_path, write_error
from pixelfast.calibration import Calibration
from pixelfast.cores import Cores
from pixelfast.errors import ModelError, PixelfastError
from pixelfast.manifest import Flip, Manifest, MotionFacts, Training
from pixelfast.model import Model
from pixelfast.networks.geometry import GRID, WINDOW
from pixelfast.pipeline.aloud import Notes
from pixelfast.pipeline.calibration import calibrate, calibrate_motion
from pixelfast.pipeline.method import find_pass
from pixelfast.pipeline.motion_training import FlowRequest, open_flows
from pixelfast.pipeline.threads import share_threads
from pixelfast.pipeline.torch_parts import import_training
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import Source, Video, open_source

if TYPE_CHECKING:
    from pixelfast.training import FrameCache, Recipe

# DESIGN: a classifier is trusted when it is right on at least 99% of held-out frames.
TRUSTED_ACCURACY = 0.99
CACHE_DIGEST = "cache_digest"
_CACHE = "frames.u8"
_FOOTAGE = "footage.json"


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


def train_model(source: Source, out: str | PathLike[str], request: TrainingRequest) -> Model:
    """Trains a model; see `pixelfast.train`."""
    find_pass(request.method)
    request.flow.check()
    notes, target = Notes(), Path(out)
    Model.check_out(target)
    videos = open_source(source, notes)
    training = import_training()
    request = replace(request, recipe=_recipe(training, request))
    workdir = target.resolve().with_name(target.resolve().name + ".training")
    cache = _open_cache(training, videos, workdir, request, notes)
    job = _Job(training, source, videos, cache, workdir, request, share_threads(request.threads), notes)
    manifest = _train_motion(job) if request.method == "motion" else _train_reconstruction(job)
    model = Model.write(workdir, target, manifest)
    shutil.rmtree(workdir, ignore_errors=True)
    return model


def _recipe(training: Any, request: TrainingRequest) -> "Recipe":
    """The recipe that was asked for, at the width that was asked for."""
    recipe: Recipe = training.recipes.find_recipe(request.recipe)
    if recipe is training.recipes.PLAIN and request.method != "motion":
        raise ModelError("the recipe plain is for the motion method: give method='motion', or another recipe")
    if request.width is not None and request.method == "motion":
        raise ModelError("a width is for the autoencoder of method='reconstruction': the motion method has none")
    resized: Recipe = training.recipes.resized(recipe, request.width)
    return resized


@dataclass(frozen=True)
class _Job:
    """A training whose footage is decoded."""

    training: Any
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


def _train_reconstruction(job: _Job) -> Manifest:
    report = job.training.train_reconstruction(job.cache, job.workdir, **job.settings())
    _tell(job.request, 0)
    calibrations = calibrate(job.workdir / "ae.onnx", job.cache.held_out(), 1, job.cores.count)
    _tell(job.request, 1)
    return _manifest(job, report, calibrations, WINDOW)


def _train_motion(job: _Job) -> Manifest:
    recipe = job.training.recipes.find_recipe(job.request.recipe).motion
    flows = open_flows(
        job.training,
        job.cache,
        job.videos,
        job.workdir,
        job.request.flow,
        bridge_noisy=recipe.bridge_noisy,
        cores=job.cores,
        progress=job.request.progress,
    )
    report = job.training.train_motion(job.cache, flows, job.workdir, **job.settings())
    known = MotionFacts(job.request.flow.facts(), recipe.past, report.scale, recipe.bridge_noisy)
    _tell(job.request, 0)
    calibrations = calibrate_motion(job.workdir / "motion.onnx", known, flows.held_out(), job.cores.count)
    _tell(job.request, 1)
    return replace(_manifest(job, report, calibrations, recipe.past + 2), motion=known)


def _tell(request: TrainingRequest, done: int) -> None:
    if request.progress is not None:
        request.progress(Progress("calibrate", done, 1))


def _open_cache(
    training: Any, videos: Sequence[Video], workdir: Path, request: TrainingRequest, notes: Notes
) -> "FrameCache":
    """The decoded frames: those of an earlier attempt on the same footage, or newly decoded."""
    footage, path = footage_facts(videos), workdir / _FOOTAGE
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    if request.resume and before is None:
        notes.say(f"there is nothing to resume in {workdir}: training begins anew")
    if request.resume and before not in (None, footage):
        raise ModelError(f"the footage is not what the training in {workdir} was begun with: train without --resume")
    if before == footage:
        cache: FrameCache = training.FrameCache.open(workdir / _CACHE)
        return cache
    return _decode(training, videos, workdir, footage, request)


def _decode(
    training: Any, videos: Sequence[Video], workdir: Path, footage: str, request: TrainingRequest
) -> "FrameCache":
    """Decodes into an empty working folder, which is removed again where that fails."""
    threads = share_threads(request.threads).count
    shutil.rmtree(workdir, ignore_errors=True)
    try:
        workdir.mkdir()
        cache: FrameCache = training.FrameCache.build(
            videos, workdir / _CACHE, threads=threads, progress=request.progress
        )
        with atomic_path(workdir / _FOOTAGE) as temporary:
            temporary.write_text(footage, encoding="utf-8")
    except BaseException as error:
        shutil.rmtree(workdir, ignore_errors=True)
        if isinstance(error, OSError) and not isinstance(error, PixelfastError):
            raise write_error(workdir, error) from error
        raise
    return cache


def footage_facts(videos: Iterable[Video]) -> str:
    """Names and fingerprints of all videos, as text."""
    digest = hashlib.sha256()
    for video in videos:
        digest.update(json.dumps([video.name, video.fingerprint().hex()]).encode())
    return json.dumps({"footage": digest.hexdigest()})


def _manifest(job: _Job, report: Any, calibrations: Sequence[Calibration], window: int) -> Manifest:
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
