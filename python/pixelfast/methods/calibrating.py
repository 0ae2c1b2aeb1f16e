"""Calibrates an engine: the pipeline's own raw scores on held-out normal frames, smoothed, as quantiles."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.methods.base import Maps
from pixelfast.model import Calibration
from pixelfast.options import Pool

POOLS: tuple[Pool, ...] = ("mean", "worst")
PRECISION = "fp32"


def joined(maps: Iterable[Maps]) -> Maps:
    return np.concatenate(list(maps))


def measured(
    engine: str, precision: str, stride: int, smooth: int, raws: Mapping[Pool, Sequence[NDArray[np.float32]]]
) -> list[Calibration]:
    calibrations = []
    for pool, raw in raws.items():
        if not raw:
            return []
        lengths = np.array([len(some) for some in raw], np.int64)
        values = _core.smooth(np.concatenate(raw), lengths, smooth)
        calibrations.append(
            Calibration.measure(
                values, engine=engine, precision=precision, stride=stride, how="mean", pool=pool, smooth=smooth
            )
        )
    return calibrations
