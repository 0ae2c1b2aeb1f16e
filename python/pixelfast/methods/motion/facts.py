"""What the motion method knows about its engines."""

from dataclasses import dataclass

from pixelfast.flow.facts import FlowFacts


@dataclass(frozen=True)
class MotionFacts:
    """What a motion model needs beside its engine.

    Attributes:
        flow: where its flow comes from.
        past: flows that the next one is predicted from.
        scale: the deviation of the training flows, in pixels of the 64x64 grid: what predictions are measured in.
        bridge_noisy: whether flow leaps over noisy and damaged frames; the source's own recipe has no repair.
    """

    flow: FlowFacts
    past: int
    scale: float
    bridge_noisy: bool


@dataclass(frozen=True)
class MotionEngineFacts:
    """Facts of a motion engine.

    Attributes:
        past: K, flows that a prediction is made from.
        grid: G, cells a side of the error map.
        precision: "fp32", or what else the same file is computed in on this machine.
    """

    past: int
    grid: int
    precision: str = "fp32"
