"""What a person calls normal, added to a model: what `pixelfast.learn` does."""

import re
import shlex
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from pixelfast import _core
from pixelfast.arguments import whole
from pixelfast.errors import ArgumentError, OutputError, SourceError
from pixelfast.files.folders import scratch_folder
from pixelfast.machine.threads import usable_threads
from pixelfast.methods.base import Lesson, Taught
from pixelfast.methods.registry import find_method
from pixelfast.model import Manifest, Model
from pixelfast.notes import Notes
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.scores import Event, Scores
from pixelfast.scores.highlights import choose_moments
from pixelfast.scores.selecting import rows_of_video
from pixelfast.sources import Source, Video, open_source
from pixelfast.sources.excerpt import Excerpt
from pixelfast.sources.pace import scoring_pace

MARGIN: Final = 12
"""Frames before and after a moment that are learnt with it: half a second, in which it comes and goes."""

Normal = int | Event | Iterable[int | Event]
"""Moments by their numbers on the page of a report, or events of the scores."""


class Passage(NamedTuple):
    """The frames of a moment: numbers of the first and of the last one."""

    video: str
    first: int
    last: int


def learn_normal(
    model: Model,
    source: Source,
    events: Scores | str | PathLike[str],
    normal: Normal,
    out: str | PathLike[str] | None,
    *,
    threads: int | None,
    progress: ProgressCallback | None,
) -> Model:
    """Adds what a person calls normal to a model; see `pixelfast.learn`."""
    notes, threads = Notes(), usable_threads(threads)
    scores = events if isinstance(events, Scores) else Scores.read(events)
    spans = _spans(scores, normal)
    target = _next_name(model.folder) if out is None else Path(out)
    if target.resolve() == model.folder.resolve():
        raise OutputError(f"{target} is the model itself, which stays as it is: give another folder")
    Model.check_out(target)
    excerpts = _excerpts(model.manifest, source, scores, spans, notes)
    tell = progress or (lambda _: None)
    tell(Progress("learn", 0, len(spans)))
    spec = find_method(model.manifest.method)
    with scratch_folder(target) as scratch:
        if spec.teach is None:
            kept = _keep_frames(excerpts, target.with_name(target.name + ".normal"), scratch)
            notes.say(_kept(model, kept, len(spans)))
            learnt = _with_notes(model.manifest, notes)
        else:
            taught = spec.teach(Lesson(model, excerpts, scratch, threads))
            notes.say(f"called normal by a person: {'; '.join(one.name for one in excerpts)}")
            learnt = _calibrated(_with_notes(model.manifest, notes), taught)
        for name in model.manifest.files:
            if not (scratch / name).exists():
                shutil.copyfile(model.folder / name, scratch / name)
        written = Model.write(scratch, target, learnt, list(model.manifest.files))
    tell(Progress("learn", len(spans), len(spans)))
    return written


def _spans(scores: Scores, normal: Normal) -> list[Passage]:
    """The moments that were named; an ArgumentError where there is no such one, or none is named."""
    named = [normal] if isinstance(normal, int | Event) else list(normal)
    if not named:
        raise ArgumentError("normal names no moment: give numbers of moments, as the page of a report shows them")
    moments, total = choose_moments(scores, len(scores))
    spans = []
    for one in named:
        if isinstance(one, Event):
            scores.rows_of(one)
            spans.append(Passage(one.video, one.start, one.end))
            continue
        number = whole("each of normal", one, 1)
        if number > len(moments):
            raise ArgumentError(f"there is no moment {number}: these scores show {total:,}, from 1, the highest first")
        moment = moments[number - 1]
        spans.append(Passage(moment.video, *scores.frame[[moment.start, moment.stop - 1]].tolist()))
    return spans


def _next_name(folder: Path) -> Path:
    """The folder's name with the next number that is free: model, model-2, model-3."""
    stem = re.sub(r"-[0-9]+$", "", folder.resolve().name)
    number = 2
    while (found := folder.resolve().with_name(f"{stem}-{number}")).exists():
        number += 1
    return folder.with_name(found.name) if folder.name else found


def _excerpts(
    manifest: Manifest, source: Source, scores: Scores, spans: Sequence[Passage], notes: Notes
) -> list[Excerpt]:
    """The moments' frames, and some around; a SourceError where the source has no such video."""
    reading = manifest.reading
    videos = scoring_pace(open_source(source, notes, reading=reading), manifest.rate, reading.sample_fps, Notes())
    by_name: dict[str, Video] = {video.name: video for video in videos}
    found = []
    for video, first, last in spans:
        if video not in by_name:
            raise SourceError(f"the source has no video {video}: give the footage that was scored")
        rows = rows_of_video(scores, video)
        turned = scores.frame[rows][scores.flipped[rows]].tolist()
        found.append(Excerpt(by_name[video], first - MARGIN, last + MARGIN, turned))
    return found


def _calibrated(manifest: Manifest, taught: Taught) -> Manifest:
    """The manifest with the moments among the held-out footage, as high as they come now."""
    lengths = [len(raw) for raw in taught.held_out]
    raw = np.concatenate(taught.held_out)
    calibrations = tuple(
        one.with_more(_core.smooth(raw, np.array(lengths, np.int64), one.smooth), lengths)
        if one.engine == taught.engine
        else one
        for one in manifest.calibrations
    )
    return replace(manifest, calibrations=calibrations)


def _with_notes(manifest: Manifest, notes: Notes) -> Manifest:
    return replace(manifest, notes=tuple(dict.fromkeys((*manifest.notes, *notes))))


def _keep_frames(excerpts: Sequence[Excerpt], folder: Path, scratch: Path) -> Path:
    """Writes the frames of moments as videos of a folder, beside those that lie there."""
    import cv2

    for excerpt in excerpts:
        name = f"{re.sub(r'[^0-9A-Za-z._-]+', '-', excerpt.video.name)}-{max(0, excerpt.first)}-{excerpt.last}"
        made = scratch / name
        made.mkdir(exist_ok=True)
        for some in excerpt.chunks(None, None, "rgb"):
            for number, frame in zip(some.frame_ids.tolist(), some.frames, strict=True):
                # Not by imwrite, which on Windows opens no file whose path is not ASCII.
                (made / f"frame_{number:06d}.png").write_bytes(cv2.imencode(".png", frame[..., ::-1])[1].tobytes())
        if not any(made.iterdir()):
            raise SourceError(f"there are no {excerpt.name}: give the source that the scores are of")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.move(made, folder / name)
        except OSError as error:
            raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from error
    return folder


def _kept(model: Model, kept: Path, count: int) -> str:
    """What is said of a method that learns by training alone."""
    training, method = model.manifest.training, model.manifest.method
    sources = ["NORMAL"] if training is None else list(training.sources)
    command = ["pixelfast", "train", *sources, str(kept), "--method", method, "--out", "NEW-MODEL"]
    moments = "the moment are" if count == 1 else f"{count} moments are"
    return (
        f"a {method} model learns by training alone: the frames of {moments} kept in {kept} for the next one: "
        f"{' '.join(map(shlex.quote, command))}"
    )
