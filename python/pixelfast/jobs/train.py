"""A training from footage to a calibrated model on disk: what `pixelfast.train` does."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from pixelfast.cleaning.frozen import equal_frames, frozen_runs, frozen_sentence
from pixelfast.errors import ModelError, PixelfastError
from pixelfast.files.atomic import atomic_path
from pixelfast.files.locks import alone_with
from pixelfast.files.refused import is_disk_full, write_error
from pixelfast.flip.recipe import TRUSTED_ACCURACY
from pixelfast.jobs.fast_engine import add_fast_engine
from pixelfast.jobs.time_left import EXPORT_SECONDS, TimeLeft
from pixelfast.machine.imports import training_extra
from pixelfast.machine.memory import total_memory
from pixelfast.machine.threads import usable_threads
from pixelfast.methods.base import MethodSpec
from pixelfast.methods.calibrating import calibrate
from pixelfast.methods.registry import find_method, find_recipe
from pixelfast.methods.trained import CACHE_DIGEST, Recipe, Trained, TrainingJob, TrainingRequest
from pixelfast.model import Flip, Manifest, Model, Training
from pixelfast.model.names import EngineName
from pixelfast.notes import Notes
from pixelfast.options import Reading
from pixelfast.sources import Source, Video, harmless_note, open_source, turned_note
from pixelfast.sources.depth import training_reading
from pixelfast.sources.folder import gap_notes, without_gaps
from pixelfast.sources.masking import read_masks
from pixelfast.sources.opening import Opened
from pixelfast.sources.pace import training_pace
from pixelfast.training.cache import FrameCache

if TYPE_CHECKING:
    from pixelfast.flip.training import FlipAccuracy

_CACHE: Final = "frames.u8"
_FOOTAGE: Final = "footage.json"


def train_model(source: Source, out: str | PathLike[str], request: TrainingRequest) -> Model:
    """Trains a model; see `pixelfast.train`."""
    spec, notes, target = find_method(request.method), Notes(), Path(out)
    request.check(steps=spec.steps)
    threads = usable_threads(request.threads)
    recipe, options = find_recipe(spec, request)
    _refuse_too_large(request.batch, spec.batch_bytes(recipe))
    Model.check_out(target)
    videos = open_source(source, notes, reading=request.reading)
    request = replace(request, reading=training_reading(videos, request.reading, notes, threads))
    request = replace(request, reading=_masked(videos, request))
    videos, rate = training_pace(videos, request.reading.sample_fps, notes)
    notes.say(*gap_notes(videos))
    spec.needs()
    workdir = target.resolve().with_name(target.resolve().name + ".training")
    videos = without_gaps(videos)
    with alone_with(workdir):
        cache = _open_cache(videos, workdir, request, threads)
        job = TrainingJob(request, recipe, options, cache, workdir, videos, threads, notes)
        return _train(spec, job, target, _source_names(source), rate)


def _train(spec: MethodSpec, job: TrainingJob, target: Path, sources: Sequence[str], rate: float | None) -> Model:
    """Trains what is decoded, writes the model and removes the working folder."""
    request, notes = job.request, job.notes
    notes.say(*harmless_note(job.videos), *turned_note(job.videos))
    _look_for_stills(job.cache, job.workdir, notes)
    if request.progress is not None:
        flips = _flip_seconds(job.cache, job.recipe, job.threads)
        share = _calibration_share(job.cache, job.recipe, request.epochs)
        job = replace(job, request=replace(request, progress=TimeLeft(request.progress, flips, EXPORT_SECONDS, share)))
    model = Model.write(job.workdir, target, run_training(spec, job, sources, rate))
    if job.seconds:
        took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in job.seconds.items())
        Notes().say(f"the training took: {took}")
    model = add_fast_engine(model, job)  # a model that stands already: nothing that happens here costs it
    shutil.rmtree(job.workdir, ignore_errors=True)
    return model


def _masked(videos: Sequence[Video], request: TrainingRequest) -> Reading:
    """How footage is read, with the masks that were asked for; those videos know it then, too."""
    mask = read_masks(request.masks, videos[0].size()) if request.masks else None
    for video in videos if mask is not None else ():
        if isinstance(video, Opened):
            video.reading = replace(video.reading, mask=mask)
    return replace(request.reading, mask=mask)


def _refuse_too_large(batch: int | None, each: int) -> None:
    """Raises a ModelError where a batch, of which each window takes so many bytes, asks for more memory than there is.

    The system would end the process in the middle of the work.
    """
    memory = total_memory()
    if batch is not None and memory is not None and batch * each > memory:
        raise ModelError(
            f"batch {batch} would take about {batch * each / 2**30:.0f} GiB of memory, and this process has "
            f"{memory / 2**30:.0f}: take at most {memory // each}"
        )


def run_training(spec: MethodSpec, job: TrainingJob, sources: Sequence[str], rate: float | None = None) -> Manifest:
    """Trains a method and the flip classifier, calibrates, and leaves the model's files in the working folder.

    Args:
        spec: the method.
        job: the training, its footage decoded.
        sources: where the footage came from, for the manifest.
        rate: frames a second of the footage; None where it is not known.

    Returns:
        What `model.json` shall say.
    """
    unmasked = job.cache  # which is what flips are judged by: a mask lies on frames once they are upright
    trained = spec.train(replace(job, cache=unmasked.painted(job.request.reading.mask)))
    flips = _train_flips(job)
    trusted = flips is not None and flips.held_out is not None and flips.held_out >= TRUSTED_ACCURACY
    job.tell("calibrate", 0, 1)
    measured = calibrate(
        spec, job.workdir / trained.engine, trained.own, trained.held_out, threads=job.threads, fps=rate
    )
    job.tell("calibrate", 1, 1)
    return Manifest(
        method=spec.name,
        recipe=job.recipe.name,
        window=trained.window,
        height=job.cache.frames.shape[1],
        width=job.cache.frames.shape[2],
        grid=trained.grid,
        reading=job.request.reading,
        rate=rate,
        training=_training(job, sources, trained, flips),
        flip=None if flips is None else Flip(flips.held_out, trusted),
        own=trained.own,
        calibrations=tuple(measured),
        notes=tuple(dict.fromkeys((*job.notes, *job.cache.notes))),
    )


def _train_flips(job: TrainingJob) -> "FlipAccuracy | None":
    """Trains the flip classifier into the working folder; None, said aloud, where PyTorch is missing for it."""
    try:
        with training_extra():
            from pixelfast.flip.training import train_flip_files
    except ModelError as error:
        job.notes.say(f"the model has no flip classifier: {error}")
        return None
    with job.phase("flip"):
        accuracy = train_flip_files(
            job.cache, job.recipe.flip, job.workdir, name=job.recipe.name,
            seed=job.request.seed, threads=job.threads, progress=job.request.progress,
        )  # fmt: skip
    if accuracy.held_out is None:
        job.notes.say(
            "the footage is too short to hold frames out: losses are those of training frames, the flip classifier "
            "is untested and there is no threshold; train on videos of at least 32 frames"
        )
    return accuracy


def _flip_seconds(cache: FrameCache, recipe: Recipe, threads: int) -> float:
    """About how long the flip classifier's training will take; 0 where PyTorch is missing for it."""
    try:
        with training_extra():
            from pixelfast.flip.training import expected_seconds
    except ModelError:
        return 0.0
    return expected_seconds(cache, recipe.flip, threads)


def _calibration_share(cache: FrameCache, recipe: Recipe, epochs: int | None) -> float:
    """About what calibrating takes of what training takes: held-out frames are seen once, others once an epoch."""
    planned = getattr(recipe.own, "epochs", 1) if epochs is None else epochs
    return len(cache.held_out_frame_ids()) / max(1, planned * len(cache.train_frame_ids()))


def _training(job: TrainingJob, sources: Sequence[str], trained: Trained, flip: "FlipAccuracy | None") -> Training:
    """What the manifest says about the training."""
    videos, differences = job.cache.videos, dict(trained.differences)
    report = {
        "recipe": job.recipe.name,
        **trained.report,
        "settings": {**trained.report.get("settings", {}), "flip": asdict(job.recipe.flip), "seed": job.request.seed},
        "threads": job.threads,
        "videos": len(videos),
        "notes": list(dict.fromkeys((*job.cache.notes, *job.notes))),
        CACHE_DIGEST: job.cache.digest,
    }
    if flip is not None:
        differences[str(EngineName("flip"))] = flip.onnx_difference
        report |= {
            "flip_held_out_accuracy": flip.held_out,
            "flip_augmented_accuracy": flip.augmented,
            "flip_steps": flip.steps,
        }
    # As JSON has it, so that the manifest equals the one that is read back.
    facts = json.loads(json.dumps({**report, "onnx_differences": differences}))
    return Training(tuple(sources), len(videos), sum(video.length for video in videos), facts)


def _source_names(source: Source) -> list[str]:
    """Absolute paths, so that an engine exported later can be calibrated on the same footage."""
    items = [source] if isinstance(source, str | PathLike | Video) else list(source)
    return [item.name if isinstance(item, Video) else str(Path(item).absolute()) for item in items]


def _open_cache(videos: Sequence[Video], workdir: Path, request: TrainingRequest, threads: int) -> FrameCache:
    """The decoded frames: those of an earlier attempt on the same footage, or newly decoded."""
    if request.fresh:
        shutil.rmtree(workdir, ignore_errors=True)
    elif not request.resume and (left := sorted(workdir.glob("*.checkpoint.pt"))):
        raise ModelError(
            f"{workdir} holds a training that was stopped ({left[0].name}): go on from there with --resume, or throw "
            "it away with --fresh"
        )
    path = workdir / _FOOTAGE
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    same = before is not None and before == _footage_facts(videos)
    if request.resume and before is None:
        # Not kept: the model is what it would have been had nothing stopped the training.
        Notes().say(f"there is nothing to resume in {workdir}: training begins anew")
    if request.resume and before is not None and not same:
        raise ModelError(f"the footage is not what the training in {workdir} was begun with: train with --fresh")
    if same:
        return FrameCache.open(workdir / _CACHE)
    return _decode(videos, workdir, request, threads)


def _decode(videos: Sequence[Video], workdir: Path, request: TrainingRequest, threads: int) -> FrameCache:
    """Decodes into an empty working folder, which is removed again where that fails."""
    shutil.rmtree(workdir, ignore_errors=True)
    try:
        workdir.mkdir()
        cache = FrameCache.build(videos, workdir / _CACHE, threads=threads, progress=request.progress)
        with atomic_path(workdir / _FOOTAGE) as temporary:
            temporary.write_text(_footage_facts(videos), encoding="utf-8", newline="\n")
    except BaseException as error:
        shutil.rmtree(workdir, ignore_errors=True)
        about = "" if not isinstance(error, OSError) or error.filename is None else str(error.filename)
        ours = is_disk_full(error) or about.startswith(str(workdir))  # not an input that cannot be read
        if ours and isinstance(error, OSError) and not isinstance(error, PixelfastError):
            raise write_error(workdir, error) from error
        raise
    return cache


def _look_for_stills(cache: FrameCache, workdir: Path, notes: Notes) -> None:
    """Says aloud where the footage stands still, and refuses, with an empty working folder, what does throughout."""
    moves = False
    for video in cache.videos:
        equal = equal_frames(cache.frames[video.offset : video.offset + video.length], None)
        moves |= not equal[1:].all()
        runs = frozen_runs(equal, np.zeros(len(equal), np.bool_), None)
        sentence = frozen_sentence(video.name, np.arange(len(equal)), runs)
        if sentence is not None:
            notes.say(sentence)
    if not moves:
        shutil.rmtree(workdir, ignore_errors=True)
        raise ModelError(
            f"all frames of each training video are equal (the first: {cache.videos[0].name}): a frozen camera, or a "
            "covered lens? There is nothing to learn from it: train on footage in which something changes"
        )


def _footage_facts(videos: Iterable[Video]) -> str:
    """The names and fingerprints of all videos, as text."""
    digest = hashlib.sha256()
    for video in videos:
        digest.update(json.dumps([video.name, video.fingerprint().hex()]).encode())
    return json.dumps({"footage": digest.hexdigest()})
