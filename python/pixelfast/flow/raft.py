"""RAFT as an engine: neighbouring frames in, their flow on a grid of 64x64 out; and when such an engine is right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError
from pixelfast.flow.raft_memory import MEMORY_BYTES, MOST_PAIRS, pairs_within
from pixelfast.geometry import FLOW_SIZE
from pixelfast.runtime.onnx import OnnxRunner
from pixelfast.runtime.opening import open_runner
from pixelfast.runtime.pieces import Ports, Span, buckets
from pixelfast.runtime.runner import Runner, RunnerEngine, Tensor, metadata_integer
from pixelfast.runtime.tensorrt.check import PlanOrigin
from pixelfast.runtime.torch.choice import TorchWish
from pixelfast.runtime.torch.runner import LoadedWeights, Weights
from pixelfast.runtime.trial import Agreement, EngineKind, Footage, Subject

MOST_ERROR_PIXELS: Final = 0.05
"""Pixels of a frame that an engine may move the flow by, on average: far below RAFT's own error on scenes that it has
not seen, 1.4 pixels on Sintel's clean pass (Teed and Deng 2020, table 1)."""

SHARE_OF_FREE: Final = 0.25
"""What RAFT may take of a GPU's free memory: graphs keep theirs, the other engines want some, and so may others."""


class RaftFlow(RunnerEngine[Runner]):
    """RAFT-Large as one graph: colour frames of one size in, the flow on the grid out.

    Args:
        path: the `.onnx`, `.plan` or `.safetensors` file.
        threads: threads for one call on a CPU.
        origin: of a plan, what its model knows about it.
        wish: of weights, where and how PyTorch shall compute.
        memory_bytes: about how much memory a call may take; None is 1 GiB on a CPU, and a quarter of what a GPU has
            free for PyTorch. A plan has the sizes of call that it was built for.

    Raises:
        EngineError: the file is missing, damaged, no such graph, or cannot be run on this machine.
    """

    color: Final = "rgb"

    def __init__(
        self,
        path: Path,
        threads: int,
        origin: PlanOrigin | None = None,
        wish: TorchWish | None = None,
        *,
        memory_bytes: int | None = None,
    ) -> None:
        super().__init__(path, open_runner(path, threads, raft_weights(memory_bytes), origin, wish))
        self._size = _raft_size(self._run)
        own = isinstance(self._run, OnnxRunner)  # the other runners cut a call themselves
        self._pairs = pairs_within(memory_bytes or MEMORY_BYTES, *self._size) if own else None

    @property
    def frame_bytes(self) -> int:
        """See `FlowEngine.frame_bytes`."""
        return 3 * self._size[0] * self._size[1]

    def size(self, height: int, width: int) -> tuple[int, int]:
        """See `FlowEngine.size`: the size that the file was made for, whatever the footage has."""
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


def raft_weights(memory_bytes: int | None = None) -> Weights:
    """A `raft.safetensors`, as PyTorch runs it in calls of about this much memory; None as of `RaftFlow`."""

    def load(path: Path, device: str) -> LoadedWeights:
        import torch

        from pixelfast.flow.raft_network import RaftGraph, load_raft

        raft, height, width, updates = load_raft(path)
        usual = MEMORY_BYTES if device == "cpu" else int(SHARE_OF_FREE * torch.cuda.mem_get_info()[0])
        pairs = pairs_within(usual if memory_bytes is None else memory_bytes, height, width)
        frames = Tensor("frames", "uint8", (None, height, width, 3))
        return LoadedWeights(
            Ports(Span(2), frames, Tensor("flow", "float32", (None, 2, FLOW_SIZE, FLOW_SIZE))),
            buckets(min(MOST_PAIRS, pairs)),
            lambda dtype, _: RaftGraph(raft, height, width, updates, dtype),
            {"kind": "flow"},
        )

    return Weights("raft", load, ("torchvision",))


def _raft_size(runner: Runner) -> tuple[int, int]:
    sizes: Sequence[Any] = runner.inputs[0].shape[1:]
    fits = runner.inputs[0].dtype == "uint8" and len(sizes) == 3 and None not in sizes and sizes[2] == 3
    if not fits or runner.metadata.get("pixelfast.kind") != "flow" or metadata_integer(runner, "format") is None:
        raise EngineError(
            f"{runner.path} is no flow engine: it has {runner.describe()}; expected frames uint8 [N, H, W, 3] of one "
            "size, as `python cuda_export/export_raft.py` writes it"
        )
    return int(sizes[0]), int(sizes[1])


def _subject(footage: Footage, reference: RaftFlow, stride: int) -> Subject:
    """Neighbouring frames, compared by how far the ends of the flow's arrows lie from where they should."""
    height, width = reference.size(*footage.size)
    pixels = np.array([width / FLOW_SIZE, height / FLOW_SIZE]).reshape(1, 2, 1, 1)

    def agreement(found: NDArray[Any], expected: NDArray[Any]) -> Agreement:
        distance = np.sqrt((((found - expected) * pixels) ** 2).sum(axis=1))
        mean = float(distance.mean())
        near = mean < MOST_ERROR_PIXELS
        return Agreement(f"{mean:.1g} px off (most {distance.max():.1g})", near, near)

    frames = footage.frames(max(RAFT.lengths), height, width, "rgb")
    return Subject(frames, lambda engine, some: engine.flow(some), agreement, stride)


RAFT: Final = EngineKind(
    "raft", RaftFlow, RaftFlow, _subject, "end point", compared=3, lengths=(2, 5, 9, 17), weights=raft_weights()
)
"""RAFT on trial: what its engines are tried on, and when one is right."""
