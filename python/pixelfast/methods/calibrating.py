"""Calibrates an engine: a method's own raw scores on held-out normal frames, smoothed, as quantiles."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.methods.base import MethodSpec
from pixelfast.model import Calibration
from pixelfast.options import Pool

Raws = Mapping[Pool, Sequence[NDArray[np.float32]]]
"""The raw scores f32[n] of each stretch of held-out frames, by pooling."""

HeldOut = Iterable[tuple[str, NDArray[Any]]]
"""The name and the features of each stretch of held-out frames, as the method's `errors_of` takes them."""


def calibrate(
    spec: MethodSpec, engine: Path, own: Mapping[str, Any], held_out: HeldOut, *, stride: int = 1, threads: int = 1
) -> list[Calibration]:
    """Measures the calibrations of an engine file for all and for the worst cells; none without held-out frames.

    The engine's file has the name that it has in the model, which will say `own` of the method's own.
    """
    return calibrations(
        spec, engine.name, raw_scores(spec, engine, own, held_out, stride=stride, threads=threads), stride=stride
    )


def raw_scores(
    spec: MethodSpec, engine: Path, own: Mapping[str, Any], held_out: HeldOut, *, stride: int, threads: int
) -> Raws:
    """Computes the raw scores of held-out frames; arguments as of `calibrate`."""
    errors = spec.errors_of(engine, own, stride, threads)
    maps = [errors(features) for _, features in held_out]
    return {pool: [spec.raw(some, pool) for some in maps] for pool in spec.pools}


def calibrations(
    spec: MethodSpec, engine: str, raws: Raws, *, stride: int = 1, precision: str = "fp32"
) -> list[Calibration]:
    """Makes the calibrations of an engine file, by its name in the model, of raw scores; none without frames."""
    smooth = spec.global_pass.smooth

    def calibration(pool: Pool, raw: Sequence[NDArray[np.float32]]) -> Calibration:
        values = _core.smooth(np.concatenate(raw), np.array([len(some) for some in raw], np.int64), smooth)
        return Calibration.measure(
            values, engine=engine, precision=precision, stride=stride, how="mean", pool=pool, smooth=smooth
        )

    return [calibration(pool, raw) for pool, raw in raws.items() if raw]
