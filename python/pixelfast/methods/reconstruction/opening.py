"""Opens the reconstruction method of a model or a lone engine."""

from pixelfast.errors import EngineError
from pixelfast.machine.cores import Cores
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.base import Method
from pixelfast.methods.choose import EngineChoice
from pixelfast.methods.opening import say_precision
from pixelfast.methods.reconstruction.engine import WindowEngine, load_window_engine
from pixelfast.methods.reconstruction.scoring import Reconstruction
from pixelfast.methods.reconstruction.windows import check_stride
from pixelfast.methods.settings import Settings


def open_reconstruction(choice: EngineChoice, settings: Settings, cores: Cores, stopwatch: Stopwatch) -> Method:
    engine = load_window_engine(choice.path, cores.count, choice.origin)
    engine.share(cores)
    _check_fit(engine, choice)
    say_precision(choice, engine.facts.precision)
    stride = settings.stride if settings.stride is not None else engine.facts.stride or 1
    check_stride(stride, engine.facts.window)
    return Reconstruction(engine, settings, stride, stopwatch)


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
