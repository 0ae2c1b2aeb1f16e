"""Engines of optical flow: neighbouring frames in, their flow on a grid of 64x64 out."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from pixelfast.cores import Cores
from pixelfast.engines.facts import metadata_integer
from pixelfast.engines.opening import open_runner
from pixelfast.engines.plan_check import PlanOrigin
from pixelfast.engines.runner import Runner
from pixelfast.errors import EngineError
from pixelfast.networks.geometry import FLOW_SIZE
from pixelfast.networks.raft_memory import MEMORY_BYTES, pairs_within

DisPreset = Literal["ultrafast", "fast", "medium"]
PRESETS: Final[tuple[str, ...]] = get_args(DisPreset)

SHORTER_SIDE: Final = 240
"""DIS gets frames whose shorter side is at most this many pixels."""

LEAST_SIDE: Final = 32
"""Frames with a shorter side hold little motion that DIS could find; low and wide ones end OpenCV's process."""


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


class DisFlow:
    """OpenCV's DIS (Kroeger et al. 2016) on grey frames, several pairs at once.

    Args:
        preset: "ultrafast", "fast" or "medium".
        cores: for pairs side by side.
        shorter_side: frames are reduced to this, pixels.

    Raises:
        EngineError: there is no such preset.
    """

    color: Final = "grey"

    def __init__(self, preset: str, cores: Cores, shorter_side: int = SHORTER_SIDE) -> None:
        import cv2

        if preset not in PRESETS:
            raise EngineError(f"DIS has the presets {', '.join(PRESETS)}, not {preset!r}")
        cv2.setNumThreads(1)  # pairs run side by side instead
        number = {
            "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
            "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
            "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
        }[preset]
        self._new_instance: Callable[[], Any] = lambda: cv2.DISOpticalFlow.create(number)
        self._cores = cores
        self._shorter_side = shorter_side

    @property
    def frame_bytes(self) -> int:
        """Of a frame twice as wide as high."""
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

    def flow(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `FlowEngine.flow`."""
        frames = np.ascontiguousarray(frames)
        grid = np.empty((len(frames) - 1, 2, FLOW_SIZE, FLOW_SIZE), np.float32)

        def share(thread: int, threads: int) -> None:
            # An instance serves one thread at a time, and after small frames it is no longer what its preset says.
            instance = self._new_instance()
            for index in range(thread, len(grid), threads):
                flow = instance.calc(frames[index], frames[index + 1], None)
                grid[index] = to_grid(np.asarray(flow, np.float32))

        with self._cores.taken(most=self._cores.count) as count, ThreadPoolExecutor(count, "pixelfast-flow") as pool:
            list(pool.map(share, range(count), [count] * count))
        return grid


class RaftFlow:
    """RAFT-Large as one graph (`networks.raft`): colour frames of one size in, the flow on the grid out.

    It runs in ONNX Runtime or TensorRT.

    Args:
        path: the `.onnx` or `.plan` file.
        threads: threads for one call on a CPU.
        memory_bytes: about how much memory a call of an `.onnx` file may take; a plan has its profile.
        origin: of a plan, what its model knows about it.

    Raises:
        EngineError: the file is missing, damaged, or no such graph.
    """

    color: Final = "rgb"

    def __init__(
        self, path: Path, threads: int, memory_bytes: int = MEMORY_BYTES, origin: PlanOrigin | None = None
    ) -> None:
        self.path = path
        self._run = open_runner(path, threads, origin)
        self._size = _raft_size(self._run)
        self._pairs = None if path.suffix.lower() == ".plan" else pairs_within(memory_bytes, *self._size)

    @property
    def frame_bytes(self) -> int:
        """Of a frame."""
        return 3 * self._size[0] * self._size[1]

    def size(self, height: int, width: int) -> tuple[int, int]:
        """See `FlowEngine.size`: the size that the graph was exported for, whatever the footage has."""
        del height, width
        return self._size

    def flow(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `FlowEngine.flow`; as many pairs at once as the memory allows."""
        pairs = self._pairs or len(frames) - 1
        starts = range(0, len(frames) - 1, pairs)
        return np.concatenate([self._checked(frames[start : start + pairs + 1]) for start in starts])

    def _checked(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        flow = self._run(np.ascontiguousarray(frames))
        shape = (len(frames) - 1, 2, FLOW_SIZE, FLOW_SIZE)
        if flow.shape != shape:
            raise EngineError(f"{self.path}: {len(frames)} frames give {list(flow.shape)}, not a flow {list(shape)}")
        return flow


def load_raft(path: Path, threads: int, origin: PlanOrigin | None = None) -> FlowEngine:
    """RAFT-Large by what runs its file.

    Args:
        path: the `.onnx`, `.plan` or `.safetensors` file.
        threads: threads for one call on a CPU.
        origin: of a plan, what its model knows about it.

    Raises:
        EngineError: the file is missing, damaged, no flow engine, or cannot be run on this machine.
    """
    if path.suffix.lower() == ".safetensors":
        from pixelfast.engines.torch_flow import TorchFlow

        return TorchFlow(path, threads)
    return RaftFlow(path, threads, origin=origin)


def to_grid(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """f32[2, 64, 64]: a flow f32[H, W, 2] in pixels, averaged over the cells of the grid and in its pixels."""
    import cv2

    height, width = flow.shape[:2]
    grid = cv2.resize(flow, (FLOW_SIZE, FLOW_SIZE), interpolation=cv2.INTER_AREA)
    grid = grid * np.array([FLOW_SIZE / width, FLOW_SIZE / height], np.float32)
    return np.ascontiguousarray(grid.transpose(2, 0, 1))


def _raft_size(runner: Runner) -> tuple[int, int]:
    sizes: Sequence[Any] = runner.inputs[0].shape[1:]
    fits = runner.inputs[0].dtype == "uint8" and len(sizes) == 3 and None not in sizes and sizes[2] == 3
    if not fits or runner.metadata.get("pixelfast.kind") != "flow" or metadata_integer(runner, "format") is None:
        raise EngineError(
            f"{runner.path} is no flow engine: it has {runner.describe()}; expected frames uint8 [N, H, W, 3] of one "
            "size, as `python cuda_export/export_raft.py` writes it"
        )
    return int(sizes[0]), int(sizes[1])
