"""Whether and by what upside-down frames of a run are found."""

from dataclasses import dataclass
from pathlib import Path

from pixelfast.errors import EngineError
from pixelfast.flip.engine import FlipEngine, load_flip_engine
from pixelfast.model import Model
from pixelfast.model.names import EngineName
from pixelfast.notes import Notes
from pixelfast.options import FlipMode
from pixelfast.runtime.tensorrt.check import plan_origin
from pixelfast.runtime.torch.choice import gpu_by_torch


@dataclass(frozen=True)
class FlipCorrection:
    """How flipped frames are dealt with.

    Attributes:
        mode: what is done; "never" without a classifier.
        classifier: the classifier's file.
        sha256: the hash of that file.
    """

    mode: FlipMode
    classifier: Path | None = None
    sha256: str | None = None

    def open(self, model: Model | None, threads: int) -> FlipEngine | None:
        """Loads the classifier, which belongs to `model`; None where there is none.

        Raises:
            EngineError: it cannot be loaded.
        """
        if self.classifier is None or model is None:
            return None
        manifest, origin = model.manifest, plan_origin(model, self.classifier.name)
        return load_flip_engine(self.classifier, manifest.height, manifest.width, threads, origin)


def choose_flip_correction(model: Model | None, named: Path, mode: FlipMode, notes: Notes) -> FlipCorrection:
    """Decides whether and by what flipped frames are found; says aloud where `auto` cannot correct.

    The classifier belongs to `model`, which is None for a lone engine file, and runs where the engine does, or what
    else the user `named`.

    Raises:
        EngineError: `always` was asked for, and there is no classifier.
    """
    never = FlipCorrection("never")
    if mode == "never":
        return never
    classifier = None if model is None else _flip_file(model, named, notes)
    if model is None or model.manifest.flip is None or classifier is None:
        if mode == "always":
            raise EngineError(f"{named} has no flip classifier, so flip='always' cannot be done: train or convert one")
        if model is not None:
            notes.say(f"the model {model.folder} has no flip classifier: no flip correction")
        return never
    if mode == "auto" and not model.manifest.flip.trusted:
        accuracy = model.manifest.flip.held_out_accuracy
        why = "was not measured" if accuracy is None else f"is right on {accuracy:.1%} of held-out frames"
        notes.say(f"no flip correction, because the flip classifier {why} and is not trusted; flip='always' insists")
        return never
    return FlipCorrection(mode, classifier, model.manifest.files[classifier.name].sha256)


def _flip_file(model: Model, engine: Path, notes: Notes) -> Path | None:
    """The classifier's file: one that runs on the GPU with an engine that does; None where the model has none.

    Without a plan that goes with the engine's, PyTorch runs the weights there: the CPU is the decoder's.
    """
    suffix, usual = engine.suffix.lower(), model.flip_engine()
    if usual is None or suffix == ".onnx":
        return usual
    plan, weights = (str(EngineName("flip", kind=kind)) for kind in ("plan", "safetensors"))
    if suffix == ".plan" and model.goes_with(engine.name, plan):
        return model.folder / plan
    alone = suffix == ".safetensors" and engine.with_suffix(".onnx").name not in model.manifest.files
    if alone or not gpu_by_torch():
        if suffix == ".plan":
            notes.say(f"{usual.name} runs on the CPU: {model.folder} has no {plan} that goes with {engine.name}")
        return usual
    if weights in model.manifest.files:
        return model.folder / weights
    notes.say(f"{usual.name} runs on the CPU: {model.folder} has no {weights} to go with {engine.name}")
    return usual
