"""The PyTorch runner: a model's weights themselves, on a GPU where PyTorch has one, else on the CPU (no torch here)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError, PixelfastError
from pixelfast.machine.forks import check_torch_not_inherited
from pixelfast.runtime.pieces import PIECES_A_CALL, Buckets, Ports
from pixelfast.runtime.runner import Runner, still_open
from pixelfast.runtime.torch.choice import TorchWish, torch_choice

if TYPE_CHECKING:
    import torch

    from pixelfast.runtime.torch.graph import TorchGraph


class LoadedWeights(NamedTuple):
    """What a file of weights holds, as the runner needs it.

    Attributes:
        ports: what the graph takes and gives, at stride 1.
        at_once: results of a forward pass: on a GPU the sizes of piece, on a CPU at most the largest.
        graph: the module from items to f32 results with weights of a dtype, for a stride.
        facts: what an exported file would say about itself, by `pixelfast.<name>`.
    """

    ports: Ports
    at_once: Buckets
    graph: "Callable[[torch.dtype, int], torch.nn.Module]"
    facts: Mapping[str, str]


class Weights(NamedTuple):
    """A kind of weights that PyTorch runs.

    Attributes:
        kind: the stem of their files.
        load: reads a file for a device, "cuda" or "cpu"; only this imports torch. It raises ModelError where the file
            is not there, damaged, or holds something else.
        packages: what it needs beside PyTorch.
    """

    kind: str
    load: Callable[[Path, str], LoadedWeights]
    packages: tuple[str, ...] = ()


class TorchRunner(Runner):
    """The weights in a `.safetensors` file by PyTorch, which has `threads` on a CPU for the time of a call.

    Any stride costs what its results cost.

    Raises:
        EngineError: PyTorch or the GPU is missing, there is no such choice, this process was forked from one that had
            loaded PyTorch, or the file is missing, damaged or holds something else.
    """

    def __init__(self, path: Path, weights: Weights, threads: int, wish: TorchWish) -> None:
        check_torch_not_inherited()
        self.path = path
        self.choice = torch_choice(path, weights.kind, wish, weights.packages)
        self._threads = threads
        try:
            loaded = weights.load(path, self.choice.device)
        except PixelfastError as error:
            raise EngineError(str(error)) from error
        self._ports, self._at_once, known = loaded.ports, loaded.at_once, loaded.facts
        self._graph: Callable[[torch.dtype, int], torch.nn.Module] | None = loaded.graph
        self.inputs, self.outputs = (self._ports.items,), (self._ports.results,)
        facts = {"format": "1", "precision": self.choice.precision, **known}
        self.metadata = {f"pixelfast.{name}": value for name, value in facts.items()}
        largest = PIECES_A_CALL * self._at_once.largest
        self.best = self._ports.span.items(largest) if self.choice.device == "cuda" else None
        self._graphs: dict[int, TorchGraph] = {}

    @property
    def fallback(self) -> str | None:
        """Why CUDA graphs are not used although they were chosen; None where they are."""
        return next((graph.fallback for graph in self._graphs.values() if graph.fallback), None)

    def __call__(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """See `Runner.__call__`."""
        return self.at_stride(1)(array)

    def close(self) -> None:
        """See `Loaded.close`; the graphs of its strides are closed, too."""
        self._graph = None
        while self._graphs:
            self._graphs.popitem()[1].close()

    def at_stride(self, stride: int) -> "TorchGraph":
        """The same as `__call__`, for windows whose starts lie so many items apart.

        Raises:
            EngineError: the runner is closed, or the device has no room for it.
        """
        graph_of = still_open(self.path, self._graph)
        if stride not in self._graphs:
            from pixelfast.runtime.torch.graph import DTYPES, TorchGraph

            module = graph_of(DTYPES[self.choice.precision], stride)
            ports = self._ports._replace(span=self._ports.span._replace(stride=stride))
            graph = TorchGraph(self.path, module, ports, self.choice, self._at_once, threads=self._threads)
            self._graphs[stride] = graph
        return self._graphs[stride]
