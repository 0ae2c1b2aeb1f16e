"""Engines of optical flow: neighbouring frames in, their flow on a grid of 64x64 out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError
from pixelfast.flow.engine import FlowEngine
from pixelfast.flow.raft_memory import MEMORY_BYTES, pairs_within
from pixelfast.geometry import FLOW_SIZE
from pixelfast.runtime.metadata import metadata_integer
from pixelfast.runtime.opening import open_runner
from pixelfast.runtime.runner import Runner
from pixelfast.runtime.tensorrt.check import PlanOrigin


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
        from pixelfast.flow.raft_torch import TorchFlow

        return TorchFlow(path, threads)
    return RaftFlow(path, threads, origin=origin)


def _raft_size(runner: Runner) -> tuple[int, int]:
    sizes: Sequence[Any] = runner.inputs[0].shape[1:]
    fits = runner.inputs[0].dtype == "uint8" and len(sizes) == 3 and None not in sizes and sizes[2] == 3
    if not fits or runner.metadata.get("pixelfast.kind") != "flow" or metadata_integer(runner, "format") is None:
        raise EngineError(
            f"{runner.path} is no flow engine: it has {runner.describe()}; expected frames uint8 [N, H, W, 3] of one "
            "size, as `python cuda_export/export_raft.py` writes it"
        )
    return int(sizes[0]), int(sizes[1])
