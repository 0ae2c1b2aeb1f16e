"""A training from footage to a calibrated model on disk: what `pixelfast.train` does."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

from pixelfast.errors import ModelError, PixelfastError
from pixelfast.files.atomic import atomic_path, write_error
from pixelfast.machine.imports import training_extra
from pixelfast.machine.threads import share_threads
from pixelfast.methods.base import find_pass
from pixelfast.methods.motion.job import train_motion_model
from pixelfast.methods.recipes import PLAIN, Recipe, find_recipe, resized
from pixelfast.methods.reconstruction.job import train_reconstruction_model
from pixelfast.methods.trained import TrainingJob, TrainingRequest
from pixelfast.model import Model
from pixelfast.notes import Notes
from pixelfast.sources import Source, Video, open_source
from pixelfast.training.cache import FrameCache

_CACHE = "frames.u8"
_FOOTAGE = "footage.json"


def train_model(source: Source, out: str | PathLike[str], request: TrainingRequest) -> Model:
    """Trains a model; see `pixelfast.train`."""
    find_pass(request.method)
    request.flow.check()
    notes, target = Notes(), Path(out)
    Model.check_out(target)
    videos = open_source(source, notes)
    with training_extra():
        import torch  # noqa: F401 - known to be here before footage is decoded
    request = replace(request, recipe=_recipe(request))
    workdir = target.resolve().with_name(target.resolve().name + ".training")
    cache = _open_cache(videos, workdir, request, notes)
    job = TrainingJob(source, videos, cache, workdir, request, share_threads(request.threads), notes)
    manifest = train_motion_model(job) if request.method == "motion" else train_reconstruction_model(job)
    model = Model.write(workdir, target, manifest)
    shutil.rmtree(workdir, ignore_errors=True)
    return model


def _recipe(request: TrainingRequest) -> "Recipe":
    """The recipe that was asked for, at the width that was asked for."""
    recipe: Recipe = find_recipe(request.recipe)
    if recipe is PLAIN and request.method != "motion":
        raise ModelError("the recipe plain is for the motion method: give method='motion', or another recipe")
    if request.width is not None and request.method == "motion":
        raise ModelError("a width is for the autoencoder of method='reconstruction': the motion method has none")
    return resized(recipe, request.width)


def _open_cache(videos: Sequence[Video], workdir: Path, request: TrainingRequest, notes: Notes) -> "FrameCache":
    """The decoded frames: those of an earlier attempt on the same footage, or newly decoded."""
    footage, path = footage_facts(videos), workdir / _FOOTAGE
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    if request.resume and before is None:
        notes.say(f"there is nothing to resume in {workdir}: training begins anew")
    if request.resume and before not in (None, footage):
        raise ModelError(f"the footage is not what the training in {workdir} was begun with: train without --resume")
    if before == footage:
        cache: FrameCache = FrameCache.open(workdir / _CACHE)
        return cache
    return _decode(videos, workdir, footage, request)


def _decode(videos: Sequence[Video], workdir: Path, footage: str, request: TrainingRequest) -> "FrameCache":
    """Decodes into an empty working folder, which is removed again where that fails."""
    threads = share_threads(request.threads).count
    shutil.rmtree(workdir, ignore_errors=True)
    try:
        workdir.mkdir()
        cache: FrameCache = FrameCache.build(videos, workdir / _CACHE, threads=threads, progress=request.progress)
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
