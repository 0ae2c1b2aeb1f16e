"""From the frames of a video to what the cells of its picture hold: how they move, and their edges (DENSITY)."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import EngineError
from pixelfast.flow.dis import LEAST_SIDE
from pixelfast.methods.density.over_time import over_time
from pixelfast.sources.video import FrameFormat

LONGER_SIDE: Final = 360
"""Pixels of the longer side of the working image, at most."""

BLOCKS: Final = 30
"""Blocks along the longer side of the picture; a cell is 2x2 of them, a step of one apart."""

DIRECTIONS: Final = 8
LOOK: Final = 32
SMOOTH: Final = 3.0
"""Frames of the Gaussian in time, one standard deviation."""


class Cells(NamedTuple):
    """What the cells of n frames hold.

    Attributes:
        toward: f32[n, h, w, 8], squared flow along each of 8 directions by its length: pixels a frame.
        speed: f32[n, h, w], the mean length of the flow, pixels of the working image a frame.
        moving: f32[n, h, w], the share of pixels that move.
        look: f32[n, h, w, 32], edges by orientation of the cell's four blocks.
    """

    toward: NDArray[np.float32]
    speed: NDArray[np.float32]
    moving: NDArray[np.float32]
    look: NDArray[np.float32]


def working_size(height: int, width: int) -> tuple[int, int]:
    """Returns height and width in pixels of the working image of frames of this size, which is never enlarged.

    Raises:
        EngineError: the frames are too small for optical flow.

    Examples:
        >>> from pixelfast.methods.density.cells import working_size
        >>> working_size(720, 1280)
        (202, 360)
    """
    scale = min(1.0, LONGER_SIDE / max(height, width))
    size = round(height * scale), round(width * scale)
    if min(size) < LEAST_SIDE:
        raise EngineError(f"frames of {width}x{height} pixels are too small for optical flow: take larger ones")
    return size


def block_grid(height: int, width: int) -> tuple[int, int]:
    """Returns rows and columns of blocks of a working image of this size.

    Examples:
        >>> from pixelfast.methods.density.cells import block_grid
        >>> block_grid(240, 360)
        (20, 30)
    """
    side = max(height, width) / BLOCKS
    return max(2, round(height / side)), max(2, round(width / side))


def cell_frames(height: int, width: int) -> FrameFormat:
    """How the frames of a video of this size are decoded."""
    return FrameFormat(*working_size(height, width), "grey", one_size=True)


def cells_of(frames: Iterable[NDArray[np.uint8]], threads: int) -> Iterator[Cells]:
    """Yields the cells of a video's frames u8[n, H, W], which come a few at a time; the flow's smoothed in time.

    The first frame moves as the second one does.
    """
    for piece in over_time(_raw_cells(frames, threads), (SMOOTH, SMOOTH, SMOOTH, 0)):
        yield Cells(*piece)


def _raw_cells(frames: Iterable[NDArray[np.uint8]], threads: int) -> Iterator[tuple[NDArray[Any], ...]]:
    flow, last, first = Flow(threads), None, True
    for some in frames:
        grid = block_grid(*some.shape[1:])
        joined = some if last is None else np.concatenate([last, some])
        last = some[-1:].copy()
        look = _over_cells(_core.look_blocks(some, *grid, threads))
        if len(joined) < 2:  # the first frame alone: it waits for the second
            early = look
            continue
        motion = _four(_core.motion_blocks(flow.of(joined), *grid, threads))
        if first:
            motion = np.concatenate([motion[:1], motion])
            look = look if len(look) == len(motion) else np.concatenate([early, look])
            first = False
        yield motion[..., :DIRECTIONS], motion[..., DIRECTIONS], motion[..., DIRECTIONS + 1], look
    if first and last is not None:
        still = np.zeros((1, *look.shape[1:3], DIRECTIONS + 2), np.float32)
        yield still[..., :DIRECTIONS], still[..., DIRECTIONS], still[..., DIRECTIONS + 1], early


def _corners(blocks: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    rows, columns = blocks.shape[1:3]
    return [blocks[:, down : rows - 1 + down, right : columns - 1 + right] for down in (0, 1) for right in (0, 1)]


def _four(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """The means of the four blocks of each cell."""
    one, two, three, four = _corners(blocks)
    return (one + two + three + four) * np.float32(0.25)


def _over_cells(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values of the four blocks of each cell, one after the other."""
    return np.concatenate(_corners(blocks), axis=-1)


class Flow:
    """OpenCV's DIS in the setting that the density method was found with, a pair of frames on each thread."""

    def __init__(self, threads: int) -> None:
        import cv2

        cv2.setNumThreads(1)  # pairs run side by side instead
        self._threads = threads

    def of(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the flows f32[n - 1, H, W, 2] between neighbouring frames u8[n, H, W], in pixels a frame."""
        import cv2

        flows = np.empty((len(frames) - 1, *frames.shape[1:], 2), np.float32)
        threads = min(self._threads, len(flows))

        def share(thread: int) -> None:
            instance: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
            instance.setFinestScale(1)
            instance.setGradientDescentIterations(8)
            instance.setVariationalRefinementIterations(2)
            for index in range(thread, len(flows), threads):
                flows[index] = instance.calc(frames[index], frames[index + 1], None)

        with ThreadPoolExecutor(threads, "pixelfast-flow") as pool:
            list(pool.map(share, range(threads)))
        return flows
