"""The NVIDIA GPU by PyTorch: memory on both sides, streams and events, and the layers of a graph that run there."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn

from pixelfast.errors import first_line
from pixelfast.runtime.pieces import Ports, sizes
from pixelfast.runtime.runner import Tensor as Port
from pixelfast.runtime.slots import Bytes
from pixelfast.runtime.torch.choice import TorchChoice

_PROCESS_WIDE = threading.RLock()
"""cuDNN's settings belong to the process, and one capture at a time is all that PyTorch allows."""

_CUDA: Any = torch.cuda  # whose streams and events have no types

_WARM_UPS: Final = 3
"""Runs before a graph is captured (PyTorch's documentation of CUDA graphs): cuDNN measures its algorithms and cuBLAS
takes its workspace in them, neither of which a graph could hold."""


class TorchDevice:
    """See `runtime.slots.Device`; its memory are tensors u8[size], its streams and events PyTorch's.

    Args:
        name: "cuda"; where it is another one, as in tests, the host's memory is not page-locked.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._pool = torch.cuda.graph_pool_handle()

    def allocate(self, size: int) -> Tensor:
        """See `Device.allocate`."""
        memory = torch.zeros(size, dtype=torch.uint8, device=self._name)
        torch.cuda.synchronize()  # it was filled on the stream of the caller
        return memory

    def page_locked(self, size: int) -> Bytes:
        """See `Device.page_locked`."""
        buffer: Bytes = torch.zeros(size, dtype=torch.uint8, pin_memory=self._name == "cuda").numpy()
        return buffer

    def new_stream(self) -> Any:
        """See `Device.new_stream`."""
        return _CUDA.Stream()

    def new_event(self) -> Any:
        """See `Device.new_event`."""
        # A blocking event sleeps where another would spin: decoding wants the core.
        return _CUDA.Event(blocking=True)

    def copy_in(self, target: Tensor, source: Bytes, stream: Any) -> None:
        """See `Device.copy_in`."""
        with torch.cuda.stream(stream):
            target[: source.size].copy_(torch.from_numpy(source), non_blocking=True)

    def copy_out(self, target: Bytes, source: Tensor, stream: Any) -> None:
        """See `Device.copy_out`."""
        with torch.cuda.stream(stream):
            torch.from_numpy(target).copy_(source[: target.size], non_blocking=True)

    def record(self, event: Any, stream: Any) -> None:
        """See `Device.record`."""
        event.record(stream)

    def wait(self, stream: Any, event: Any) -> None:
        """See `Device.wait`."""
        stream.wait_event(event)

    def synchronize(self, event: Any) -> None:
        """See `Device.synchronize`."""
        event.synchronize()

    def drain(self) -> None:
        """See `Device.drain`."""
        torch.cuda.synchronize()

    def captured(self, work: Callable[[], object], stream: Any) -> Callable[[], object]:
        """The replay of what `work` does in a stream.

        Its temporary memory is shared with the other graphs: they run one after another.

        Raises:
            RuntimeError: no graph can be made of it, or the memory is full.
        """
        graph = torch.cuda.CUDAGraph()
        # By thread: another one may use the GPU meanwhile, which would spoil the capture otherwise.
        capture = torch.cuda.graph(graph, pool=self._pool, stream=stream, capture_error_mode="thread_local")
        # PyTorch before 2.12 leaves its stream the current one where a capture fails; the outer context puts it right.
        with _PROCESS_WIDE, torch.cuda.stream(stream), capture:
            work()
        return graph.replay


def out_of_memory(error: BaseException | None) -> bool:
    """Whether the GPU's memory ran out, be it in a capture, whose end fails with another error then."""
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


class CompileError(Exception):
    """torch.compile fails on this machine; the text says why."""


class Layers:
    """Puts calls into a stream: replays of CUDA graphs, or the layers one after another where there can be none.

    The module, items to f32 results, lies on the device already. Call without gradients; after an exception, take a new
    one.

    Attributes:
        fallback: why no CUDA graph could be captured; None while all is well.
    """

    def __init__(self, module: nn.Module, ports: Ports, choice: TorchChoice, device: TorchDevice) -> None:
        self.fallback: str | None = None
        self._ports, self._device = ports, device
        self._compiles, self._captures = choice.speedup == "compile", choice.speedup != "none"
        self._module: Any = torch.compile(module, dynamic=False) if self._compiles else module
        self._work: dict[tuple[int, int], Callable[[], object]] = {}

    def __call__(self, items: int, source: Tensor, target: Tensor, stream: Any) -> None:
        """See `slots.Execute`.

        Raises:
            RuntimeError: PyTorch fails, for want of memory for instance.
            CompileError: torch.compile fails.
        """
        key = items, id(source)  # the slots' buffers live as long as this does
        if key not in self._work:
            self._work[key] = self.prepared(items, source, target, stream)
        with torch.cuda.stream(stream):
            self._work[key]()

    def prepared(self, items: int, source: Tensor, target: Tensor, stream: Any) -> Callable[[], object]:
        """What computes the results in `target` of so many items in `source`, set off in the stream that is current."""
        fed = _typed(source, self._ports.items, items)
        results = _typed(target, self._ports.results, self._ports.span.results(items))
        module = self._module  # not this object, which would keep itself and the buffers

        def compute() -> None:
            with _tuned():
                results.copy_(module(fed))

        self._warm_up(compute, stream)
        if self._captures:
            try:
                return self._device.captured(compute, stream)
            except RuntimeError as error:
                if out_of_memory(error):
                    raise
                self.fallback, self._captures = first_line(error), False
        return compute

    def _warm_up(self, compute: Callable[[], None], stream: Any) -> None:
        try:
            with torch.cuda.stream(stream):
                for _ in range(_WARM_UPS):
                    compute()
            stream.synchronize()  # it fails here if at all
        except Exception as error:
            # Compilers, their caches and the machine's tools fail in too many ways to be named.
            if not self._compiles or out_of_memory(error):
                raise
            raise CompileError(first_line(error)) from error


def _typed(memory: Tensor, port: Port, count: int) -> Tensor:
    """The first `count` rows of a port in memory u8[...]."""
    shape, kind = (count, *sizes(port)), getattr(torch, port.dtype)
    size = torch.Size(shape).numel() * kind.itemsize
    return memory[:size].view(kind).view(shape)


@contextmanager
def _tuned() -> Iterator[None]:
    """With cuDNN's fastest algorithm for each size, and float32 in full; afterwards all is as it was.

    Who sets TF32 for all of PyTorch (`torch.backends.fp32_precision`) gets it here, too. Not by
    `cudnn.flags`, which fails in a process that has set `fp32_precision` (PyTorch 2.9 and later).
    """
    cudnn: Any = torch.backends.cudnn
    full_float32: tuple[Any, str, object] = cudnn, "allow_tf32", False
    try:
        cudnn.allow_tf32  # noqa: B018 - a property, which fails where it does not say the whole truth
    except RuntimeError:
        full_float32 = cudnn.conv, "fp32_precision", "ieee"
    with _PROCESS_WIDE, _set(cudnn, "benchmark", True), _set(*full_float32):
        yield


@contextmanager
def _set(place: Any, name: str, value: object) -> Iterator[None]:
    """With another value of a setting."""
    before = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before)
