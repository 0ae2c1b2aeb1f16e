"""Opens the motion method of a model."""

from pixelfast.errors import ModelError, PixelfastError
from pixelfast.flow.engine import RAFT_FILE, open_flow
from pixelfast.methods.base import EngineChoice, Opening
from pixelfast.methods.motion.engine import load_motion_engine
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.scoring import Motion
from pixelfast.model import Model
from pixelfast.model.names import EngineName
from pixelfast.notes import Notes
from pixelfast.runtime.tensorrt.check import plan_origin


def open_motion(opening: Opening) -> Motion:
    """Loads the engines of a motion model; see `MethodSpec.open`.

    Raises:
        EngineError: an engine cannot be loaded.
        ModelError: the engine has no model, or one that does not know its flow.
        PixelfastError: windows were asked for, which this method does not have.
    """
    choice, settings = opening.choice, opening.settings
    if settings.stride not in (None, 1) or settings.how != "mean":
        raise PixelfastError("the motion method has no overlapping windows: leave out stride and how")
    if choice.model is None:
        raise ModelError(f"{choice.path} does not say which flow it was trained on: train the model again")
    model, known = choice.model, MotionFacts.of(choice.model)
    engine = load_motion_engine(choice.path, opening.threads, choice.origin)
    opening.say_precision(engine.facts.precision)
    raft = _raft_file(choice, model, known, opening.notes)
    flow = open_flow(known.flow, model.folder, opening.threads, raft, plan_origin(model, raft))
    sha256 = model.manifest.files[raft].sha256 if known.flow.kind == "raft" else None
    return Motion(flow, engine, known, settings, opening.stopwatch, sha256)


def _raft_file(choice: EngineChoice, model: Model, known: MotionFacts, notes: Notes) -> str:
    """RAFT as the engine is: `raft.fp16.plan` with `motion.fp16.plan`; else its ONNX file."""
    name = EngineName.parse(choice.path.name)
    same = RAFT_FILE if name is None else str(name._replace(stem="raft"))
    if model.goes_with(choice.path.name, same):
        return same
    if known.flow.kind == "raft":
        notes.say(f"{RAFT_FILE} runs as it can here: {model.folder} has no {same} that goes with {choice.path.name}")
    return RAFT_FILE
