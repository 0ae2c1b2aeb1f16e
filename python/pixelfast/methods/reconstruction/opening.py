"""Opens the reconstruction method of a model or a lone engine."""

from pixelfast.errors import EngineError
from pixelfast.methods.base import EngineChoice, Opening
from pixelfast.methods.reconstruction.engine import WindowEngine, load_window_engine
from pixelfast.methods.reconstruction.scoring import Reconstruction
from pixelfast.methods.reconstruction.windows import check_stride


def open_reconstruction(opening: Opening) -> Reconstruction:
    """Loads the engine; see `MethodSpec.open`.

    Raises:
        EngineError: the engine cannot be loaded, does not fit its model, or the stride does not fit it.
    """
    choice, settings = opening.choice, opening.settings
    engine = load_window_engine(choice.path, opening.threads, choice.origin)
    _check_fit(engine, choice)
    opening.say_precision(engine.facts.precision)
    stride = settings.stride if settings.stride is not None else engine.facts.stride or 1
    check_stride(stride, engine.facts.window)
    return Reconstruction(engine, settings, stride, opening.stopwatch)


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
