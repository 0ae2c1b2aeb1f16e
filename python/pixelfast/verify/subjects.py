"""What each kind of engine is tried on, and how near its results must be to the reference's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pixelfast.geometry import FLOW_SIZE
from pixelfast.scores.agreement import rank_correlation

LEAST_AGREEMENT: Final = 0.999
"""Spearman correlation of the frames' errors, below which an engine puts frames into another order."""

MOST_PIXELS: Final = 0.05
"""Mean end-point error of RAFT's flow, in pixels of the frames."""

_MANY: Final = (32, 64, 128, 256, 512)
_FEW: Final = (2, 5, 9, 17)

Array = NDArray[Any]


class Agreement(NamedTuple):
    """How near two results are: in words, and whether that is near enough."""

    words: str
    enough: bool


class Subject(Protocol):
    """Inputs for one kind of engine."""

    @property
    def lengths(self) -> tuple[int, ...]:
        """Inputs a call that its speed is measured with."""

    def inputs(self, count: int) -> Array:
        """So many of them, over and over where there are fewer."""

    def call(self, engine: Any, count: int) -> Array:
        """The engine's results for `count` inputs."""

    def frames(self, results: Array) -> int:
        """The frames of a video that so many results stand for."""

    def agreement(self, found: Array, expected: Array) -> Agreement:
        """Of the results of two engines."""


@dataclass(frozen=True)
class Windows:
    """For autoencoders: neighbouring frames u8[N, H, W] and the window stride."""

    some: NDArray[np.uint8]
    stride: int
    lengths = _MANY

    def inputs(self, count: int) -> Array:
        """See `Subject.inputs`."""
        return _cycled(self.some, count)

    def call(self, engine: Any, count: int) -> Array:
        """See `Subject.call`."""
        errors: Array = engine.errors(self.inputs(count), self.stride)
        return errors

    def frames(self, results: Array) -> int:
        """See `Subject.frames`."""
        return len(results) * self.stride

    def agreement(self, found: Array, expected: Array) -> Agreement:
        """Of the errors of the frames of each window."""
        return _same_order(found, expected, lambda maps: maps.mean(axis=(2, 3)))


@dataclass(frozen=True)
class Flows:
    """For predictors of motion: flows f32[N, 2, 64, 64]."""

    some: NDArray[np.float32]
    lengths = _MANY

    def inputs(self, count: int) -> Array:
        """See `Subject.inputs`."""
        return _cycled(self.some, count)

    def call(self, engine: Any, count: int) -> Array:
        """See `Subject.call`."""
        errors: Array = engine.errors(self.inputs(count))
        return errors

    def frames(self, results: Array) -> int:
        """See `Subject.frames`."""
        return len(results)

    def agreement(self, found: Array, expected: Array) -> Agreement:
        """Of the frames' raw scores."""
        return _same_order(found, expected, lambda maps: np.sqrt(maps.sum(axis=(1, 2))))


@dataclass(frozen=True)
class Pairs:
    """For RAFT: neighbouring frames u8[N, H, W, 3]."""

    some: NDArray[np.uint8]
    lengths = _FEW

    def inputs(self, count: int) -> Array:
        """See `Subject.inputs`."""
        return _cycled(self.some, count)

    def call(self, engine: Any, count: int) -> Array:
        """See `Subject.call`."""
        flow: Array = engine.flow(self.inputs(count))
        return flow

    def frames(self, results: Array) -> int:
        """See `Subject.frames`."""
        return len(results)

    def agreement(self, found: Array, expected: Array) -> Agreement:
        """End-point error in pixels of the frames, of the flow on the grid."""
        height, width = self.some.shape[1:3]
        pixels = np.array([width / FLOW_SIZE, height / FLOW_SIZE]).reshape(1, 2, 1, 1)
        distance = np.sqrt((((found - expected) * pixels) ** 2).sum(axis=1))
        mean = float(distance.mean())
        return Agreement(f"{mean:.1g} px off (most {distance.max():.1g})", mean < MOST_PIXELS)


def _cycled(some: Array, count: int) -> Array:
    """The first `count` inputs, forth and back where there are fewer."""
    there_and_back = np.concatenate([some, some[-2:0:-1]]) if count > len(some) else some
    return np.ascontiguousarray(np.resize(there_and_back, (count, *some.shape[1:])))


def _same_order(found: Array, expected: Array, errors: Callable[[Array], Array]) -> Agreement:
    if found.shape != expected.shape or not np.isfinite(found).all():
        return Agreement("other shapes, or not finite", enough=False)
    ours, theirs = (errors(maps).astype(np.float64) for maps in (found, expected))
    agreement = rank_correlation(ours, theirs)
    furthest = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    return Agreement(f"{agreement:.6f}, {furthest:.0e} off", agreement >= LEAST_AGREEMENT)
