"""What every engine of optical flow looks like."""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

DisPreset = Literal["ultrafast", "fast", "medium"]


class FlowEngine(Protocol):
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
