"""The PyTorch runner of the flip classifier: on a GPU, as its share of the CPU is the decoder's there."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError, PixelfastError
from pixelfast.geometry import FRAME_SIZE
from pixelfast.runtime.pieces import Ports, Span
from pixelfast.runtime.torch.buckets import Buckets, buckets
from pixelfast.runtime.torch.choice import torch_choice

FRAMES_AT_ONCE: Final[Buckets] = buckets(256, least=16)


class TorchFlip:
    """`frames` u8[N,128,128] to flip probabilities f32[N], in float32 everywhere: its threshold is one for all.

    Args:
        path: a `flip.safetensors`.
        threads: of PyTorch on a CPU, for the time of a call.
        device: "cuda" or "cpu"; None takes the GPU where there is one.

    Raises:
        EngineError: PyTorch or the GPU is missing, or the file is missing, damaged or holds something else.
    """

    def __init__(self, path: Path, threads: int, device: str | None = None) -> None:
        self.path = path
        choice = torch_choice(path, "flip", device, "fp32", "graph")
        from pixelfast.flip.network import FlipGraph
        from pixelfast.flip.weights import load_flip_classifier
        from pixelfast.runtime.torch.graph import TorchGraph

        try:
            network = load_flip_classifier(path)
        except PixelfastError as error:
            raise EngineError(str(error)) from error
        ports = Ports(Span(1), (FRAME_SIZE, FRAME_SIZE), True, ())
        self._graph = TorchGraph(path, FlipGraph(network), ports, choice, FRAMES_AT_ONCE, threads=threads)

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `FlipEngine.probabilities`."""
        return self._graph(frames)
