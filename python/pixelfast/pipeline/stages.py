"""From the engine that was chosen and the settings to the stages that every video goes through."""

from dataclasses import dataclass
from pathlib import Path

from pixelfast.engines import EngineChoice, WindowEngine, load_flip_engine, load_window_engine
from pixelfast.errors import EngineError
from pixelfast.manifest import Flip
from pixelfast.model import Model
from pixelfast.pipeline.aloud import Notes
from pixelfast.pipeline.flip import FlipMode
from pixelfast.pipeline.reconstruction import Stages
from pixelfast.pipeline.settings import Settings
from pixelfast.pipeline.stopwatch import Stopwatch
from pixelfast.pipeline.windows import check_stride


@dataclass(frozen=True)
class FlipPlan:
    """How flipped frames are dealt with: `never` without a classifier."""

    mode: FlipMode
    classifier: Path | None
    sha256: str | None


def open_stages(choice: EngineChoice, settings: Settings, plan: FlipPlan, threads: int, stopwatch: Stopwatch) -> Stages:
    """Loads the engines.

    Raises:
        EngineError: an engine cannot be loaded, does not fit its model, or the stride does not fit it.
    """
    with stopwatch.phase("load"):
        engine = load_window_engine(choice.path, threads)
        _check_fit(engine, choice)
        facts = engine.facts
        stride = settings.stride if settings.stride is not None else facts.stride or 1
        check_stride(stride, facts.window)
        classifier = plan.classifier
        flip = load_flip_engine(classifier, facts.height, facts.width, threads) if classifier is not None else None
    return Stages(engine, flip, settings, stride, threads, stopwatch)


def plan_flip(model: Model | None, named: Path, mode: FlipMode, notes: Notes) -> FlipPlan:
    """Whether and by what flipped frames are found; says aloud where `auto` cannot correct.

    Args:
        model: the model that the classifier belongs to; None for a lone engine file.
        named: what the user named, for messages.
        mode: what was asked for.
        notes: what is said aloud.

    Raises:
        EngineError: `always` was asked for, and there is no classifier.
    """
    never = FlipPlan("never", None, None)
    if mode == "never":
        return never
    classifier = None if model is None else model.flip_engine()
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
