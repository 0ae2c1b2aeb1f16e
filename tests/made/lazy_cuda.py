"""PyTorch's names of CUDA on a lazy device: what is computed in a stream is computed when the device gets to it.

An operation in a stream runs at once, so that its results can be named, on whatever lies in its inputs; and again, into
the same results, when its stream comes to it. One that changes its input runs then only. A captured graph is the list
of such operations, put into a stream at each replay.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from lazy_device import LazyDevice

LATE: Callable[[list[int]], int | None] = lambda busy: None  # noqa: E731


class Simulation(TorchDispatchMode):
    """Active where streams are late and graphs can be captured; without it everything is done at once."""

    def __init__(self, pick: Callable[[list[int]], int | None]) -> None:
        super().__init__()
        self.device = LazyDevice(pick)
        self.current: int | None = None
        self.capturing: list[Callable[[], None]] | None = None
        self.captures = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        changes = self.current is not None and func._schema.is_mutable
        out = args[0] if changes else func(*args, **kwargs)
        inputs, outputs = _tensors((args, kwargs)), _tensors(out)
        view = any(_place(one) == _place(two) for one in inputs for two in outputs)
        if self.current is not None and (changes or not view):
            self.put(lambda: _again(func, args, kwargs, [] if changes else outputs))
        return out

    def put(self, operation: Callable[[], None]) -> None:
        """Into the graph that is captured, else into the current stream."""
        if self.capturing is not None:
            self.capturing.append(operation)
        else:
            assert self.current is not None, "a graph is replayed in its stream"
            self.device.enqueue(self.current, operation)


class Stream:
    def __init__(self) -> None:
        self.number = _active.device.new_stream() if _active else 0

    def wait_event(self, event: "Event") -> None:
        if _active:
            _active.device.wait(self.number, event.number)

    def synchronize(self) -> None:
        if _active:
            event = Event()
            event.record(self)
            event.synchronize()


class Event:
    def __init__(self, blocking: bool = False) -> None:
        self.number = _active.device.new_event() if _active else 0

    def record(self, stream: Stream) -> None:
        if _active:
            _active.device.record(self.number, stream.number)

    def synchronize(self) -> None:
        if _active:
            _active.device.synchronize(self.number)


class Graph:
    def __init__(self) -> None:
        self.operations: list[Callable[[], None]] = []

    def replay(self) -> None:
        assert _active is not None
        for operation in self.operations:
            _active.put(operation)


class Capture:
    """`torch.cuda.graph`."""

    def __init__(self, graph: Graph, *, pool: object, stream: Stream, capture_error_mode: str) -> None:
        assert capture_error_mode == "thread_local"
        self.graph = graph

    def __enter__(self) -> None:
        if _active is None:
            raise RuntimeError("operation not permitted when stream is capturing\nmore of it")
        _synchronize()
        _active.capturing = []

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        assert _active is not None
        self.graph.operations, _active.capturing = _active.capturing or [], None
        _active.captures += 1
        if kind is not None:
            raise RuntimeError("operation failed due to a previous error during capture")


_active: Simulation | None = None


@contextmanager
def lazy_streams(pick: Callable[[list[int]], int | None] = LATE) -> Iterator[Simulation]:
    """Within, streams do their work when `pick` lets them (see `LazyDevice`), and graphs can be captured."""
    global _active  # noqa: PLW0603 - as the real device's state is
    _active = Simulation(pick)
    try:
        with _active:
            yield _active
    finally:
        _active = None


def simulate_cuda(patch: pytest.MonkeyPatch) -> None:
    """Puts the simulation in the place of PyTorch's names; without `lazy_streams` graphs cannot be captured."""
    for name, value in {
        "Stream": Stream,
        "Event": Event,
        "CUDAGraph": Graph,
        "graph": Capture,
        "stream": _in_stream,
        "synchronize": _synchronize,
        "graph_pool_handle": object,
    }.items():
        patch.setattr(torch.cuda, name, value)


@contextmanager
def _in_stream(stream: Stream) -> Iterator[None]:
    if _active is None:
        yield
        return
    before, _active.current = _active.current, stream.number
    try:
        yield
    finally:
        _active.current = before


def _synchronize() -> None:
    if _active:
        _active.device.drain()


def _again(func: Any, args: Any, kwargs: Any, outputs: list[torch.Tensor]) -> None:
    """Runs an operation once more, into the tensors that it gave when it was put into its stream."""
    with torch.utils._python_dispatch._disable_current_modes():
        for old, new in zip(outputs, _tensors(func(*args, **kwargs)), strict=False):
            old.copy_(new)


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in torch.utils._pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def _place(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
