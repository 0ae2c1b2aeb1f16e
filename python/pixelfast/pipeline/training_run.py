"""A training from footage to a calibrated model on disk: what `pixelfast.train` does."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelfast.atomic import atomic_path, write_error
from pixelfast.calibration import Calibration
from pixelfast.errors import ModelError, PixelfastError
from pixelfast.manifest import Flip, Manifest, Training
from pixelfast.model import Model
from pixelfast.networks.geometry import GRID, WINDOW
from pixelfast.pipeline.aloud import Notes
from pixelfast.pipeline.calibration import calibrate
from pixelfast.pipeline.global_pass import METHOD
from pixelfast.pipeline.threads import ThreadShare, share_threads
from pixelfast.pipeline.torch_parts import import_training
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import Source, Video, open_source

if TYPE_CHECKING:
    from pixelfast.training import FrameCache, Recipe, TrainingReport

# DESIGN: a classifier is trusted when it is right on at least 99% of held-out frames.
TRUSTED_ACCURACY = 0.99
CACHE_DIGEST = "cache_digest"
_CACHE = "frames.u8"
_FOOTAGE = "footage.json"


@dataclass(frozen=True)
class TrainingRequest:
    """How to train; see `pixelfast.train`."""

    method: str = METHOD
    recipe: "str | Recipe" = "default"
    epochs: int | None = None
    seed: int = 0
    precision: str | None = None
    batch: int | None = None
    resume: bool = False
    threads: int | None = None
    progress: ProgressCallback | None = None


def train_model(source: Source, out: str | PathLike[str], request: TrainingRequest) -> Model:
    """Trains a model; see `pixelfast.train`."""
    if request.method != METHOD:
        raise ModelError(f"this version trains the method {METHOD} only, not {request.method!r}")
    notes, target, share = Notes(), Path(out), share_threads(request.threads)
    Model.check_out(target)
    videos = open_source(source, notes)
    training = import_training()
    training.recipes.find_recipe(request.recipe)
    workdir = target.resolve().with_name(target.resolve().name + ".training")
    cache = _open_cache(training, videos, workdir, request, notes)
    report = _train(training, cache, workdir, request, share)
    _tell(request, 0)
    calibrations = calibrate(workdir / "ae.onnx", cache.held_out(), 1, share.engine)
    _tell(request, 1)
    model = Model.write(workdir, target, _manifest(source, cache, report, calibrations, notes))
    shutil.rmtree(workdir, ignore_errors=True)
    return model


def _train(
    training: Any, cache: "FrameCache", workdir: Path, request: TrainingRequest, share: ThreadShare
) -> "TrainingReport":
    report: TrainingReport = training.train_reconstruction(
        cache,
        workdir,
        recipe=request.recipe,
        epochs=request.epochs,
        seed=request.seed,
        precision=request.precision,
        batch=request.batch,
        resume=request.resume,
        threads=share.engine,
        progress=request.progress,
    )
    return report


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
    threads = share_threads(request.threads).decode
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


def _manifest(
    source: Source, cache: "FrameCache", report: "TrainingReport", calibrations: Sequence[Calibration], notes: Notes
) -> Manifest:
    accuracy = report.flip_held_out_accuracy
    # As JSON has it, so that the manifest equals the one that is read back.
    facts = json.loads(json.dumps({**report.to_dict(), CACHE_DIGEST: cache.digest}))
    training = Training(
        sources=tuple(_source_names(source)),
        videos=len(cache.videos),
        frames=sum(video.length for video in cache.videos),
        report=facts,
    )
    return Manifest(
        method=METHOD,
        recipe=report.recipe,
        window=WINDOW,
        height=cache.frames.shape[1],
        width=cache.frames.shape[2],
        grid=GRID,
        training=training,
        flip=Flip(accuracy, accuracy is not None and accuracy >= TRUSTED_ACCURACY),
        calibrations=tuple(calibrations),
        notes=(*notes, *report.notes),
    )


def _source_names(source: Source) -> list[str]:
    """Absolute paths, so that an engine exported later can be calibrated on the same footage."""
    items = [source] if isinstance(source, str | PathLike | Video) else list(source)
    return [item.name if isinstance(item, Video) else str(Path(item).absolute()) for item in items]
