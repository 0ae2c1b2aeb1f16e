"""Autoencoders on trial: what their engines are tried on, and when one is right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.methods.reconstruction.engine import CuboidEngine, FrameEngine, WindowEngine, load_window_engine
from pixelfast.methods.reconstruction.facts import window_facts
from pixelfast.runtime.onnx import OnnxRunner
from pixelfast.runtime.trial import Agreement, EngineKind, Footage, Subject
from pixelfast.scores.agreement import agreement_in_order


def _reference(path: Path, threads: int) -> WindowEngine:
    runner = OnnxRunner(path, threads)
    facts = window_facts(runner)
    return CuboidEngine(runner, facts, threads) if facts.kind == "cuboids" else FrameEngine(runner, facts)


def _subject(footage: Footage, reference: WindowEngine, stride: int) -> Subject:
    """Neighbouring frames, compared by the errors of the frames of each window."""
    frames = footage.frames(max(AE.lengths), reference.facts.height, reference.facts.width, "grey")

    def agreement(found: NDArray[Any], expected: NDArray[Any]) -> Agreement:
        return agreement_in_order(found.mean(axis=(2, 3)), expected.mean(axis=(2, 3)))

    return Subject(frames, lambda engine, some: engine.errors(some, stride), agreement, stride)


def _plain_loop(
    weights: Path, device: str, frames: NDArray[np.uint8], files: Sequence[Path], seconds: float
) -> tuple[float, float]:
    from pixelfast.methods.reconstruction.plain_loop import measure_plain_loop

    return measure_plain_loop(weights, device, frames, files, seconds)


AE: Final = EngineKind(
    "ae", load_window_engine, _reference, _subject, best=lambda engine: engine.facts.best, plain_loop=_plain_loop
)
