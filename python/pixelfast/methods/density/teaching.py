"""What a person calls normal, added to what a density model knows: exemplars, speeds and calibrations, in seconds."""

from collections.abc import Sequence

import cv2
import numpy as np

from pixelfast.cleaning.footage import cleaned_footage
from pixelfast.errors import SourceError
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.base import Lesson, Taught
from pixelfast.methods.density.cells import Cells, CellStream, smooth_cells
from pixelfast.methods.density.judging import judge, said_of
from pixelfast.methods.density.learning import Known, exemplars_of
from pixelfast.methods.density.over_time import Values, joined
from pixelfast.methods.density.reasons import Habits
from pixelfast.methods.density.scoring import working_frames
from pixelfast.methods.density.steady import Steady
from pixelfast.methods.density.stored import DensityFacts, known_of, save
from pixelfast.methods.density.streams import Exemplars, Units, moves_of, streams_of
from pixelfast.sources import Video

_POINTS = 1500
"""Exemplars of directions and of looks that a lesson adds, at most."""

_FASTER = 1.1
"""Up to so many times a speed that was called normal is as normal."""


def teach(lesson: Lesson) -> Taught:
    """Writes the model's file again, with what some moments show; see `MethodSpec.teach`.

    Raises:
        SourceError: a moment holds no frames.
        EngineError, ModelError: the model is damaged.
    """
    name = lesson.model.engine(kind="safetensors").name
    facts, known, picture = known_of(lesson.model.folder / name, lesson.model)
    found = [cells_of(moment, facts, picture, lesson.threads) for moment in lesson.moments]
    more = _with(known, [_smoothed(cells, known.units) for cells in found], lesson)
    save(more, picture, lesson.workdir / name)
    return Taught(name, [_raw(cells, more, lesson.threads) for cells in found])


def cells_of(moment: Video, facts: DensityFacts, picture: Values, threads: int) -> Cells:
    """Returns the cells of a moment's frames, as scoring has them: put back in place, their motion not smoothed."""
    frames = cleaned_footage(moment, working_frames(facts.height, facts.width), bridge_noisy=True, threads=threads)
    pieces = list(CellStream(threads, Stopwatch()).run(Steady(picture).run(frames)))
    if not pieces:
        raise SourceError(f"there are no {moment.name}: give the source that the scores are of")
    return Cells(*joined(pieces))


def _smoothed(cells: Cells, units: Units) -> Cells:
    return Cells(*joined(smooth_cells([cells], units.times)))


def _with(known: Known, moments: Sequence[Cells], lesson: Lesson) -> Known:
    """What is known, with what the moments show beside it."""
    units, old, tails = known.units, known.exemplars, known.tails
    new = exemplars_of(moments, units, _POINTS, lesson.seed, lesson.threads)
    moving = any(moves_of(cells, units).any() for cells in moments)
    exemplars = Exemplars(
        np.concatenate([old.directions, new.directions]) if moving else old.directions,
        np.concatenate([old.looks, new.looks]) if moving else old.looks,
        np.concatenate([old.places, new.places], axis=1),
        old.usual,
    )
    fastest = np.stack([(cells.speed * moves_of(cells, units)).max(0) for cells in moments]).max(0)
    allowed = cv2.dilate(fastest / np.float32(units.speed), np.ones((3, 3), np.uint8)).astype(np.float32)
    allowed *= np.float32(_FASTER)
    if tails.allowed is not None:
        allowed = np.maximum(allowed, tails.allowed)
    habits = Habits(np.maximum(known.habits.fastest, fastest / np.float32(units.speed)), known.habits.ways)
    return known._replace(exemplars=exemplars, tails=tails._replace(allowed=allowed), habits=habits)


def _raw(cells: Cells, known: Known, threads: int) -> Values:
    """The raw scores f32[n] of a moment, by what is known now."""
    units = known.units
    streams = streams_of(smooth_cells([cells], units.times), units, known.exemplars, threads)
    return np.concatenate([judge(said, known.levels).raw for said in said_of(streams, known.tails, units)])
