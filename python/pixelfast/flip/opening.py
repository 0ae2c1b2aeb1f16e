"""Whether and by what upside-down frames of a run are found."""

from dataclasses import dataclass
from pathlib import Path

from pixelfast.cleaning.stage import CLEANING_THREADS
from pixelfast.errors import EngineError
from pixelfast.flip.engine import FlipEngine, load_flip_engine
from pixelfast.methods.choose import EngineChoice
from pixelfast.model import Flip, Model
from pixelfast.model.folder import goes_with
from pixelfast.notes import Notes
from pixelfast.options import FlipMode
from pixelfast.runtime.tensorrt.check import plan_origin
from pixelfast.runtime.torch.choice import gpu_by_torch


@dataclass(frozen=True)
class FlipPlan:
    """How flipped frames are dealt with: `never` without a classifier."""

    mode: FlipMode
    classifier: Path | None
    sha256: str | None


def open_flip(choice: EngineChoice, classifier: Path) -> FlipEngine:
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
    if goes_with(model, engine.name, name):
        return model.folder / name
    Notes().say(f"{usual.name} runs on the CPU: {model.folder} has no {name} that goes with {engine.name}")
    return usual


def _mistrust(flip: Flip) -> str:
    accuracy = flip.held_out_accuracy
    why = "was not measured" if accuracy is None else f"is right on {accuracy:.1%} of held-out frames"
    return f"no flip correction, because the flip classifier {why} and is not trusted; flip='always' insists"
