"""The PyTorch runner of the autoencoder: its weights themselves, on a GPU where PyTorch has one, else on the CPU."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError, PixelfastError
from pixelfast.geometry import FRAME_SIZE, GRID, WINDOW
from pixelfast.machine.cores import Cores
from pixelfast.methods.reconstruction.facts import WindowFacts
from pixelfast.runtime.pieces import PIECES_A_CALL, Ports, Span
from pixelfast.runtime.torch.buckets import Buckets, buckets
from pixelfast.runtime.torch.choice import torch_choice

if TYPE_CHECKING:
    from pixelfast.runtime.torch.graph import TorchGraph

WINDOWS_AT_ONCE: Final[dict[str, Buckets]] = {"cpu": buckets(8), "cuda": buckets(256, least=16)}
"""Windows of a forward pass: on a CPU few, whose activations stay in the cache; on a GPU many, to fill it."""


class TorchFrames:
    """The engine of frames by PyTorch; any window stride costs what its windows cost.

    On a GPU weights and activations are in half precision; scaling and the error stay float32 (see `networks.graphs`).

    Args:
        path: an `ae.safetensors`.
        threads: of PyTorch on a CPU, for the time of a call.
        device: "cuda" or "cpu"; None takes the GPU where there is one.
        precision: "fp16", "bf16" or "fp32"; None takes fp16 on a GPU and fp32 on a CPU.
        speedup: on a GPU, "graph" (CUDA graphs), "compile" (torch.compile, and CUDA graphs of that) or "none"; None
            takes what was measured to be the fastest (see `torch_speedup`).

    Raises:
        EngineError: PyTorch or the GPU is missing, there is no such choice, or the file is missing, damaged or holds
            something else.
    """

    def __init__(
        self,
        path: Path,
        threads: int,
        device: str | None = None,
        precision: str | None = None,
        speedup: str | None = None,
    ) -> None:
        self.path = path
        self.choice = torch_choice(path, "ae", device, precision, speedup)
        largest = PIECES_A_CALL * WINDOWS_AT_ONCE["cuda"].largest
        best = Span(WINDOW).items(largest) if self.choice.device == "cuda" else None
        sizes = (WINDOW, FRAME_SIZE, FRAME_SIZE, GRID)
        self.facts = WindowFacts("frames", *sizes, None, None, best, precision=self.choice.precision)
        self._threads = threads
        self._cores = Cores(threads)
        from pixelfast.methods.reconstruction.weights import load_autoencoder

        try:
            self._network = load_autoencoder(path)
        except PixelfastError as error:
            raise EngineError(str(error)) from error
        self._graphs: dict[int, TorchGraph] = {}

    @property
    def fallback(self) -> str | None:
        """Why CUDA graphs are not used although they were chosen; None where they are."""
        return next((graph.fallback for graph in self._graphs.values() if graph.fallback), None)

    def errors(self, frames: NDArray[np.uint8], stride: int) -> NDArray[np.float32]:
        """See `WindowEngine.errors`.

        Raises:
            EngineError: PyTorch fails on these frames, for want of memory for instance.
        """
        if stride not in self._graphs:
            self._graphs[stride] = self._graph(stride)
        with self._cores.taken(self._cores.count if self.choice.device == "cpu" else 0):
            return self._graphs[stride](frames)

    def share(self, cores: Cores) -> None:
        """See `WindowEngine.share`."""
        self._cores = cores

    def _graph(self, stride: int) -> "TorchGraph":
        """The graph that is exported, for this stride."""
        from pixelfast.methods.reconstruction.network import ReconstructionGraph
        from pixelfast.runtime.torch.graph import DTYPES, TorchGraph

        module = ReconstructionGraph(self._network, stride, DTYPES[self.choice.precision])
        ports = Ports(Span(WINDOW, stride), (FRAME_SIZE, FRAME_SIZE), True, (WINDOW, GRID, GRID))
        sizes = WINDOWS_AT_ONCE[self.choice.device]
        return TorchGraph(self.path, module, ports, self.choice, sizes, threads=self._threads)
