"""Optical flow by OpenCV's DIS."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError
from pixelfast.geometry import FLOW_SIZE
from pixelfast.runtime.runner import Loaded

PRESETS: Final = ("ultrafast", "fast", "medium")

SHORTER_SIDE: Final = 240
"""DIS gets frames whose shorter side is at most this many pixels."""

LEAST_SIDE: Final = 32
"""Frames with a shorter side hold little motion that DIS could find; low and wide ones end OpenCV's process."""


class DisFlow(Loaded):
    """OpenCV's DIS (Kroeger et al. 2016) on grey frames, a pair on each thread.

    Frames are reduced to a shorter side of so many pixels.

    Raises:
        EngineError: there is no such preset.
    """

    color: Final = "grey"

    def __init__(self, preset: str, threads: int, shorter_side: int = SHORTER_SIDE) -> None:
        import cv2

        if preset not in PRESETS:
            raise EngineError(f"DIS has the presets {', '.join(PRESETS)}, not {preset!r}")
        cv2.setNumThreads(1)  # pairs run side by side instead
        self._preset: int = getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{preset.upper()}")
        self._threads = threads
        self._shorter_side = shorter_side

    @property
    def frame_bytes(self) -> int:
        """See `FlowEngine.frame_bytes`; that of a frame twice as wide as high."""
        return 2 * self._shorter_side**2

    def size(self, height: int, width: int) -> tuple[int, int]:
        """See `FlowEngine.size`; smaller frames keep their size.

        Raises:
            EngineError: the frames are too small.
        """
        shorter = min(height, width)
        if shorter < LEAST_SIDE:
            raise EngineError(f"frames of {width}x{height} pixels are too small for optical flow: take larger ones")
        scale = min(1.0, self._shorter_side / shorter)
        return round(height * scale), round(width * scale)

    def close(self) -> None:
        """See `Loaded.close`: it holds nothing."""

    def flow(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `FlowEngine.flow`."""
        import cv2

        frames = np.ascontiguousarray(frames)
        grid = np.empty((len(frames) - 1, 2, FLOW_SIZE, FLOW_SIZE), np.float32)
        threads = min(self._threads, len(grid))

        def share(thread: int) -> None:
            # An instance serves one thread at a time, and after small frames it is no longer what its preset says.
            instance: Any = cv2.DISOpticalFlow.create(self._preset)
            for index in range(thread, len(grid), threads):
                flow = instance.calc(frames[index], frames[index + 1], None)
                grid[index] = to_grid(np.asarray(flow, np.float32))

        with ThreadPoolExecutor(threads, "pixelfast-flow") as pool:
            list(pool.map(share, range(threads)))
        return grid


def to_grid(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """f32[2, 64, 64]: a flow f32[H, W, 2] in pixels, averaged over the cells of the grid and in its pixels."""
    import cv2

    height, width = flow.shape[:2]
    grid = cv2.resize(flow, (FLOW_SIZE, FLOW_SIZE), interpolation=cv2.INTER_AREA)
    grid = grid * np.array([FLOW_SIZE / width, FLOW_SIZE / height], np.float32)
    return np.ascontiguousarray(grid.transpose(2, 0, 1))
