"""What is normal for one engine and one way to use it, in the units of its raw scores."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ModelError
from pixelfast.model.events import EventCurve, EventRate
from pixelfast.model.tails import TAILS
from pixelfast.options import USUAL_RATE

THRESHOLD_PROBABILITY = 0.999
"""The share of held-out normal frames below an alarm's level, where alarms are counted by frames."""

_BLOCK = 1 << 15  # scores looked up together: what is computed between stays in the cache

_PROBABILITIES = (
    *(step / 100 for step in range(99)),
    *(0.99 + step / 1000 for step in range(9)),
    *(0.999 + step / 10000 for step in range(9)),
    *(0.9999 + step / 100000 for step in range(10)),
    1.0,
)


@dataclass(frozen=True)
class Calibration:
    """Quantiles of smoothed raw scores on held-out normal frames, for one engine file and one way to use it.

    Attributes:
        engine: the name of the engine file, such as `ae.s4.onnx`.
        precision: what the engine computes in, such as `fp32`.
        stride: frames between the starts of neighbouring windows.
        how: how the windows that hold a frame are combined: "mean", "max" or "median".
        pool: how the cells of a frame's map become its raw score: "mean", "worst" or "rare".
        smooth: frames (odd) of the centred mean on raw.
        probabilities: rising, within [0, 1].
        quantiles: the smoothed raw score at each probability (NumPy's `linear`); never falling.
        frames: how many held-out frames were measured.
        cells: of "rare" alone: the quantiles of each cell's error, 9 a cell, cell by cell.
        events: how many events those frames give above how high a level; None in models of before it was counted.

    Examples:
        >>> calibration = pixelfast.Model.load("model").manifest.calibrations[0]
        >>> calibration.engine, calibration.pool
        ('ae.onnx', 'mean')
    """

    engine: str
    precision: str
    stride: int
    how: str
    pool: str
    smooth: int
    probabilities: tuple[float, ...]
    quantiles: tuple[float, ...]
    frames: int
    cells: tuple[float, ...] | None = None
    events: EventCurve | None = None

    @classmethod
    def measure(
        cls,
        values: NDArray[np.floating[Any]],
        *,
        engine: str,
        precision: str,
        stride: int,
        how: str,
        pool: str,
        smooth: int,
        cells: tuple[float, ...] | None = None,
        lengths: Sequence[int] | None = None,
        fps: float | None = None,
    ) -> Self:
        """Measures the calibration of `values` [N]: smoothed raw scores of held-out normal frames.

        Args:
            values: of one piece of footage after the other.
            engine: as the attributes say, and so is what follows.
            precision: likewise.
            stride: likewise.
            how: likewise.
            pool: likewise.
            smooth: likewise.
            cells: likewise.
            lengths: frames of each piece; None where it is one.
            fps: frames a second of that footage; None where it is not known.

        Raises:
            ModelError: there are no values, or one is not finite.

        Examples:
            >>> use = dict(engine="ae.onnx", precision="fp32", stride=1, how="mean", pool="mean", smooth=3)
            >>> pixelfast.Calibration.measure(np.linspace(0, 1, 1001), **use).frames
            1001
        """
        if values.size == 0 or not np.isfinite(values).all():
            raise ModelError(f"{engine} cannot be calibrated: it needs finite scores of held-out frames")
        scores = values.astype(np.float64)
        rising = np.maximum.accumulate(np.quantile(scores, _PROBABILITIES))  # interpolation may fall by a last bit
        events = EventCurve.of(np.split(scores, np.cumsum(lengths or [len(scores)])[:-1]), fps)
        use = engine, precision, stride, how, pool, smooth
        return cls(*use, _PROBABILITIES, tuple(rising.tolist()), len(scores), cells, events)

    def with_more(self, values: NDArray[np.floating[Any]], lengths: Sequence[int]) -> "Calibration":
        """Returns what held-out frames and these together show: smoothed raw scores [N] of pieces so long.

        Examples:
            >>> calibration = pixelfast.Model.load("model").manifest.calibrations[0]
            >>> more = calibration.with_more(np.zeros(100), [60, 40])
            >>> more.frames - calibration.frames, bool(more.threshold <= calibration.threshold)
            (100, True)
        """
        fps = None if self.events is None else self.events.fps
        other = Calibration.measure(
            values, engine=self.engine, precision=self.precision, stride=self.stride, how=self.how, pool=self.pool,
            smooth=self.smooth, lengths=lengths, fps=fps,
        )  # fmt: skip
        at = np.unique([*self.quantiles, *other.quantiles])
        below = sum(np.interp(at, one.quantiles, one.probabilities) * one.frames for one in (self, other))
        frames = self.frames + other.frames
        together = np.maximum.accumulate(np.interp(_PROBABILITIES, below / frames, at))
        events = None if self.events is None or other.events is None else self.events.with_more(other.events)
        quantiles = tuple(together.tolist())
        return replace(self, probabilities=_PROBABILITIES, quantiles=quantiles, frames=frames, events=events)

    @property
    def use(self) -> tuple[str, int, str, str, int]:
        """Returns what it belongs to: engine, stride, how, pool and smooth.

        Examples:
            >>> pixelfast.Model.load("model").manifest.calibrations[0].use
            ('ae.onnx', 1, 'mean', 'mean', 3)
        """
        return self.engine, self.stride, self.how, self.pool, self.smooth

    @property
    def by_cell(self) -> NDArray[np.float64] | None:
        """Returns f64[cells, 9], the quantiles of each cell's error; None but for "rare".

        Examples:
            >>> model = pixelfast.Model.load("model")
            >>> model.calibration("ae.onnx", stride=1, how="mean", pool="rare", smooth=3).by_cell.shape
            (64, 9)
        """
        return None if self.cells is None else np.array(self.cells).reshape(-1, len(TAILS))

    @property
    def threshold(self) -> float:
        """Returns the smoothed raw score above which normal footage gives one event an hour, as `threshold_at` does.

        Examples:
            >>> pixelfast.Model.load("model").manifest.calibrations[0].threshold > 0
            True
        """
        return self.threshold_at(USUAL_RATE)

    def threshold_at(self, alarm_rate: str) -> float:
        """Returns the smoothed raw score above which normal footage gives events at a rate, as "3/day".

        Where a model of before events were counted holds none, it is the 0.999 quantile of held-out frames.

        Raises:
            ArgumentError: it is no rate.

        Examples:
            >>> calibration = pixelfast.Model.load("model").manifest.calibrations[0]
            >>> calibration.threshold_at("1/day") > calibration.threshold_at("1/hour")
            True
        """
        rate = EventRate.parse(alarm_rate)
        if self.events is None:
            return float(np.interp(THRESHOLD_PROBABILITY, self.probabilities, self.quantiles))
        return self.events.level(rate)

    def tail(self, values: NDArray[np.float64], threads: int | None = None) -> NDArray[np.float64]:
        """Returns the share [N] of held-out normal frames whose smoothed raw score is at or above each value.

        Exact at the measured frames' own scores as far as the quantiles are dense, interpolated between: 1 at the
        lowest and below, 1/frames at the highest, 0 above it. `threads` (None: one) share the values.

        Examples:
            >>> calibration = pixelfast.Model.load("model").manifest.calibrations[0]
            >>> calibration.tail(np.array([0.0, 1e9])).tolist()
            [1.0, 0.0]
        """
        scores = np.asarray(values, dtype=np.float64)
        share = np.empty_like(scores)

        def fill(start: int) -> None:
            share[start : start + _BLOCK] = self._shares(scores[start : start + _BLOCK])

        with ThreadPoolExecutor(threads or 1) as pool:
            list(pool.map(fill, range(0, len(scores), _BLOCK)))
        return share

    def _shares(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        quantiles, probabilities = np.array(self.quantiles), np.array(self.probabilities)
        after = np.searchsorted(quantiles, scores, side="left").clip(1, len(quantiles) - 1)
        low, high = quantiles[after - 1], quantiles[after]
        step = np.divide(scores - low, high - low, out=np.zeros_like(scores), where=high > low).clip(0, 1)
        below = probabilities[after - 1] + step * (probabilities[after] - probabilities[after - 1])
        share: NDArray[np.float64] = 1 - below * (self.frames - 1) / self.frames
        share[scores <= quantiles[0]] = 1
        share[scores > quantiles[-1]] = 0
        return share
