"""The optical flow that a model was trained on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FlowFacts:
    """The optical flow that a motion model was trained on, and that it is scored with.

    Attributes:
        kind: "dis" or "raft".
        preset: of DIS: "ultrafast", "fast" or "medium".
        shorter_side: of DIS: frames are reduced to this, pixels.
    """

    kind: str
    preset: str | None = None
    shorter_side: int | None = None
