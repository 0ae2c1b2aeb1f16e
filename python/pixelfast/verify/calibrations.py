"""What is normal for the engines that are right here and were never measured: it is added to the model."""

from collections.abc import Sequence

from pixelfast.errors import PixelfastError
from pixelfast.files.folders import scratch_folder
from pixelfast.methods.calibrating import HeldOut, calibrate, held_out_again
from pixelfast.methods.registry import find_method
from pixelfast.model import Calibration, Model
from pixelfast.model.names import EngineName
from pixelfast.runtime.trial import Candidate, Trial


def uncalibrated(model: Model, trials: Sequence[Trial]) -> list[Candidate]:
    """The engines of the model's method that are right here, run as scoring runs them, and have no calibration."""
    measured = {one.engine for one in model.manifest.calibrations}
    stem = find_method(model.manifest.method).stem
    right = [trial.candidate for trial in trials if trial.passed and trial.candidate.usual]
    return [one for one in right if one.kind.stem == stem and one.path.name not in measured]


def add_calibrations(model: Model, engines: Sequence[Candidate], threads: int) -> str:
    """Measures engines on the held-out frames of the model's training, and adds that to the model.

    Returns:
        What was added, or why nothing could be, in words.
    """
    names = ", ".join(one.path.name for one in engines)
    try:
        with scratch_folder(model.folder) as scratch:
            held_out = held_out_again(find_method(model.manifest.method), model, scratch, threads)
            measured = [one for engine in engines for one in _measured(model, engine, held_out, threads)]
        model.add({}, measured)
    except PixelfastError as error:
        return f"none for {names}, whose scores have no threshold: {error}"
    return f"added to the model for {names}, on {measured[0].frames:,} held-out frames of its training"


def _measured(model: Model, engine: Candidate, held_out: HeldOut, threads: int) -> list[Calibration]:
    """One a pooling, of an engine as scoring runs it here."""
    name = EngineName.parse(engine.path.name)
    stored = "fp32" if name is None else name.precision
    precision = stored if engine.way is None else engine.way[0]
    return calibrate(
        find_method(model.manifest.method), engine.path, model.manifest.own, held_out, stride=engine.stride,
        precision=precision, threads=threads, fps=model.manifest.rate,
    )  # fmt: skip
