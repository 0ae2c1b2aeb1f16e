"""The PyTorch runner of RAFT-Large: its weights themselves, colour frames of one size in, the flow on the grid out."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError, PixelfastError
from pixelfast.flow.raft_memory import MEMORY_BYTES, pairs_within
from pixelfast.geometry import FLOW_SIZE
from pixelfast.runtime.pieces import Ports, Span
from pixelfast.runtime.torch.buckets import buckets
from pixelfast.runtime.torch.choice import torch_choice

MOST_PAIRS: Final = 32
"""Pairs of a forward pass fill any GPU; more only take memory."""

SHARE_OF_FREE: Final = 0.25
"""Of a GPU's free memory, what RAFT may take: graphs keep theirs, the other engines want some, and so may others."""


class TorchFlow:
    """RAFT-Large by PyTorch.

    Args:
        path: a `raft.safetensors`.
        threads: of PyTorch on a CPU, for the time of a call.
        device: "cuda" or "cpu"; None takes the GPU where there is one.
        precision: "fp16", "bf16" or "fp32"; None takes fp16 on a GPU and fp32 on a CPU.
        speedup: on a GPU, "graph" (CUDA graphs), "compile" (torch.compile, and CUDA graphs of that) or "none"; None
            takes what was measured to be the fastest (see `torch_speedup`).
        memory_bytes: about how much memory a call may take; None is a quarter of what a GPU has free, and 1 GiB on a
            CPU.

    Raises:
        EngineError: PyTorch or the GPU is missing, there is no such choice, or the file is missing, damaged or holds
            something else.
    """

    color: Final = "rgb"

    def __init__(
        self,
        path: Path,
        threads: int,
        device: str | None = None,
        precision: str | None = None,
        speedup: str | None = None,
        *,
        memory_bytes: int | None = None,
    ) -> None:
        self.path = path
        self.choice = torch_choice(path, "raft", device, precision, speedup)
        from pixelfast.flow.raft_network import RaftGraph
        from pixelfast.flow.raft_weights import load_raft
        from pixelfast.runtime.torch.graph import DTYPES, TorchGraph

        try:
            raft, height, width, updates = load_raft(path)
        except PixelfastError as error:
            raise EngineError(str(error)) from error
        self._size = height, width
        module = RaftGraph(raft, height, width, updates, DTYPES[self.choice.precision])
        ports = Ports(Span(2), (height, width, 3), True, (2, FLOW_SIZE, FLOW_SIZE))
        memory = _memory(self.choice.device) if memory_bytes is None else memory_bytes
        pairs = buckets(min(MOST_PAIRS, pairs_within(memory, height, width)))
        self._graph = TorchGraph(path, module, ports, self.choice, pairs, threads=threads)

    @property
    def fallback(self) -> str | None:
        """Why CUDA graphs are not used although they were chosen; None where they are."""
        return self._graph.fallback

    @property
    def frame_bytes(self) -> int:
        """Of a frame."""
        return 3 * self._size[0] * self._size[1]

    def size(self, height: int, width: int) -> tuple[int, int]:
        """See `FlowEngine.size`: the size that the weights were saved for, whatever the footage has."""
        del height, width
        return self._size

    def flow(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `FlowEngine.flow`; as many pairs at once as the memory allows."""
        return self._graph(frames)


def _memory(device: str) -> int:
    """Bytes that a call may take where nobody says otherwise."""
    if device == "cpu":
        return MEMORY_BYTES
    import torch

    free, _ = torch.cuda.mem_get_info()
    return int(SHARE_OF_FREE * free)
