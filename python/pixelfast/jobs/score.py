"""A whole run of scoring: what `pixelfast.score` does."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.stage import CLEANING_THREADS, CleanSettings
from pixelfast.errors import ArgumentError, EngineError, LostFootageError, ModelError, ScoresError
from pixelfast.flip.opening import FlipCorrection, choose_flip_correction
from pixelfast.machine.stopwatch import Profile, Stopwatch
from pixelfast.machine.threads import usable_threads
from pixelfast.methods.base import EngineChoice, Opening
from pixelfast.methods.choose import choose_engine
from pixelfast.methods.registry import find_method
from pixelfast.methods.settings import Settings
from pixelfast.model import Calibration, Model
from pixelfast.notes import Notes
from pixelfast.options import USUAL_READING
from pixelfast.pipeline.global_pass import global_pass
from pixelfast.pipeline.listing import Listing
from pixelfast.pipeline.parts import Job, Part, PartStore
from pixelfast.pipeline.scoring import Stages, score_videos
from pixelfast.progress import ProgressCallback
from pixelfast.scores import Scores
from pixelfast.scores.elsewhere import elsewhere_sentence
from pixelfast.scores.files import Out, check_outputs, make_folder, output_paths
from pixelfast.sources import Source, Video, harmless_note, open_source, turned_note
from pixelfast.sources.decoding import DecodeSettings
from pixelfast.sources.depth import say_depth
from pixelfast.sources.masking import covered
from pixelfast.sources.pace import scoring_pace


@dataclass(frozen=True)
class Request:
    """Where a run's results go, and how much of the source it does; `pixelfast.score` says what each means."""

    out: Out = None
    parts: str | PathLike[str] | None = None
    shard: str | None = None
    threads: int | None = None
    progress: ProgressCallback | None = None
    profile: Callable[[Profile], object] | None = None


def run(source: Source, engine: str | PathLike[str], settings: Settings, request: Request) -> Scores:
    """Scores a source; see `pixelfast.score`."""
    settings.check()
    notes, watch, share = Notes(), Stopwatch(), _parse_share(request.shard)
    threads = usable_threads(request.threads)
    paths, folder = _places(request)
    with watch.phase("open"):
        choice = _choose(engine, settings, request, threads)
        reading = settings.reading(choice.model.manifest.reading if choice.model is not None else USUAL_READING)
        all_videos = open_source(source, notes, reading=reading, outputs=paths)
        check_outputs(paths, all_videos)
        trained = None if choice.model is None else choice.model.manifest.rate
        all_videos = scoring_pace(all_videos, trained, reading.sample_fps, notes)
    videos = all_videos[share]
    for note in choice.notes:
        notes.say(note)
    with watch.phase("open"):
        say_depth(videos, reading, notes, threads)
    if settings.maps and folder is None:
        notes.say("error maps are kept in the parts, and no parts are kept: name a folder with parts=, or out=")
    flip = choose_flip_correction(choice.model, choice.path, settings.flip, notes)
    stages, lost = open_stages(Opening(choice, settings, threads, watch, notes), flip), list[LostFootageError]()
    listing = Listing(all_videos)
    job = _describe_job(choice, stages, flip, len(all_videos), notes)
    job = replace(job, settings={**job.settings, **reading.unusual()}, source=listing.digest, shares=share.step or 1)
    if folder is not None:
        make_folder(folder)
    store = PartStore(folder, job, settings.maps, listing)
    with watch.flow():
        parts = score_videos(videos, stages, store, notes, request.progress, lost=lost)
    for note in harmless_note(videos) + turned_note(videos):
        notes.say(note)
    if lost and not parts:
        if folder is not None:
            with suppress(OSError):  # other runs' parts lie there
                folder.rmdir()
        raise _loss(lost, videos)
    if request.shard is not None:
        notes.say(
            f"these are the scores of share {request.shard} alone: merge the parts in {folder} when all are there"
        )
    scores = finish(parts, job, paths if request.shard is None else [], notes=notes, watch=watch, threads=threads)
    scores.reused = store.reused
    if request.profile is not None:
        request.profile(watch.profile(threads))
    if lost:
        raise _loss(lost, videos, scores)
    return scores


def _choose(engine: str | PathLike[str], settings: Settings, request: Request, threads: int) -> EngineChoice:
    """Finds the engine, and refuses settings of which it can be told without loading it that they do not go with it."""
    choice = choose_engine(engine, settings.stride, request.shard is not None, threads)
    if choice.model is not None and (settings.engine_input, settings.engine_range) != (None, None):
        raise EngineError(f"{choice.path} belongs to a model, which knows it: leave out engine_input and engine_range")
    find_method(choice.method).check(choice, settings)
    return choice


def _loss(lost: Sequence[LostFootageError], videos: Sequence[Video], scores: Scores | None = None) -> LostFootageError:
    """What the run ends with where videos are lost: each with its cause, how to insist, and the others' scores."""
    rest = "the others were" if len(lost) < len(videos) else "none was"
    causes = "; ".join(str(error) for error in lost)
    insist = "; --on-error insist (on_error='insist') repairs what has any readable frame"
    hint = insist if any(error.insist for error in lost) else ""
    how_many = "" if len(videos) == 1 and not hint else f"{len(lost):,} of {len(videos):,} videos not scored ({rest}): "
    error = LostFootageError(f"{how_many}{causes}{hint}")
    error.scores = scores
    return error


def open_stages(opening: Opening, flip: FlipCorrection) -> Stages:
    """Loads the engines.

    Raises:
        EngineError: an engine cannot be loaded, does not fit its model, or the stride does not fit it.
    """
    choice, settings, watch = opening.choice, opening.settings, opening.stopwatch
    spec = find_method(choice.method)
    with watch.phase("load"), ThreadPoolExecutor(1) as beside:
        loading = beside.submit(flip.open, choice.model, CLEANING_THREADS)
        method = spec.open(opening)
        classifier = loading.result()
    bridges = choice.model is not None and spec.bridges(choice.model.manifest)
    decode = DecodeSettings(method.frames, method.frame_bytes, opening.threads, watch)
    mask = None if choice.model is None else _mask(choice.model)
    clean = CleanSettings(classifier, settings.on_error, bridges, watch, mask)
    return Stages(spec, method, decode, clean, flip.mode, settings, _cells(choice, method.stride, settings))


def _mask(model: Model) -> str | None:
    """What a model leaves out of the picture; a ModelError where its manifest does not say it as it should."""
    mask = model.manifest.reading.mask
    try:
        return mask if mask is None or covered(mask) else None
    except ValueError as error:
        raise ModelError(f"{model.folder} is damaged: its mask is no picture; copy the model again") from error


def _cells(choice: EngineChoice, stride: int, settings: Settings) -> NDArray[np.float64] | None:
    """The quantiles of each cell's error, where the pooling needs them."""
    if settings.pool != "rare":
        return None
    known = () if choice.model is None else choice.model.manifest.calibrations
    for one in known:
        if (one.engine, one.stride, one.how, one.pool) == (choice.path.name, stride, settings.how, "rare"):
            return one.by_cell
    raise EngineError(
        f"pool rare needs what each cell shows in held-out normal frames, and {choice.path} has no such calibration at "
        f"stride {stride}, how={settings.how}: train the model again, or take another pool"
    )


def _places(request: Request) -> tuple[list[Path], Path | None]:
    """The files for the scores, and the folder for the parts."""
    paths = output_paths(request.out)
    folder = Path(request.parts) if request.parts is not None else None
    if folder is None and paths:
        folder = paths[0].with_name(paths[0].name + ".parts")
    if request.shard is not None and folder is None:
        raise ArgumentError("a shard leaves nothing but its parts: name a folder with parts=, or out=")
    return paths, folder


def _describe_job(choice: EngineChoice, stages: Stages, flip: FlipCorrection, videos: int, notes: Notes) -> Job:
    """What all parts of this run share; says aloud where the model has no calibration for it."""
    settings, stride = stages.settings, stages.method.stride
    smooth = settings.smooth or stages.spec.global_pass.smooth
    raw_settings: dict[str, Any] = {
        "method": choice.method,
        "engine_sha256": choice.sha256,
        "pool": settings.pool,
        "flip": flip.mode,
        "flip_sha256": flip.sha256,
        "on_error": settings.on_error,
        **stages.method.facts(),
    }
    if stages.cells is not None:
        raw_settings["cells_sha256"] = hashlib.sha256(stages.cells.tobytes()).hexdigest()
    job = Job(choice.path.name, raw_settings, smooth, None, videos)
    if choice.model is None:
        return job
    calibration = choice.model.calibration(choice.path, stride, settings.how, settings.pool, smooth)
    if calibration is None:
        notes.say(
            f"no threshold and no tails: the model has no calibration for {choice.path.name} at stride {stride}, "
            f"how={settings.how}, pool={settings.pool}, smooth={smooth}"
        )
        return job
    # As JSON has it, so that a job equals the one that a part file brings back.
    return replace(job, calibration=json.loads(json.dumps(asdict(replace(calibration, cells=None)))))


def finish(
    parts: Sequence[Part], job: Job, paths: Sequence[Path], *, notes: Notes, watch: Stopwatch, threads: int
) -> Scores:
    """The global pass over all parts, and the files."""
    calibration = None
    if job.calibration is not None:
        try:
            lists = {name: tuple(job.calibration[name]) for name in ("probabilities", "quantiles")}
            calibration = Calibration(**{**job.calibration, **lists, "cells": None})
        except (LookupError, TypeError) as error:
            raise ScoresError(f"the parts' calibration is damaged ({error}): delete them and score again") from error
    with watch.phase("global"):
        spec = find_method(job.settings["method"])
        scores = global_pass(parts, spec, job.smooth, calibration, notes=notes, threads=threads)
        if (sentence := elsewhere_sentence(scores)) is not None:
            notes.say(sentence)
    scores.phases.update(watch.seconds())
    with watch.phase("write"):
        for path in paths:
            scores.write(path, threads=threads)
    scores.phases.update(watch.seconds())
    return scores


def _parse_share(shard: str | None) -> slice:
    """Where in a source the videos of share `shard` ("i/n", 1/n to n/n) lie; all for None.

    Shares of one source are disjoint and complete.

    Raises:
        ArgumentError: the text is no share.
    """
    if shard is None:
        return slice(None)
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", shard)
    share, shares = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= share <= shares:
        raise ArgumentError(f"shard must be like 2/3 (the second of three shares, from 1/3 to 3/3), not {shard!r}")
    return slice(share - 1, None, shares)
