"""Pieces of a call on their way through a GPU, so that copying and computing overlap. All calls of CUDA are here.

Nothing is allocated on the way: two slots own buffers of fixed addresses on both sides of the bus, and a CUDA graph for
each size of piece. A piece passes three streams, each waiting for the event that the one before it recorded. A slot is
filled again only after the host has waited for the last of them and has taken the results out.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pixelfast.runtime.pieces import Ports
from pixelfast.runtime.torch.choice import TorchChoice

SLOTS: Final = 2
"""Pieces on their way at once: one is copied while the other is computed."""

_WARM_UPS: Final = 3
"""Runs before a graph is captured (PyTorch's documentation of CUDA graphs): cuDNN measures its algorithms and cuBLAS
takes its workspace in them, neither of which a graph could hold."""

_CUDA: Any = torch.cuda  # whose streams and events have no types
_PROCESS_WIDE = threading.RLock()
"""cuDNN's settings belong to the process, and one capture at a time is all that PyTorch allows."""


class Slot:
    """The buffers of one piece.

    Attributes:
        sent: items in page-locked memory of the host.
        items: the same on the device.
        results: on the device, f32.
        received: the same in page-locked memory of the host.
        loaded: recorded when `items` are there.
        computed: recorded when `results` are.
        fetched: recorded when `received` are.
        work: what computes `results` of `items`, by size of piece.
    """

    def __init__(self, ports: Ports, largest: int, device: str) -> None:
        items, results = (ports.span.items(largest), *ports.item), (largest, *ports.result)
        pinned = device == "cuda"
        kind = torch.uint8 if ports.bytes_in else torch.float32
        self.sent = torch.zeros(items, dtype=kind, pin_memory=pinned)
        self.items = torch.zeros(items, dtype=kind, device=device)
        self.results = torch.zeros(results, device=device)
        self.received = torch.zeros(results, pin_memory=pinned)
        self.loaded, self.computed = _CUDA.Event(), _CUDA.Event()
        # A blocking event sleeps where another would spin: decoding wants the core.
        self.fetched = _CUDA.Event(blocking=True)
        self.work: dict[int, Callable[[], object]] = {}


class Slots:
    """The slots of an engine, its streams and its graphs.

    Call it without gradients, from one thread at a time; after an exception, `close` it and take a new one.

    Args:
        module: items in, f32 results out, on the device already.
        ports: what goes in and comes out.
        largest: results of the largest piece.
        choice: how to compute.

    Attributes:
        fallback: why no CUDA graph could be captured; None while all is well.
    """

    def __init__(self, module: nn.Module, ports: Ports, largest: int, choice: TorchChoice) -> None:
        self.fallback: str | None = None
        self._ports = ports
        self._compiles = choice.speedup == "compile"
        self._captures = choice.speedup != "none"
        self._module: Any = torch.compile(module, dynamic=False) if self._compiles else module
        self._loading, self._computing, self._fetching = (_CUDA.Stream() for _ in range(3))
        self._pool = torch.cuda.graph_pool_handle()
        self._slots = [Slot(ports, largest, choice.device) for _ in range(SLOTS)]
        torch.cuda.synchronize()  # the buffers were filled on the stream of the caller

    def send(self, number: int, items: NDArray[Any], size: int) -> None:
        """Sets off the piece with this number: `items` of at most `size` results. Returns while it is on its way.

        Raises:
            RuntimeError: PyTorch fails, for want of memory for instance.
            CompileError: torch.compile fails.
        """
        slot, count = self._slots[number % SLOTS], len(items)
        work = self._work(slot, size)
        slot.sent[:count].numpy()[...] = items
        with torch.cuda.stream(self._loading):
            slot.items[:count].copy_(slot.sent[:count], non_blocking=True)
            slot.loaded.record(self._loading)
        with torch.cuda.stream(self._computing):
            self._computing.wait_event(slot.loaded)
            work()
            slot.computed.record(self._computing)
        with torch.cuda.stream(self._fetching):
            self._fetching.wait_event(slot.computed)
            slot.received[:size].copy_(slot.results[:size], non_blocking=True)
            slot.fetched.record(self._fetching)

    def receive(self, number: int, into: NDArray[np.float32]) -> None:
        """Waits for the piece with this number and copies its first `len(into)` results out of the slot.

        Raises:
            RuntimeError: the piece failed on the device.
        """
        slot = self._slots[number % SLOTS]
        slot.fetched.synchronize()
        into[...] = slot.received[: len(into)].numpy()

    def close(self) -> None:
        """Waits for all that is on its way, and gives the graphs and their memory back.

        Raises:
            RuntimeError: something failed on the device meanwhile.
        """
        torch.cuda.synchronize()
        for slot in self._slots:
            slot.work.clear()  # which refers to this object, and would keep it and its buffers

    def _work(self, slot: Slot, size: int) -> Callable[[], object]:
        if size not in slot.work:
            slot.work[size] = self._prepared(slot, size)
        return slot.work[size]

    def _prepared(self, slot: Slot, size: int) -> Callable[[], object]:
        """A replay of the graph for this slot and size, or the layers one after another where there can be none."""
        items, results = slot.items[: self._ports.span.items(size)], slot.results[:size]

        def compute() -> None:
            with _tuned():
                results.copy_(self._module(items))

        with torch.cuda.stream(self._computing):
            self._warm_up(compute)
        if self._captures:
            try:
                return self._captured(compute)
            except RuntimeError as error:
                if out_of_memory(error):
                    raise
                self.fallback, self._captures = first_line(error), False
        return compute

    def _warm_up(self, compute: Callable[[], None]) -> None:
        try:
            for _ in range(_WARM_UPS):
                compute()
            self._computing.synchronize()  # it fails here if at all, and the next copy may overwrite what it read
        except Exception as error:
            # Compilers, their caches and the machine's tools fail in too many ways to be named.
            if not self._compiles or out_of_memory(error):
                raise
            raise CompileError(first_line(error)) from error

    def _captured(self, compute: Callable[[], None]) -> Callable[[], object]:
        """The graph's replay. Its temporary memory is shared with the other graphs: they run one after another."""
        graph = torch.cuda.CUDAGraph()
        # By thread: another one may use the GPU meanwhile, which would spoil the capture otherwise.
        capture = torch.cuda.graph(graph, pool=self._pool, stream=self._computing, capture_error_mode="thread_local")
        # PyTorch before 2.12 leaves its stream the current one where a capture fails; the outer context puts it right.
        with _PROCESS_WIDE, torch.cuda.stream(self._computing), capture:
            compute()
        return graph.replay


class CompileError(Exception):
    """torch.compile fails on this machine; the text says why."""


def out_of_memory(error: BaseException | None) -> bool:
    """Whether the GPU's memory ran out, be it in a capture, whose end fails with another error then."""
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def first_line(error: BaseException) -> str:
    """What an error says, in a line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


@contextmanager
def _tuned() -> Iterator[None]:
    """With cuDNN's fastest algorithm for each size, and float32 in full; afterwards all is as it was.

    Who sets TF32 for all of PyTorch (`torch.backends.fp32_precision`) gets it here, too. Not by
    `cudnn.flags`, which fails in a process that has set `fp32_precision` (PyTorch 2.9 and later).
    """
    cudnn: Any = torch.backends.cudnn
    with _PROCESS_WIDE, _set(cudnn, "benchmark", True), _set(*_full_float32(cudnn)):
        yield


def _full_float32(cudnn: Any) -> tuple[Any, str, object]:
    """The setting that keeps TF32 out of convolutions, and its value."""
    try:
        cudnn.allow_tf32  # noqa: B018 - a property, which fails where it does not say the whole truth
    except RuntimeError:
        return cudnn.conv, "fp32_precision", "ieee"
    return cudnn, "allow_tf32", False


@contextmanager
def _set(place: Any, name: str, value: object) -> Iterator[None]:
    """With another value of a setting."""
    before = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before)
