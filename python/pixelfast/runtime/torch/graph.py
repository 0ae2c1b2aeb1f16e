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

from pixelfast.errors import EngineError
from pixelfast.runtime.pieces import Ports
from pixelfast.runtime.torch.buckets import Buckets, Piece
from pixelfast.runtime.torch.choice import MEASURED, TorchChoice
from pixelfast.runtime.torch.slots import SLOTS, CompileError, Slots, first_line, out_of_memory

DTYPES: Final = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}


class TorchGraph:
    """Items in, results out, in as many pieces as it takes.

    Args:
        path: the weights, for the sentences.
        module: items to f32 results, with weights of the precision that was chosen; it is moved to the device.
        ports: what goes in and comes out.
        choice: how to compute.
        buckets: the sizes of piece on a GPU; on a CPU, where nothing is filled up, the largest is the most at once.
        threads: of PyTorch on a CPU, for the time of a call.
        in_slots: whether pieces have fixed sizes and pass slots; None where the device is a GPU.

    Attributes:
        buckets: as given, or less where the GPU had no memory for them.
        fallback: why CUDA graphs are not used although they were chosen; None where they are.
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
            self._module = module.eval().to(choice.device).to(memory_format=torch.channels_last)
        self._slots: Slots | None = None
        self._one_call = threading.Lock()

    def __call__(self, items: NDArray[Any]) -> NDArray[np.float32]:
        """f32[results, ...] of items [N, ...].

        Raises:
            EngineError: items of another kind, torch.compile fails, or PyTorch fails, for want of memory for instance.
        """
        self._check(items)
        with self._one_call, torch.no_grad(), self._sentences(f"the engine fails on {list(items.shape)}"):
            if self._in_slots:
                return self._through_slots(items)
            with _threads(self._threads):
                return self._by_layers(items)

    def _check(self, items: NDArray[Any]) -> None:
        kind = np.uint8 if self._ports.bytes_in else np.float32
        if items.dtype != kind or items.shape[1:] != self._ports.item:
            wanted = f"{np.dtype(kind)} {['N', *self._ports.item]}"
            raise EngineError(f"{self._path} takes {wanted}, not {items.dtype} {list(items.shape)}")

    def _by_layers(self, items: NDArray[Any]) -> NDArray[np.float32]:
        results, most = self._empty(items), self.buckets.largest
        for start in range(0, len(results), most):
            end = min(start + most, len(results))
            fed = torch.from_numpy(np.ascontiguousarray(items[self._ports.items(start, end)]))
            results[start:end] = self._module(fed).numpy()
        return results

    def _through_slots(self, items: NDArray[Any]) -> NDArray[np.float32]:
        """All pieces on the GPU; in smaller ones where its memory does not do."""
        while True:
            results = self._attempt(items)
            if results is not None:
                return results
            torch.cuda.empty_cache()

    def _attempt(self, items: NDArray[Any]) -> NDArray[np.float32] | None:
        """None where the memory did not do, and smaller pieces are left to try."""
        try:
            if self._slots is None:
                self._slots = Slots(self._module, self._ports, self.buckets.largest, self._choice)
            results = self._empty(items)
            self._pass(self._slots, items, results)
            self.fallback = self._slots.fallback
        except (RuntimeError, CompileError) as error:
            slots, self._slots = self._slots, None
            smaller = self.buckets.smaller() if out_of_memory(error) else None
            if slots is not None:
                slots.close()
            if smaller is None:
                raise
            self.buckets = smaller
            return None
        return results

    def _pass(self, slots: Slots, items: NDArray[Any], results: NDArray[np.float32]) -> None:
        """Sends every piece off, and takes each one's results out just before its slot is needed again."""
        pieces = self.buckets.cut(len(results))
        for number, piece in enumerate(pieces):
            if number >= SLOTS:
                _receive(slots, number - SLOTS, pieces, results)
            slots.send(number, items[self._ports.items(piece.start, piece.start + piece.results)], piece.size)
        for number in range(max(0, len(pieces) - SLOTS), len(pieces)):
            _receive(slots, number, pieces, results)

    def _empty(self, items: NDArray[Any]) -> NDArray[np.float32]:
        return np.empty((self._ports.span.results(len(items)), *self._ports.result), np.float32)

    @contextmanager
    def _sentences(self, what: str) -> Iterator[None]:
        """PyTorch's errors as ours.

        Raises:
            EngineError: PyTorch fails.
        """
        try:
            yield
        except CompileError as error:
            mend = f"take the speedup graph, or delete {MEASURED.file} if that chose it"
            raise EngineError(f"{self._path}: torch.compile fails here ({error}); {mend}") from error
        except RuntimeError as error:
            reason = "the GPU's memory is full" if out_of_memory(error) else first_line(error)
            raise EngineError(f"{self._path}: {what}: {reason}") from error


def _receive(slots: Slots, number: int, pieces: list[Piece], results: NDArray[np.float32]) -> None:
    piece = pieces[number]
    slots.receive(number, results[piece.start : piece.start + piece.results])


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    """Our number of threads for this call, and PyTorch's own again after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
