"""The NVIDIA GPU by PyTorch: memory on both sides, streams, events and captured graphs."""

import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pixelfast.runtime.slots import Bytes

PROCESS_WIDE = threading.RLock()
"""cuDNN's settings belong to the process, and one capture at a time is all that PyTorch allows."""

_CUDA: Any = torch.cuda  # whose streams and events have no types


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
        with PROCESS_WIDE, torch.cuda.stream(stream), capture:
            work()
        return graph.replay


def out_of_memory(error: BaseException | None) -> bool:
    """Whether the GPU's memory ran out, be it in a capture, whose end fails with another error then."""
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False
