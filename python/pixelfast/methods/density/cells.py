"""From the frames of a video to what the cells of its picture hold: how they move, and their edges (DENSITY)."""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.cleaning.cleaned import Cleaned, Frames
from pixelfast.cleaning.frozen import FROZEN_FRAMES
from pixelfast.errors import EngineError
from pixelfast.flow.dis import LEAST_SIDE
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.density import block_side
from pixelfast.methods.density.carrying import carry
from pixelfast.methods.density.over_time import Values, joined, over_time
from pixelfast.methods.density.recipe import Times

LONGER_SIDE: Final = 360
"""Pixels of the longer side of the working image, at most."""

DIRECTIONS: Final = 8
LOOK: Final = 32
_AT_ONCE: Final = 256
"""Frames that are repeated at once: a camera may be frozen for hours."""

_ANGLES: Final = np.arange(DIRECTIONS) * (np.pi / 4)
_AXES: Final = (np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], -1) / 1.698).astype(np.float32)
"""Turns what moves along each direction into a vector; the sum is 1.698 times as long as a flow, whichever its way."""

_LEAST_MOVING: Final = 0.05  # share of a cell's pixels


class Cells(NamedTuple):
    """What the cells of n frames hold.

    Attributes:
        toward: f32[n, h, w, 8], squared flow along each of 8 directions by its length: pixels a frame.
        speed: f32[n, h, w], the mean length of the flow, pixels of the working image a frame.
        moving: f32[n, h, w], the share of pixels that move.
        look: f32[n, h, w, 32], edges by orientation of the cell's four blocks.
        flow: f32[n, h, w, 2], right and down, of what moves: cells a frame.
    """

    toward: Values
    speed: Values
    moving: Values
    look: Values
    flow: Values

    def smoothed(self, times: Times) -> "Cells":
        """The same with the motion of a whole video smoothed in time."""
        return Cells(*joined(smooth_cells([self], times)))


def smooth_cells(cells: Iterable[Cells], times: Times) -> Iterator[Cells]:
    """Yields the cells of a video with their motion smoothed in time, before any maximum; edges and flow are not."""
    if times.carried:
        pieces = carry(cells, Cells._fields.index("flow"), (0, 1, 2), times.motion, live=times.live)
    else:
        pieces = over_time(cells, (*[times.motion] * 3, 0, 0), live=times.live)
    for piece in pieces:
        yield Cells(*piece)


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
    """Returns rows and columns of blocks of a working image of this size; cells are one fewer each way.

    Examples:
        >>> from pixelfast.methods.density.cells import block_grid
        >>> block_grid(240, 360)
        (20, 30)
    """
    side = block_side(height, width)
    return max(2, round(height / side)), max(2, round(width / side))


class CellStream:
    """From the cleaned frames of one video to their cells, streaming.

    Frames that are not usable are leapt over: they hold what the next usable one does, and the flow between the usable
    frames around them is spread evenly. The first frame moves as the second one does; across a stretch that is too long
    to be bridged things move as before it.
    """

    def __init__(self, threads: int, stopwatch: Stopwatch) -> None:
        self._threads, self._watch = threads, stopwatch
        self._flow = Flow(threads)
        self._anchor: Frames | None = None  # the last usable frame, u8[1, H, W]
        self._waiting: tuple[int, Values] | None = None  # the first usable frame, until it is known how it moves
        self._last: tuple[Values, Values] | None = None  # how the last one moves, and its edges: blocks of one frame
        self._passed = 0  # frames since the last usable one, or before any
        self._side = 1.0  # of a block, in pixels
        self._first: Frames | None = None  # the first frame of all, which stands in where none is usable

    def run(self, cleaned: Iterable[Cleaned]) -> Generator[Cells, None, None]:
        """Yields the cells of all frames, in order, their motion as it is: not smoothed."""
        for some in cleaned:
            index = np.flatnonzero(some.usable)
            if self._first is None:
                self._first, self._side = some.frames[:1].copy(), block_side(*some.frames.shape[1:])
            if not len(index):
                self._passed += len(some.frames)
                continue
            steps = np.diff(index, prepend=-1)
            steps[0] += self._passed
            self._passed = len(some.frames) - 1 - int(index[-1])
            yield from self._usable(some.frames[index] if len(index) < len(some.frames) else some.frames, steps)
        yield from self._rest()

    def _usable(self, frames: Frames, steps: NDArray[np.int64]) -> Iterator[Cells]:
        """The cells up to the last of these usable frames, which lie so many frames after the one before each."""
        frames, grid = np.ascontiguousarray(frames), block_grid(*frames.shape[1:])
        with self._watch.phase("cells", frames.nbytes):
            look = _core.look_blocks(frames, *grid, self._threads)
        if self._anchor is None:
            self._waiting, own, steps, look = (int(steps[0]), look[:1]), frames, steps[1:], look[1:]
        else:
            own = np.concatenate([self._anchor, frames])
        self._anchor = frames[-1:].copy()
        if not len(steps):
            return
        with self._watch.phase("dis", own.nbytes):
            flow = self._flow.of(own)
        with self._watch.phase("cells", flow.nbytes):
            if steps.max() > 1:
                flow /= steps.reshape(-1, 1, 1, 1).astype(np.float32)
            motion = _core.motion_blocks(flow, *grid, self._threads)
        yield from self._moved(motion, look, steps)

    def _moved(self, motion: Values, look: Values, steps: NDArray[np.int64]) -> Iterator[Cells]:
        for index in np.flatnonzero(steps > FROZEN_FRAMES).tolist():
            if index or self._last is not None:
                motion[index] = motion[index - 1] if index else self._last[0][0]  # type: ignore[index]
        self._last = motion[-1:].copy(), look[-1:].copy()
        if self._waiting is not None:
            lead, early = self._waiting
            self._waiting = None
            motion, look = np.concatenate([motion[:1], motion]), np.concatenate([early, look])
            steps = np.concatenate([[lead], steps])
        yield from _repeated(motion, look, steps, self._side)

    def _rest(self) -> Iterator[Cells]:
        """The cells of the frames after the last usable one; of all, where there are not two of these."""
        if self._anchor is None and self._first is not None:
            self._waiting = 0, _core.look_blocks(self._first, *block_grid(*self._first.shape[1:]), self._threads)
        if self._waiting is not None:
            lead, look = self._waiting
            still = np.zeros((*look.shape[:3], DIRECTIONS + 2), np.float32)
            yield from _repeated(still, look, np.array([lead + self._passed]), self._side)
        elif self._last is not None:
            yield from _repeated(*self._last, np.array([self._passed]), self._side)


def _repeated(motion: Values, look: Values, times: NDArray[np.int64], side: float) -> Iterator[Cells]:
    """The cells of blocks of so many pixels, each frame's so many times, a bounded number at once."""
    for index in [slice(0, len(times))] if times.sum() <= _AT_ONCE else [slice(i, i + 1) for i in range(len(times))]:
        count = int(times[index].sum())
        for done in range(0, count, _AT_ONCE):
            many = times[index] if count <= _AT_ONCE else np.array([min(_AT_ONCE, count - done)])
            own, edges = _four(motion[index]), np.concatenate(_corners(look[index]), axis=-1)
            if many.max() != 1 or many.min() != 1:
                own, edges = np.repeat(own, many, axis=0), np.repeat(edges, many, axis=0)
            toward, speed, moving = own[..., :DIRECTIONS], own[..., DIRECTIONS], own[..., DIRECTIONS + 1]
            pixels = np.maximum(moving, _LEAST_MOVING) * np.float32(side)
            flow: Values = toward @ _AXES / pixels[..., None]
            yield Cells(toward, speed, moving, edges, flow)


def _corners(blocks: Values) -> list[Values]:
    rows, columns = blocks.shape[1:3]
    return [blocks[:, down : rows - 1 + down, right : columns - 1 + right] for down in (0, 1) for right in (0, 1)]


def _four(blocks: Values) -> Values:
    """The means of the four blocks of each cell."""
    one, two, three, four = _corners(blocks)
    return (one + two + three + four) * np.float32(0.25)


class Flow:
    """OpenCV's DIS in the setting that the density method was found with, a pair of frames on each thread."""

    def __init__(self, threads: int) -> None:
        import cv2

        cv2.setNumThreads(1)  # pairs run side by side instead
        self._threads = threads

    def of(self, frames: Frames) -> Values:
        """Returns the flows f32[n - 1, H, W, 2] between neighbouring frames u8[n, H, W], in pixels a frame."""
        import cv2

        flows = np.empty((len(frames) - 1, *frames.shape[1:], 2), np.float32)
        threads = min(self._threads, len(flows))

        def share(thread: int) -> None:
            # After small frames an instance is no longer what its preset says: each run makes its own.
            instance: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
            instance.setFinestScale(1)
            instance.setGradientDescentIterations(8)
            instance.setVariationalRefinementIterations(2)
            for index in range(thread, len(flows), threads):
                flows[index] = instance.calc(frames[index], frames[index + 1], None)

        with ThreadPoolExecutor(threads, "pixelfast-flow") as pool:
            list(pool.map(share, range(threads)))
        return flows
