"""A graph of PyTorch as an engine runs it: layer after layer on a CPU, in slots of fixed sizes on a GPU."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pixelfast.errors import EngineError, GpuMemoryError, first_line
from pixelfast.runtime.pieces import Buckets, Ports
from pixelfast.runtime.runner import Loaded, still_open
from pixelfast.runtime.slots import Slots
from pixelfast.runtime.torch.choice import MEASURED, TorchChoice
from pixelfast.runtime.torch.gpu import CompileError, Layers, TorchDevice, out_of_memory

DTYPES: Final = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}


class TorchGraph(Loaded):
    """Items in, results out, in as many pieces as it takes.

    Args:
        path: of the weights, for the sentences.
        module: items to f32 results, with weights of the precision that was chosen; it is moved to the device.
        ports: what goes in and comes out.
        choice: how to compute.
        buckets: the sizes of piece on a GPU; on a CPU, where nothing is filled up, the largest is the most at once.
        threads: of PyTorch on a CPU, for the time of a call.
        in_slots: whether pieces have fixed sizes and pass slots; None where the device is a GPU.

    Attributes:
        buckets: as given, or less where the GPU had no memory for them.
        fallback: why CUDA graphs are not used although they were chosen; None where they are.

    Raises:
        EngineError: the device has no room for it.
    """

    def __init__(
        self,
        path: Path,
        module: nn.Module,
        ports: Ports,
        choice: TorchChoice,
        buckets: Buckets,
        *,
        threads: int,
        in_slots: bool | None = None,
    ) -> None:
        self.buckets = buckets
        self.fallback: str | None = None
        self._path, self._ports, self._choice, self._threads = path, ports, choice, threads
        self._in_slots = choice.device == "cuda" if in_slots is None else in_slots
        with self._sentences(f"the engine cannot be put on the {choice.device}"):
            module = module.eval().to(choice.device).to(memory_format=torch.channels_last)
        self._module: nn.Module | None = module
        self._opened: tuple[Layers, Slots] | None = None
        self._one_call = threading.Lock()

    def __call__(self, items: NDArray[Any]) -> NDArray[np.float32]:
        """f32[results, ...] of items [N, ...].

        Raises:
            EngineError: items of another kind, torch.compile fails, or PyTorch fails, for want of memory for instance;
                or it is closed.
        """
        self._ports.check(self._path, items)
        results = self._ports.room(len(items))
        with self._one_call, torch.no_grad(), self._sentences(f"the engine fails on {list(items.shape)}"):
            module = still_open(self._path, self._module)
            if self._in_slots:
                while not self._fits(module, items, results):
                    torch.cuda.empty_cache()
            else:
                self._by_layers(module, items, results)
        return results

    def close(self) -> None:
        """See `Loaded.close`; what PyTorch keeps for later goes back to the GPU, too."""
        with self._one_call:
            self._opened = self._module = None
        torch.cuda.empty_cache()

    def _by_layers(self, module: nn.Module, items: NDArray[Any], results: NDArray[np.float32]) -> None:
        span, most = self._ports.span, self.buckets.largest
        with _threads(self._threads):
            for piece in Buckets((most,)).cut(len(results), span):
                first = piece.start // span.stride
                fed = torch.from_numpy(np.ascontiguousarray(items[piece.start : piece.end]))
                results[first : first + piece.results] = module(fed).numpy()

    def _fits(self, module: nn.Module, items: NDArray[Any], results: NDArray[np.float32]) -> bool:
        """Passes all pieces through the GPU; False where its memory did not do, and smaller ones are left to try."""
        try:
            layers, slots = self._opened = self._opened or self._open(module)
            slots.run(layers, items, self.buckets.cut(len(results), self._ports.span), results)
            self.fallback = layers.fallback
        except (RuntimeError, CompileError) as error:
            self._opened = None  # with its buffers and graphs
            smaller = self.buckets.smaller() if out_of_memory(error) else None
            if smaller is None:
                raise
            self.buckets = smaller
            return False
        return True

    def _open(self, module: nn.Module) -> tuple[Layers, Slots]:
        device = TorchDevice(self._choice.device)
        layers = Layers(module, self._ports, self._choice, device)
        return layers, Slots(device, self._ports, self._ports.span.items(self.buckets.largest))

    @contextmanager
    def _sentences(self, what: str) -> Iterator[None]:
        """PyTorch's errors as ours."""
        try:
            yield
        except CompileError as error:
            mend = f"take the speedup graph, or delete {MEASURED.file} if that chose it"
            raise EngineError(f"{self._path}: torch.compile fails here ({error}); {mend}") from error
        except RuntimeError as error:
            if out_of_memory(error):
                raise GpuMemoryError(f"{self._path}: {what}: the GPU's memory is full") from error
            raise EngineError(f"{self._path}: {what}: {first_line(error)}") from error


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    """Our number of threads for this call, and PyTorch's own again after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
