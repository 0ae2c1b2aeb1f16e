"""RAFT on trial: what its engines are tried on, and when one is right."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.flow.raft import RaftFlow
from pixelfast.geometry import FLOW_SIZE
from pixelfast.runtime.trial import Agreement, EngineKind, Footage, Subject

MOST_ERROR_PIXELS: Final = 0.05
"""Pixels of a frame that an engine may move the flow by, on average: far below RAFT's own error on scenes that it has
not seen, 1.4 pixels on Sintel's clean pass (Teed and Deng 2020, table 1)."""


def _subject(footage: Footage, reference: RaftFlow, stride: int) -> Subject:
    """Neighbouring frames, compared by how far the ends of the flow's arrows lie from where they should."""
    height, width = reference.size(*footage.size)
    pixels = np.array([width / FLOW_SIZE, height / FLOW_SIZE]).reshape(1, 2, 1, 1)

    def agreement(found: NDArray[Any], expected: NDArray[Any]) -> Agreement:
        distance = np.sqrt((((found - expected) * pixels) ** 2).sum(axis=1))
        mean = float(distance.mean())
        near = mean < MOST_ERROR_PIXELS
        return Agreement(f"{mean:.1g} px off (most {distance.max():.1g})", near, near)

    frames = footage.frames(max(RAFT.lengths), height, width, "rgb")
    return Subject(frames, lambda engine, some: engine.flow(some), agreement, stride)


RAFT: Final = EngineKind("raft", RaftFlow, RaftFlow, _subject, "end point", compared=3, lengths=(2, 5, 9, 17))
