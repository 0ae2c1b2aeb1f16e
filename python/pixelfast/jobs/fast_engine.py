"""The further engine that a training ends with, so that the fastest way on a CPU is what a model's folder runs."""

import shlex
import time
from importlib.util import find_spec
from typing import Final

from pixelfast.errors import first_line
from pixelfast.jobs.export import export_engine
from pixelfast.methods.exports import ExportRequest
from pixelfast.methods.registry import find_method
from pixelfast.methods.trained import TrainingJob
from pixelfast.model import Model
from pixelfast.notes import Notes

_MAKERS: Final = ("nncf", "openvino")
"""NNCF makes int8 engines, and only OpenVINO runs them faster than float32."""


def add_fast_engine(model: Model, job: TrainingJob) -> Model:
    """Exports what the method's trainings end with into a model that is written, and says how long that took.

    It is done as `pixelfast.export` does it, on the frames of the training, and checked and calibrated alike. Whatever
    goes wrong is said aloud and leaves the model as it is.

    Returns:
        The model, with the engine where there is one now.
    """
    exports, notes = find_method(model.manifest.method).exports, Notes()
    if exports is None or exports.after_training is None:
        return model
    precision = exports.after_training
    without = f"no {precision} engine was made, which is two to three times as fast on CPUs"
    command = f"pixelfast export {shlex.quote(str(model.folder))} --precision {precision}"
    missing = [name for name in _MAKERS if find_spec(name) is None]
    if missing:
        notes.say(
            f"{without}, as {' and '.join(missing)} cannot be found: pip install 'pixelfast[all]', then {command}"
        )
        return model
    job.tell(precision, 0, 1)
    begun = time.monotonic()
    try:
        path = export_engine(model, ExportRequest(precision=precision, threads=job.threads, footage=job.cache))
        model = Model.load(model.folder)
    except Exception as error:  # of whatever kind: the training is done, and its model is whole
        notes.say(f"{without}: {first_line(error)}; the model is whole without it, and {command} tries again")
    else:
        notes.say(f"{path.name}, for CPUs, was made in {time.monotonic() - begun:.1f} s")
    job.tell(precision, 1, 1)
    return model
