"""PyTorch's names of CUDA on a lazy device: what is computed in a stream is computed when the device gets to it.

An operation in a stream gives tensors of its results' sizes at once, with NaN or 99 in them, and fills them when the
stream comes to it. A captured graph is the list of such operations, put into a stream at each replay.
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
        kwargs, schema = kwargs or {}, func._schema
        if self.current is None or any(one.alias_info and not one.alias_info.is_write for one in schema.returns):
            return func(*args, **kwargs)  # by the host, or a view
        out = args[0] if schema.is_mutable else _results(func, args, kwargs)
        self.put(lambda: _fill(func, args, kwargs, [] if schema.is_mutable else _tensors(out)))
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


def _results(func: Any, args: Any, kwargs: Any) -> Any:
    """Tensors like the results of an operation, with nothing of use in them."""
    tree_map = torch.utils._pytree.tree_map_only
    without = tree_map(torch.Tensor, lambda one: one.to("meta"), (args, kwargs))
    out = func(*without[0], **{**without[1], **({"device": "meta"} if "device" in kwargs else {})})
    return tree_map(torch.Tensor, lambda one: torch.full_like(one, _unlike(one.dtype), device="cpu"), out)


def _unlike(dtype: torch.dtype) -> float:
    return float("nan") if dtype.is_floating_point else dtype != torch.bool and 99


def _fill(func: Any, args: Any, kwargs: Any, outputs: list[torch.Tensor]) -> None:
    """Runs an operation on what lies in its inputs now."""
    with torch.utils._python_dispatch._disable_current_modes():
        for old, new in zip(outputs, _tensors(func(*args, **kwargs)), strict=False):
            if old.shape == new.shape:  # else it is one that nobody reads, such as a normalisation's statistics
                old.copy_(new)


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in torch.utils._pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)]
