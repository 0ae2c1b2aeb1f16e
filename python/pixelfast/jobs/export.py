"""Extends and makes models without training: what `pixelfast.export` and `pixelfast.convert` do."""

from pathlib import Path

from pixelfast.errors import EngineError, PixelfastError
from pixelfast.files.folders import scratch_folder
from pixelfast.machine.imports import training_extra
from pixelfast.machine.threads import share_threads
from pixelfast.methods.reconstruction.calibrating import calibrate
from pixelfast.methods.trained import CACHE_DIGEST
from pixelfast.model import Calibration, Model
from pixelfast.notes import Notes
from pixelfast.sources import open_source
from pixelfast.training.cache import FrameCache


def export_engine(model: Model, stride: int, threads: int | None) -> Path:
    """Writes the ONNX engine of a stride into the model's folder; see `pixelfast.export`."""
    if model.manifest.method != "reconstruction":
        raise EngineError(f"{model.folder} holds a motion model: it has its only engine, motion.onnx, and no strides")
    with training_extra():
        from pixelfast.methods.reconstruction.export import export_onnx
    count = share_threads(threads).count
    with scratch_folder(model.folder) as scratch:
        file = scratch / model.engine_name(stride)
        export_onnx(model.folder, file, stride, threads=count)
        # The same weights at the same stride: what was measured before holds for the new file as well.
        known = [one for one in model.manifest.calibrations if one.engine == file.name]
        calibrations = known or _calibrate(model, file, stride, count)
        model.add({file.name: file}, calibrations)
    return model.folder / file.name


def _calibrate(model: Model, engine: Path, stride: int, threads: int) -> list[Calibration]:
    """Calibrations on the held-out frames of the training footage; none, said aloud, where it cannot be read again."""
    trained = model.manifest.training
    why = "the model was not trained here"
    if trained is not None:
        try:
            with scratch_folder(engine.parent) as scratch:
                videos = open_source(trained.sources)
                cache = FrameCache.build(videos, scratch / "frames.u8", threads=threads)
                if cache.digest == trained.report.get(CACHE_DIGEST):
                    return calibrate(engine, cache.held_out(), stride, threads)
                why = "the training footage has changed"
        except PixelfastError as error:
            why = str(error)
    Notes().say(f"{engine.name} has no calibration, so scores have no threshold at stride {stride}: {why}")
    return []
