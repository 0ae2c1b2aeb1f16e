"""What the clean stage gives on: frames that are readable and upright."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


class Cleaned(NamedTuple):
    """Neighbouring frames u8[n, H, W] (or u8[n, H, W, 3]), readable and upright; bool[n]: whether flow may use them."""

    frames: Frames
    usable: NDArray[np.bool_]

    def cut(self, start: int, stop: int) -> "Cleaned":
        """Returns frames `start` to `stop`, which share their memory."""
        return Cleaned(self.frames[start:stop], self.usable[start:stop])
