"""Engines of optical flow: what each looks like, which one a model was trained with, and opening it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pixelfast.flow.dis import DisFlow
from pixelfast.flow.raft import RaftFlow
from pixelfast.model.fields import Fields
from pixelfast.runtime.runner import Loaded
from pixelfast.runtime.tensorrt.check import PlanOrigin

RAFT_FILE: Final = "raft.onnx"


class FlowEngine(Loaded, Protocol):
    """Turns neighbouring frames into the flow between them."""

    @property
    def color(self) -> Literal["grey", "rgb"]:
        """What frames it takes."""

    @property
    def frame_bytes(self) -> int:
        """The size of a frame in memory, about."""

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that frames of footage with this height and width must be resized to."""

    def flow(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """f32[n-1, 2, 64, 64]: the flow from each frame of u8[n, H, W] or u8[n, H, W, 3] to the next, n at least 2.

        Right and down, in pixels of the 64x64 grid a frame.

        Raises:
            EngineError: the engine fails on these frames.
        """


@dataclass(frozen=True)
class FlowFacts:
    """The optical flow that a model was trained on, and that it is scored with.

    Attributes:
        kind: "dis" or "raft".
        preset: of DIS: "ultrafast", "fast" or "medium".
        shorter_side: of DIS: frames are reduced to this, pixels.
    """

    kind: str
    preset: str | None = None
    shorter_side: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Reads them from a model's manifest.

        Raises:
            ModelError: a field is missing or means nothing.
        """
        kind = fields.read("kind", str)
        if kind not in ("dis", "raft"):
            raise fields.damaged("kind", "dis or raft")
        return cls(kind) if kind == "raft" else cls(kind, fields.read("preset", str), fields.read("shorter_side", int))


def open_flow(
    flow: FlowFacts, folder: Path, threads: int, raft: str = RAFT_FILE, origin: PlanOrigin | None = None
) -> FlowEngine:
    """The flow engine that a model was trained with, which makes its calls with so many threads on a CPU.

    RAFT is the file `raft` in `folder`; where that is a plan, `origin` is what the model knows about it.

    Raises:
        EngineError: it cannot be loaded.
    """
    if flow.kind == "raft":
        return RaftFlow(folder / raft, threads, origin)
    return DisFlow(flow.preset or "", threads, flow.shorter_side or 0)
