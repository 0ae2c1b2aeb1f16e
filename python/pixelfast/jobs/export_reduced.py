"""A model's autoencoder as an ONNX file for CPUs in less than float32: checked on held-out frames, and calibrated."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError, ModelError, PixelfastError
from pixelfast.files.folders import scratch_folder
from pixelfast.methods.reconstruction.calibrating import measure_calibrations, raw_scores
from pixelfast.methods.reconstruction.quantize import write_bf16, write_int8
from pixelfast.methods.trained import CACHE_DIGEST
from pixelfast.model import Model
from pixelfast.notes import Notes
from pixelfast.scores.agreement import rank_correlation
from pixelfast.sources import open_source
from pixelfast.training.cache import FrameCache

PRECISIONS: Final = ("int8", "bf16")

LEAST_AGREEMENT: Final = 0.999
"""Spearman correlation with float32 of the raw scores of held-out frames, below which no file is written."""

_RUNS: Final = 12
_RUN_FRAMES: Final = 40
"""Frames of a run that the ranges of int8 are taken from; of so many runs, spread over the training footage."""


def export_reduced_engine(model: Model, stride: int, precision: str, threads: int) -> Path:
    """Writes `ae.int8.onnx` or `ae.bf16.onnx` (`ae.s4.int8.onnx`, …) into the model's folder.

    Raises:
        ModelError: there is no engine of this stride, the training footage cannot be read again, or the order of its
            held-out frames changes too much.
        EngineError: what it takes is not installed.
        OutputError: the folder cannot be written.
    """
    if model.manifest.method != "reconstruction":
        raise EngineError(f"{model.folder} holds a motion model: int8 and bf16 are for autoencoders")
    source = model.engine(stride)
    name = f"{source.stem}.{precision}.onnx"
    with scratch_folder(model.folder) as scratch:
        cache = _frames(model, scratch, threads)
        out = scratch / name
        if precision == "int8":
            write_int8(source, out, _runs(cache))
        else:
            write_bf16(source, out)
        raws = [raw_scores(file, cache.held_out(), stride, threads) for file in (source, out)]
        agreement = rank_correlation(*(np.concatenate(raw["mean"]) for raw in raws))
        if not agreement >= LEAST_AGREEMENT:
            raise ModelError(
                f"{name} was not written: in {precision} the rank correlation of held-out frames with float32 is "
                f"{agreement:.4f}, below {LEAST_AGREEMENT}"
            )
        Notes().say(f"{precision} keeps the order of the frames: rank correlation {agreement:.5f} with float32")
        known = cache.digest == (model.manifest.training and model.manifest.training.report.get(CACHE_DIGEST))
        if not known:
            Notes().say(f"{name} has no calibration, so its scores have no threshold: the training footage has changed")
        model.add({name: out}, measure_calibrations(name, precision, stride, raws[1]) if known else [])
    return model.folder / name


def _frames(model: Model, scratch: Path, threads: int) -> Any:
    """The training footage, decoded."""
    trained = model.manifest.training
    why = "the model was not trained here"
    if trained is not None:
        try:
            cache = FrameCache.build(open_source(trained.sources), scratch / "frames.u8", threads=threads)
            if any(True for _ in cache.held_out()):
                return cache
            why = "it is too short to hold frames out"
        except PixelfastError as error:
            why = str(error)
    raise ModelError(f"less than float32 is checked on the training footage of {model.folder}, and cannot be: {why}")


def _runs(cache: Any) -> list[NDArray[np.uint8]]:
    """Runs of neighbouring training frames u8[n, H, W], spread over all videos."""
    starts = cache.train_windows(1)
    ends = {video.offset + video.training for video in cache.videos}
    chosen = starts[np.unique(np.linspace(0, len(starts) - 1, _RUNS).round().astype(int))]
    return [_run(cache, int(start), min(end for end in ends if end > start)) for start in chosen]


def _run(cache: Any, start: int, end: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(cache.frames[start : min(start + _RUN_FRAMES, end)])
