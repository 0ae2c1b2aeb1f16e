"""An engine and its settings, opened: what footage goes through, run after run."""

import hashlib
import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.stage import CLEANING_THREADS, CleanSettings
from pixelfast.errors import EngineError, ModelError, ScoresError
from pixelfast.flip.opening import FlipCorrection, choose_flip_correction
from pixelfast.machine.forks import belongs_here, check_not_torn
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.machine.threads import usable_threads
from pixelfast.methods.base import EngineChoice, Opening
from pixelfast.methods.choose import choose_engine
from pixelfast.methods.registry import find_method
from pixelfast.methods.settings import Settings
from pixelfast.model import Calibration, Model
from pixelfast.model.events import ASSUMED_FPS, EventCurve, EventRate
from pixelfast.notes import Notes
from pixelfast.options import USUAL_READING, Reading
from pixelfast.pipeline.parts import Job
from pixelfast.pipeline.scoring import Stages
from pixelfast.sources.decoding import DecodeSettings
from pixelfast.sources.masking import covered


class Line:
    """An engine and its settings, opened once, when they are first needed: what footage goes through, run after run.

    One thread at a time may use it, and no process that is forked later. `calibrating` keeps it from saying that it has
    no calibration.

    Raises:
        ArgumentError: a setting or the number of threads cannot be.
        EngineError: this process was forked while its parent was scoring.
    """

    def __init__(
        self, engine: str | PathLike[str], settings: Settings, threads: int | None = None, *, calibrating: bool = False
    ) -> None:
        check_not_torn()
        settings.check()
        self.engine, self.settings, self._calibrating = Path(engine), settings, calibrating
        self.threads, self.watch = usable_threads(threads), Stopwatch()
        self._choice: EngineChoice | None = None
        self._opened: tuple[FlipCorrection, Stages, Notes] | None = None
        self._told = set[str]()
        self._runs = 0
        belongs_here(self)

    def begin(self) -> Stopwatch:
        """The stopwatch of the next run; that of the first one has counted the opening."""
        if self._runs:
            self.watch.restart()
        self.watch.go_on()
        self._runs += 1
        return self.watch

    def choice(self, *, sharded: bool = False) -> EngineChoice:
        """The engine's file; an EngineError or ModelError where it cannot be found.

        Where machines share the work, all take the same engine of a folder; one that was opened before must be it.
        """
        exact = self.settings.exact or sharded
        if self._choice is None:
            with self.watch.phase("open"):
                self._choice = _choose(self.engine, self.settings, self.threads, exact=exact)
        elif sharded and _choose(self.engine, self.settings, self.threads, exact=True).path != self._choice.path:
            raise EngineError(
                f"{self._choice.path} was opened as the fastest engine here, and machines that share the work must "
                "take the same: open the folder with exact=True, or name a file"
            )
        return self._choice

    def reading(self) -> Reading:
        """How pictures become pixels."""
        model = self.choice().model
        return self.settings.reading(USUAL_READING if model is None else model.manifest.reading)

    def open(self, notes: Notes) -> tuple[FlipCorrection, Stages]:
        """What footage goes through, its engines loaded; what is said of them is logged once, and kept each time."""
        if self._opened is None:
            choice, said = self.choice(), Notes()
            flip = choose_flip_correction(choice.model, choice.path, self.settings.flip, said)
            stages = open_stages(Opening(choice, self.settings, self.threads, self.watch, said), flip)
            self._opened = flip, stages, said
        flip, stages, said = self._opened
        notes.keep(said)
        return flip, stages

    def load(self) -> None:
        """Opens all there is to open, and says what there is to say of it; time rests until the first run."""
        notes = Notes()
        for note in self.choice().notes:
            self.tell(notes, note)
        self.job(notes)
        self.watch.rest()

    def tell(self, notes: Notes, sentence: str) -> None:
        """Says what holds for every run: it is logged once."""
        if sentence in self._told:
            notes.keep([sentence])
        self._told.add(sentence)
        notes.say(sentence)

    def job(self, notes: Notes) -> Job:
        """What all parts of these engines and settings share; says aloud where the model has no calibration for it."""
        flip, stages = self.open(notes)
        job, missing = _describe_job(self.choice(), stages, flip)
        if missing is not None and not self._calibrating:
            self.tell(notes, missing)
        return replace(job, settings={**job.settings, **self.reading().unusual()})


def _choose(engine: Path, settings: Settings, threads: int, *, exact: bool) -> EngineChoice:
    """Finds the engine, and refuses settings of which it can be told without loading it that they do not go with it."""
    choice = choose_engine(engine, settings.stride, exact=exact, threads=threads)
    if choice.model is not None and (settings.engine_input, settings.engine_range) != (None, None):
        raise EngineError(f"{choice.path} belongs to a model, which knows it: leave out engine_input and engine_range")
    find_method(choice.method).check(choice, settings)
    return choice


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
    if classifier is not None:
        opening.say_remarks(classifier)
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
        f"stride {stride}, how={settings.how}: make it with: {calibrate_command(choice, settings)}"
    )


def _describe_job(choice: EngineChoice, stages: Stages, flip: FlipCorrection) -> tuple[Job, str | None]:
    """What all parts of these engines and settings share; and what is said where there is no calibration for them."""
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
    job = Job(choice.path.name, raw_settings, smooth)
    if choice.model is None:
        return job, None
    calibration = choice.model.calibration(choice.path, stride, settings.how, settings.pool, smooth)
    command = calibrate_command(choice, settings)
    missing = None
    if calibration is None:
        return job, (
            f"no threshold and no tails: the model has no calibration for {choice.path.name} at stride {stride}, "
            f"how={settings.how}, pool={settings.pool}, smooth={smooth}; make it with: {command}"
        )
    if calibration.events is None:
        missing = (
            "the model was trained before events were counted, so that the threshold follows no rate of alarms: one "
            f"held-out frame in a thousand lies above it; count them with: {command}"
        )
    elif calibration.events.fps is None and EventRate.parse(settings.alarm_rate).seconds is not None:
        missing = (
            f"alarms at {settings.alarm_rate} are counted as if the footage had {ASSUMED_FPS:g} pictures a second, "
            "as that of the training does not tell its rate: train with --fps"
        )
    # As JSON has it, so that a job equals the one that a part file brings back.
    return replace(job, calibration=json.loads(json.dumps(asdict(replace(calibration, cells=None))))), missing


def calibrate_command(choice: EngineChoice, settings: Settings) -> str:
    """The command that makes the calibration of an engine and these settings."""
    usual = Settings()
    names = ("stride", "how", "pool", "smooth")
    own = [f"--{name} {value}" for name in names if (value := getattr(settings, name)) != getattr(usual, name)]
    return " ".join(["pixelfast calibrate", shlex.quote(str(choice.path)), "NORMAL", *own])


def calibration_of(job: Job) -> Calibration | None:
    """The calibration of a job, None where it has none; a ScoresError where it is damaged."""
    if job.calibration is None:
        return None
    try:
        lists = {name: tuple(job.calibration[name]) for name in ("probabilities", "quantiles")}
        events = job.calibration.get("events")
        curve = None if events is None else EventCurve.of_plain(events)
        return Calibration(**{**job.calibration, **lists, "cells": None, "events": curve})
    except (LookupError, TypeError, ValueError) as error:
        raise ScoresError(f"the parts' calibration is damaged ({error}): delete them and score again") from error
