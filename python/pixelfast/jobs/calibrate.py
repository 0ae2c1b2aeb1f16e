"""Measures what is normal for an engine and its settings: what `pixelfast.calibrate` does."""

from dataclasses import replace
from os import PathLike

import numpy as np

from pixelfast.errors import EngineError, ModelError
from pixelfast.files.folders import scratch_folder
from pixelfast.jobs.line import Line
from pixelfast.jobs.score import Request, finish, gather
from pixelfast.methods.base import EngineChoice
from pixelfast.methods.calibrating import raw_of
from pixelfast.methods.registry import find_method
from pixelfast.methods.settings import Settings
from pixelfast.methods.trained import footage_of
from pixelfast.model import Calibration, Model
from pixelfast.model.names import EngineName
from pixelfast.model.tails import cell_quantiles
from pixelfast.notes import Notes
from pixelfast.pipeline.parts import Job, Part
from pixelfast.progress import ProgressCallback
from pixelfast.scores import Scores
from pixelfast.scores.selecting import step_of
from pixelfast.sources import Source
from pixelfast.training.cache import held_out_frames


def measure_calibration(
    engine: str | PathLike[str],
    source: Source | None,
    settings: Settings,
    *,
    threads: int | None,
    progress: ProgressCallback | None,
) -> Calibration:
    """Scores normal footage and keeps in the model how high it comes; see `pixelfast.calibrate`."""
    rare = settings.pool == "rare"  # what is rare in a cell is what is to be measured: the error maps say it
    line = Line(engine, replace(settings, pool="mean") if rare else settings, threads, calibrating=True)
    choice = line.choice()
    model = _model_of(choice, source)
    line.begin()
    with scratch_folder(model.folder) as scratch:
        request = Request(progress=progress, maps=rare, parts=scratch if rare else None)
        found = gather(footage_of(model) if source is None else source, line, request)
    if found.lost:
        raise found.loss()
    parts, cells = _by_cell(choice, found.parts) if rare else (found.parts, None)
    scores = _scores(parts, found.job, line)
    kept = [slice(None)] * len(parts) if source is not None else _held_out(model, scores)
    pieces = [video.smoothed_raw()[rows] for video, rows in zip(scores.by_video(), kept, strict=True)]
    name, step = EngineName.parse(choice.path.name), step_of(scores, slice(None))
    calibration = Calibration.measure(
        np.concatenate(pieces),
        engine=choice.path.name,
        precision="fp32" if name is None else name.precision,
        stride=line.open(found.notes)[1].method.stride,
        how=settings.how,
        pool=settings.pool,
        smooth=found.job.smooth,
        cells=cells,
        lengths=[len(piece) for piece in pieces],
        fps=model.manifest.rate if step is None else 1 / step,
    )
    model.add({}, [calibration])
    return calibration


def _model_of(choice: EngineChoice, source: Source | None) -> Model:
    """The model that keeps the calibration; an error where there is none, or where footage must be named."""
    if choice.model is None:
        raise EngineError(f"{choice.path} belongs to no model, which keeps calibrations: give a file in a model folder")
    if source is None and find_method(choice.method).streams:
        raise ModelError(
            f"{choice.model.folder} holds a {choice.method} model, which has seen all the footage of its training: "
            "name other normal footage"
        )
    return choice.model


def _by_cell(choice: EngineChoice, parts: list[Part]) -> tuple[list[Part], tuple[float, ...]]:
    """The parts with raw scores of the rarest cell, and the quantiles of each cell that these come from."""
    spec = find_method(choice.method)
    maps = [np.square(part.maps.astype(np.float32)) for part in parts if part.maps is not None]
    cells = cell_quantiles(np.concatenate(maps))
    raws = (raw_of(spec, some, "rare", cells) for some in maps)
    return [replace(part, raw=raw) for part, raw in zip(parts, raws, strict=True)], tuple(cells.ravel().tolist())


def _scores(parts: list[Part], job: Job, line: Line) -> Scores:
    return finish(parts, replace(job, calibration=None), [], notes=Notes(), watch=line.watch, threads=line.threads)


def _held_out(model: Model, scores: Scores) -> list[slice]:
    """The rows of each video of the training that it did not learn from."""
    lengths = [(int(length), held_out_frames(int(length))) for length in scores.lengths]
    if not any(held_out for _, held_out in lengths):
        raise ModelError(f"the footage of {model.folder} is too short to hold frames out: name other normal footage")
    return [slice(length - held_out, length) for length, held_out in lengths]
