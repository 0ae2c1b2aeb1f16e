"""The PyTorch runner of the motion method's predictor: its weights themselves."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError, PixelfastError
from pixelfast.geometry import FLOW_SIZE, GRID
from pixelfast.methods.motion.facts import MotionEngineFacts
from pixelfast.runtime.pieces import Ports, Span
from pixelfast.runtime.torch.buckets import Buckets, buckets
from pixelfast.runtime.torch.choice import torch_choice

FLOWS_AT_ONCE: Final[Buckets] = buckets(256, least=16)
"""Predictions of a forward pass, 64 KiB of scaled flow and prediction each."""


class TorchMotion:
    """The motion engine by PyTorch.

    Args:
        path: a `motion.safetensors`.
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
        self.choice = torch_choice(path, "motion", device, precision, speedup)
        from pixelfast.methods.motion.network import MotionGraph
        from pixelfast.methods.motion.weights import load_flow_gru
        from pixelfast.runtime.torch.graph import DTYPES, TorchGraph

        try:
            network, scale, past = load_flow_gru(path)
        except PixelfastError as error:
            raise EngineError(str(error)) from error
        self.facts = MotionEngineFacts(past, GRID, self.choice.precision)
        module = MotionGraph(network, scale, past, DTYPES[self.choice.precision])
        ports = Ports(Span(past + 1), (2, FLOW_SIZE, FLOW_SIZE), False, (GRID, GRID))
        self._graph = TorchGraph(path, module, ports, self.choice, FLOWS_AT_ONCE, threads=threads)

    @property
    def fallback(self) -> str | None:
        """Why CUDA graphs are not used although they were chosen; None where they are."""
        return self._graph.fallback

    def errors(self, flow: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `MotionEngine.errors`."""
        return self._graph(flow)
