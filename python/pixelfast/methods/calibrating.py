"""Calibrates an engine: a method's own raw scores on held-out normal frames, smoothed, as quantiles."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import ModelError
from pixelfast.methods.base import Maps, MethodSpec
from pixelfast.methods.trained import footage_of, is_footage_of
from pixelfast.model import Calibration, Model
from pixelfast.model.tails import cell_quantiles, rarest
from pixelfast.options import Pool
from pixelfast.training.cache import FrameCache


class Raws(NamedTuple):
    """Raw scores of held-out frames.

    Attributes:
        by_pool: the raw scores f32[n] of each stretch, by pooling.
        cells: f64[cells, 9], the quantiles of each cell's error; None without frames.
    """

    by_pool: Mapping[Pool, Sequence[NDArray[np.float32]]]
    cells: NDArray[np.float64] | None


HeldOut = Iterable[tuple[str, NDArray[Any]]]
"""The name and the features of each stretch of held-out frames, as the method's `errors_of` takes them."""


def calibrate(
    spec: MethodSpec,
    engine: Path,
    own: Mapping[str, Any],
    held_out: HeldOut,
    *,
    stride: int = 1,
    precision: str = "fp32",
    threads: int = 1,
    fps: float | None = None,
) -> list[Calibration]:
    """Measures the calibrations of an engine file, one a pooling; none without held-out frames.

    The engine's file has the name that it has in the model, which will say `own` of the method's own; `precision` is
    what it computes in, and `fps` are the frames a second of the footage, where they are known.
    """
    raws = raw_scores(spec, engine, own, held_out, stride=stride, threads=threads)
    return calibrations(spec, engine.name, raws, stride=stride, precision=precision, fps=fps)


def held_out_again(spec: MethodSpec, model: Model, workdir: Path, threads: int) -> HeldOut:
    """Reads the held-out frames of a model's training once more, into files in a working folder.

    Raises:
        ModelError: the footage has changed, is too short to hold frames out, or takes too long.
        PixelfastError: it cannot be read again, or the folder not be written.
    """
    cache = FrameCache.build(footage_of(model), workdir / "frames.u8", threads=threads)
    if not is_footage_of(model, cache):
        raise ModelError("the training footage has changed")
    held_out = [] if spec.held_out is None else list(spec.held_out(model, cache, threads))
    if not held_out:
        raise ModelError("the training footage is too short to hold frames out")
    return held_out


def raw_scores(
    spec: MethodSpec, engine: Path, own: Mapping[str, Any], held_out: HeldOut, *, stride: int, threads: int
) -> Raws:
    """Computes the raw scores of held-out frames; arguments as of `calibrate`."""
    errors = spec.errors_of(engine, own, stride, threads)
    maps = [errors(features) for _, features in held_out]
    cells = cell_quantiles(np.concatenate(maps)) if maps else None
    return Raws({pool: [raw_of(spec, some, pool, cells) for some in maps] for pool in spec.pools}, cells)


def raw_of(spec: MethodSpec, maps: Maps, pool: Pool, cells: NDArray[np.float64] | None) -> NDArray[np.float32]:
    """Returns raw scores f32[n] of maps f32[n, h, w] under any pooling; `cells` are needed for "rare" alone."""
    if pool != "rare":
        return spec.raw(maps, pool)
    assert cells is not None, "a run that pools so has them, and frames that are measured give them"
    return rarest(maps, cells)


def calibrations(
    spec: MethodSpec, engine: str, raws: Raws, *, stride: int = 1, precision: str = "fp32", fps: float | None = None
) -> list[Calibration]:
    """Makes the calibrations of an engine file, by its name in the model, of raw scores; none without frames."""
    smooth = spec.global_pass.smooth

    def calibration(pool: Pool, raw: Sequence[NDArray[np.float32]]) -> Calibration:
        lengths = [len(some) for some in raw]
        values = _core.smooth(np.concatenate(raw), np.array(lengths, np.int64), smooth)
        cells = tuple(raws.cells.ravel().tolist()) if pool == "rare" and raws.cells is not None else None
        use = {"engine": engine, "precision": precision, "how": "mean", "pool": pool}
        return Calibration.measure(values, **use, stride=stride, smooth=smooth, cells=cells, lengths=lengths, fps=fps)

    return [calibration(pool, raw) for pool, raw in raws.by_pool.items() if raw]
