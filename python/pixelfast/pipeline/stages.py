"""From the engine that was chosen and the settings to the stages that every video goes through."""

from dataclasses import dataclass
from pathlib import Path

from pixelfast.cores import Cores
from pixelfast.engines import (
    DisFlow,
    EngineChoice,
    FlipEngine,
    FlowEngine,
    WindowEngine,
    load_flip_engine,
    load_motion_engine,
    load_raft,
    load_window_engine,
)
from pixelfast.engines.plan_check import PlanOrigin, plan_origin
from pixelfast.engines.torch_choice import gpu_by_torch
from pixelfast.errors import EngineError, ModelError, PixelfastError
from pixelfast.manifest import Flip, FlowFacts, MotionFacts
from pixelfast.model import Model
from pixelfast.pipeline.aloud import Notes
from pixelfast.pipeline.clean import CLEANING_THREADS, CleanPlan
from pixelfast.pipeline.flip import FlipMode
from pixelfast.pipeline.method import Method
from pixelfast.pipeline.motion import Motion
from pixelfast.pipeline.reconstruction import Reconstruction
from pixelfast.pipeline.settings import Settings
from pixelfast.pipeline.stopwatch import Stopwatch
from pixelfast.pipeline.video import Stages
from pixelfast.pipeline.windows import check_stride

RAFT_FILE = "raft.onnx"


@dataclass(frozen=True)
class FlipPlan:
    """How flipped frames are dealt with: `never` without a classifier."""

    mode: FlipMode
    classifier: Path | None
    sha256: str | None


def open_stages(choice: EngineChoice, settings: Settings, plan: FlipPlan, cores: Cores, stopwatch: Stopwatch) -> Stages:
    """Loads the engines.

    Raises:
        EngineError: an engine cannot be loaded, does not fit its model, or the stride does not fit it.
    """
    with stopwatch.phase("load"):
        opened = _open_motion if choice.method == "motion" else _open_reconstruction
        method = opened(choice, settings, cores, stopwatch)
        flip = None if plan.classifier is None else _open_flip(choice, plan.classifier)
    clean = CleanPlan(flip, settings.on_error, method.bridge_noisy, cores, stopwatch)
    return Stages(method, clean, settings)


def _open_reconstruction(choice: EngineChoice, settings: Settings, cores: Cores, stopwatch: Stopwatch) -> Method:
    engine = load_window_engine(choice.path, cores.count, choice.origin)
    engine.share(cores)
    _check_fit(engine, choice)
    _say_precision(choice, engine.facts.precision)
    stride = settings.stride if settings.stride is not None else engine.facts.stride or 1
    check_stride(stride, engine.facts.window)
    return Reconstruction(engine, settings, stride, stopwatch)


def _open_motion(choice: EngineChoice, settings: Settings, cores: Cores, stopwatch: Stopwatch) -> Method:
    if settings.stride not in (None, 1) or settings.how != "mean":
        raise PixelfastError("the motion method has no overlapping windows: leave out stride and how")
    model = choice.model
    if model is None or model.manifest.motion is None:
        raise ModelError(f"{choice.path} does not say which flow it was trained on: train the model again")
    known = model.manifest.motion
    engine = load_motion_engine(choice.path, cores.count, choice.origin)
    _say_precision(choice, engine.facts.precision)
    raft = _raft_file(choice, model, known)
    flow = open_flow(known.flow, model.folder, cores, raft, plan_origin(model, raft))
    sha256 = model.manifest.files[raft].sha256 if known.flow.kind == "raft" else None
    return Motion(flow, engine, known, settings, stopwatch, sha256)


def _say_precision(choice: EngineChoice, precision: str) -> None:
    """Weights are float32 in the file, and less on a GPU."""
    if choice.path.suffix.lower() == ".safetensors" and precision != "fp32":
        Notes().say(
            f"{choice.path.name} is computed in {precision} on this machine's GPU; `python cuda_export/verify.py` "
            "compares that with float32"
        )


def _raft_file(choice: EngineChoice, model: Model, known: MotionFacts) -> str:
    """RAFT as the engine is: `raft.fp16.plan` with `motion.fp16.plan`; else its ONNX file."""
    same = f"raft{choice.path.name.removeprefix('motion')}"
    if _goes_with(model, choice.path.name, same):
        return same
    if known.flow.kind == "raft":
        Notes().say(f"{RAFT_FILE} runs as it can here: {model.folder} has no {same} that goes with {choice.path.name}")
    return RAFT_FILE


def _goes_with(model: Model, engine: str, other: str) -> bool:
    """Whether the model has the file `other`; of plans, whether both are for the same GPU and TensorRT."""
    plans = [model.manifest.plans.get(name) for name in (engine, other)]
    targets = [one and (one.compute_capability, one.flavour, one.version) for one in plans]
    return other in model.manifest.files and targets[0] == targets[1]


def open_flow(
    flow: FlowFacts, folder: Path, cores: Cores, raft: str = RAFT_FILE, origin: PlanOrigin | None = None
) -> FlowEngine:
    """The flow engine that a model was trained with.

    Args:
        flow: what it was trained with.
        folder: where RAFT's file lies, if that is it.
        cores: for its calls.
        raft: that file's name.
        origin: of a plan, what its model knows about it.

    Raises:
        EngineError: it cannot be loaded.
    """
    if flow.kind == "raft":
        return load_raft(folder / raft, cores.count, origin)
    return DisFlow(flow.preset or "", cores, flow.shorter_side or 0)


def _open_flip(choice: EngineChoice, classifier: Path) -> FlipEngine:
    assert choice.model is not None, "a flip classifier belongs to a model"
    manifest = choice.model.manifest
    origin = plan_origin(choice.model, classifier.name)
    return load_flip_engine(classifier, manifest.height, manifest.width, CLEANING_THREADS, origin)


def plan_flip(model: Model | None, named: Path, mode: FlipMode, notes: Notes) -> FlipPlan:
    """Whether and by what flipped frames are found; says aloud where `auto` cannot correct.

    Args:
        model: the model that the classifier belongs to; None for a lone engine file.
        named: the engine, or what the user named: the classifier runs where that does.
        mode: what was asked for.
        notes: what is said aloud.

    Raises:
        EngineError: `always` was asked for, and there is no classifier.
    """
    never = FlipPlan("never", None, None)
    if mode == "never":
        return never
    classifier = None if model is None else _flip_file(model, named)
    if model is None or model.manifest.flip is None or classifier is None:
        if mode == "always":
            raise EngineError(f"{named} has no flip classifier, so flip='always' cannot be done: train or convert one")
        if model is not None:
            notes.say(f"the model {model.folder} has no flip classifier: no flip correction")
        return never
    if mode == "auto" and not model.manifest.flip.trusted:
        notes.say(_mistrust(model.manifest.flip))
        return never
    return FlipPlan(mode, classifier, model.manifest.files[classifier.name].sha256)


def _flip_file(model: Model, engine: Path) -> Path | None:
    """The classifier's file: one that runs on the GPU with an engine that does; None where the model has none."""
    suffix, usual = engine.suffix.lower(), model.flip_engine()
    on_gpu = suffix == ".plan" or (suffix == ".safetensors" and gpu_by_torch())
    if usual is None or not on_gpu:
        return usual
    name = f"flip{suffix}"
    if _goes_with(model, engine.name, name):
        return model.folder / name
    Notes().say(f"{usual.name} runs on the CPU: {model.folder} has no {name} that goes with {engine.name}")
    return usual


def _mistrust(flip: Flip) -> str:
    accuracy = flip.held_out_accuracy
    why = "was not measured" if accuracy is None else f"is right on {accuracy:.1%} of held-out frames"
    return f"no flip correction, because the flip classifier {why} and is not trusted; flip='always' insists"


def _check_fit(engine: WindowEngine, choice: EngineChoice) -> None:
    if choice.model is None:
        return
    manifest, facts = choice.model.manifest, engine.facts
    wanted = (manifest.window, manifest.height, manifest.width)
    found = (facts.window, facts.height, facts.width)
    if found != wanted:
        raise EngineError(
            f"{choice.path} takes {_sizes(found)}, but the model beside it was made for {_sizes(wanted)}: "
            "export the engine again"
        )


def _sizes(sizes: tuple[int, int, int]) -> str:
    window, height, width = sizes
    return f"windows of {window} frames of {height}x{width} pixels"
