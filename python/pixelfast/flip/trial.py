"""Flip classifiers on trial: what their engines are tried on, and when one is right."""

from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.flip.engine import CLASSIFIER, ONLY_WAY, FlipEngine, load_flip_engine
from pixelfast.flip.judge import THRESHOLD, UNSURE
from pixelfast.runtime.tensorrt.check import PlanOrigin
from pixelfast.runtime.torch.choice import TorchWish
from pixelfast.runtime.trial import Agreement, EngineKind, Footage, Subject

MOST_DIFFERENCE: Final = 0.01
"""Of the probabilities of two engines, on average: a tenth of what lies between sure and unsure."""

_LENGTHS: Final = (32, 64, 128, 256, 512)


def flip_kind(height: int, width: int) -> EngineKind:
    """Returns the kind of the flip classifiers of a model whose frames have so many pixels."""

    def load(path: Path, threads: int, origin: PlanOrigin | None = None, wish: TorchWish | None = None) -> FlipEngine:
        return load_flip_engine(path, height, width, threads, origin, wish=wish)

    return EngineKind(
        "flip", load, load, partial(_subject, height, width), "decisions", lengths=_LENGTHS, weights=CLASSIFIER,
        only_way=ONLY_WAY,
    )  # fmt: skip


def _subject(height: int, width: int, footage: Footage, _: FlipEngine, stride: int) -> Subject:
    """Neighbouring frames, every second one upside down."""
    frames = footage.frames(max(_LENGTHS), height, width, "grey").copy()
    frames[1::2] = frames[1::2, ::-1]
    return Subject(frames, lambda engine, some: engine.probabilities(some), agreement_in_decisions, stride)


def agreement_in_decisions(found: NDArray[Any], expected: NDArray[Any]) -> Agreement:
    """Compares two classifiers by what they decide of the same frames, from their probabilities f32[N].

    What the reference itself is unsure of may be decided otherwise: pixels settle that.
    """
    if found.shape != expected.shape or not np.isfinite(found).all():
        return Agreement("other shapes, or not finite", enough=False)
    alike = (found > THRESHOLD) == (expected > THRESHOLD)
    sure = (expected <= UNSURE[0]) | (expected >= UNSURE[1])
    off = np.abs(found.astype(np.float64) - expected)
    enough = bool(alike[sure].all() and off.mean() <= MOST_DIFFERENCE)
    return Agreement(f"{alike.sum()} of {len(alike)} alike, {off.max():.0e} off", enough, enough)
