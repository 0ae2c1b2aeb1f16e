"""Calibrates an autoencoder on held-out frames."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.base import find_pass
from pixelfast.methods.calibrating import POOLS, PRECISION, joined, measured
from pixelfast.methods.reconstruction.engine import load_window_engine
from pixelfast.methods.reconstruction.scoring import Reconstruction
from pixelfast.methods.settings import Settings
from pixelfast.model import Calibration
from pixelfast.options import Pool
from pixelfast.sources.memory import ArrayVideo


def calibrate(
    engine: Path, held_out: Iterable[tuple[str, NDArray[np.uint8]]], stride: int, threads: int
) -> list[Calibration]:
    """The calibrations of an autoencoder's file for mean and worst cells, averaged over windows; none without frames.

    Args:
        engine: the `.onnx` file, under the name that it has in the model.
        held_out: name and frames u8[n, H, W] of each stretch of held-out frames.
        stride: frames between the starts of windows.
        threads: threads of the engine and the numeric stages.
    """
    return measure_calibrations(engine.name, PRECISION, stride, raw_scores(engine, held_out, stride, threads))


def raw_scores(
    engine: Path, held_out: Iterable[tuple[str, NDArray[np.uint8]]], stride: int, threads: int
) -> dict[Pool, list[NDArray[np.float32]]]:
    """The raw scores f32[n] of each stretch of held-out frames, for mean and worst cells; arguments as `calibrate`."""
    loaded = load_window_engine(engine, threads)
    videos = [ArrayVideo(name, np.ascontiguousarray(frames)) for name, frames in held_out]

    def method(pool: Pool) -> Reconstruction:
        return Reconstruction(loaded, Settings(stride=stride, pool=pool), stride, Stopwatch())

    cleaned = [Cleaned(video.frames, np.ones(video.length, np.bool_)) for video in videos]
    maps = [joined(method("mean").maps(video).run([some])) for video, some in zip(videos, cleaned, strict=True)]
    return {pool: [method(pool).raw(some) for some in maps] for pool in POOLS}


def measure_calibrations(
    engine: str, precision: str, stride: int, raws: Mapping[Pool, Sequence[NDArray[np.float32]]]
) -> list[Calibration]:
    """The calibrations of an autoencoder's file from `raw_scores`; none without frames.

    Args:
        engine: the file's name in the model.
        precision: what it computes in.
        stride: frames between the starts of windows.
        raws: raw scores of each stretch of held-out frames, by pooling.
    """
    return measured(engine, precision, stride, find_pass("reconstruction").smooth, raws)
