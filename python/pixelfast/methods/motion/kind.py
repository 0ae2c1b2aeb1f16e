"""Predictors of motion on trial: what their engines are tried on, and when one is right."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.flow.dis import DisFlow
from pixelfast.machine.threads import usable_cores
from pixelfast.methods.motion.engine import MotionEngine, load_motion_engine
from pixelfast.runtime.trial import Agreement, EngineKind, Footage, Subject
from pixelfast.scores.agreement import agreement_in_order


def _subject(footage: Footage, _: MotionEngine, stride: int) -> Subject:
    """Flows of neighbouring frames, compared by the frames' raw scores."""
    flow = DisFlow("fast", usable_cores())
    frames = footage.frames(max(MOTION.lengths), *flow.size(*footage.size), "grey")

    def agreement(found: NDArray[Any], expected: NDArray[Any]) -> Agreement:
        return agreement_in_order(np.sqrt(found.sum(axis=(1, 2))), np.sqrt(expected.sum(axis=(1, 2))))

    return Subject(flow.flow(frames), lambda engine, some: engine.errors(some), agreement, stride)


MOTION: Final = EngineKind("motion", load_motion_engine, load_motion_engine, _subject)
