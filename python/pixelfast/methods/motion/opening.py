"""Opens the motion method of a model."""

from pixelfast.errors import ModelError, PixelfastError
from pixelfast.flow.opening import RAFT_FILE, open_flow
from pixelfast.machine.cores import Cores
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.base import Method
from pixelfast.methods.choose import EngineChoice
from pixelfast.methods.motion.engine import load_motion_engine
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.scoring import Motion
from pixelfast.methods.opening import say_precision
from pixelfast.methods.settings import Settings
from pixelfast.model import Model
from pixelfast.model.folder import goes_with
from pixelfast.notes import Notes
from pixelfast.runtime.tensorrt.check import plan_origin


def open_motion(choice: EngineChoice, settings: Settings, cores: Cores, stopwatch: Stopwatch) -> Method:
    if settings.stride not in (None, 1) or settings.how != "mean":
        raise PixelfastError("the motion method has no overlapping windows: leave out stride and how")
    model = choice.model
    if model is None or model.manifest.motion is None:
        raise ModelError(f"{choice.path} does not say which flow it was trained on: train the model again")
    known = model.manifest.motion
    engine = load_motion_engine(choice.path, cores.count, choice.origin)
    say_precision(choice, engine.facts.precision)
    raft = _raft_file(choice, model, known)
    flow = open_flow(known.flow, model.folder, cores, raft, plan_origin(model, raft))
    sha256 = model.manifest.files[raft].sha256 if known.flow.kind == "raft" else None
    return Motion(flow, engine, known, settings, stopwatch, sha256)


def _raft_file(choice: EngineChoice, model: Model, known: MotionFacts) -> str:
    """RAFT as the engine is: `raft.fp16.plan` with `motion.fp16.plan`; else its ONNX file."""
    same = f"raft{choice.path.name.removeprefix('motion')}"
    if goes_with(model, choice.path.name, same):
        return same
    if known.flow.kind == "raft":
        Notes().say(f"{RAFT_FILE} runs as it can here: {model.folder} has no {same} that goes with {choice.path.name}")
    return RAFT_FILE
