"""The PyTorch runner: the autoencoder's weights themselves, on a GPU where PyTorch has one, else on the CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.engines.facts import WindowFacts
from pixelfast.errors import EngineError, PixelfastError
from pixelfast.networks.geometry import FRAME_SIZE, GRID, WINDOW

WINDOWS_AT_ONCE = {"cpu": 8, "cuda": 256}
"""Windows of a forward pass: on a CPU few, whose activations stay in the cache; on a GPU many, to fill it."""


class TorchFrames:
    """The engine of frames by PyTorch; any window stride costs what its windows cost.

    On a GPU weights and activations are in half precision; scaling and the error stay float32 (see `networks.graphs`).

    Args:
        path: an `ae.safetensors`.
        threads: of PyTorch on a CPU, for the time of a call.
        device: "cuda" or "cpu"; None takes the GPU where there is one.

    Raises:
        EngineError: PyTorch is missing, or the file is missing, damaged or holds something else.
    """

    def __init__(self, path: Path, threads: int, device: str | None = None) -> None:
        self.path = path
        self.facts = WindowFacts("frames", WINDOW, FRAME_SIZE, FRAME_SIZE, GRID, None, None)
        self._threads = threads
        self._torch = _import_torch(path)
        self.device = device or ("cuda" if self._torch.cuda.is_available() else "cpu")
        self._network = _load(path)
        self._graphs: dict[int, Any] = {}

    def errors(self, frames: NDArray[np.uint8], stride: int) -> NDArray[np.float32]:
        """See `WindowEngine.errors`.

        Raises:
            EngineError: PyTorch fails on these frames, for want of memory for instance.
        """
        windows = (len(frames) - WINDOW) // stride + 1
        most = WINDOWS_AT_ONCE[self.device]
        starts = [first * stride for first in range(0, windows, most)]
        reach = (most - 1) * stride + WINDOW
        try:
            with self._quiet():
                parts = [self._graph(stride)(self._moved(frames[start : start + reach])) for start in starts]
                result: NDArray[np.float32] = self._torch.cat(parts).contiguous().cpu().numpy()
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise EngineError(f"{self.path}: the engine fails on {list(frames.shape)}: {reason}") from error
        return result

    def _graph(self, stride: int) -> Any:
        """The graph that is exported, for this stride."""
        if stride not in self._graphs:
            from pixelfast.networks.graphs import ReconstructionGraph

            dtype = self._torch.float16 if self.device == "cuda" else self._torch.float32
            graph = ReconstructionGraph(self._network, stride, dtype).eval()
            self._graphs[stride] = graph.to(self.device).to(memory_format=self._torch.channels_last)
        return self._graphs[stride]

    def _moved(self, frames: NDArray[np.uint8]) -> Any:
        """The frames on the device: as bytes, a frame once."""
        tensor = self._torch.from_numpy(np.ascontiguousarray(frames))
        return tensor if self.device == "cpu" else tensor.pin_memory().to(self.device, non_blocking=True)

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Without gradients, with our number of threads for this call."""
        before = self._torch.get_num_threads()
        self._torch.set_num_threads(self._threads)
        try:
            with self._torch.inference_mode():
                yield
        finally:
            self._torch.set_num_threads(before)


def _import_torch(path: Path) -> Any:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise EngineError(
            f"{path} needs PyTorch: pip install 'pixelfast[train]', or name the ae.onnx beside it"
        ) from error
    return torch


def _load(path: Path) -> Any:
    from pixelfast.networks.weights import load_autoencoder

    try:
        return load_autoencoder(path)
    except PixelfastError as error:
        raise EngineError(str(error)) from error
