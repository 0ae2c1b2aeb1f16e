"""CUDA's streams, events and graphs on a CPU, as far as `engines.torch_slots` uses them; it finds races.

Everything runs at once, but as if it did not: each stream, and the host, has a clock of what is known to have happened
before. An access to memory that another one, not known to be over, may still write (or read, where this one writes) is
a race. A captured graph is the list of operations, run again on the same tensors.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

Clock = dict[object, int]


class Simulation(TorchDispatchMode):
    """Active where races are to be found and graphs to be captured; without it streams and events do nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.host: Clock = {}
        self.streams: dict[object, Clock] = {}
        self.current: object | None = None
        self.writes: dict[int, tuple[object, int]] = {}
        self.reads: dict[int, dict[object, int]] = {}
        self.capturing: list[tuple[Any, Any, Any, Any]] | None = None
        self.captures = 0
        self.alive: list[torch.Tensor] = []  # so that no address is given out twice

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        inputs, outputs = _tensors((args, kwargs)), _tensors(out)
        self.alive += outputs
        view = not func._schema.is_mutable and any(_place(one) == _place(two) for one in inputs for two in outputs)
        written = inputs[:1] if func._schema.is_mutable else outputs
        if self.capturing is not None and not view:
            self.capturing.append((func, args, kwargs, outputs))
        elif self.current is not None and not view:
            self.access([one for one in inputs if one is not written[0]] if written else inputs, written)
        elif self.current is None and view:
            self.access([], inputs[:1])  # the host looks into a buffer: it may read or write it
        return out

    def access(self, read: list[torch.Tensor], written: list[torch.Tensor]) -> None:
        """Notes an access by the stream that is the current one, or by the host, and checks it."""
        who = self.current or "host"
        clock = self.host if self.current is None else self.streams.setdefault(self.current, {})
        if self.current is not None:
            _merge(clock, self.host)  # what was enqueued comes after all that the host has done and seen
        clock[who] = clock.get(who, 0) + 1
        for tensor in read + written:
            _check(clock, [self.writes.get(_place(tensor), ("host", 0))], "written")
        for tensor in written:
            _check(clock, list(self.reads.get(_place(tensor), {}).items()), "read")
            self.writes[_place(tensor)] = (who, clock[who])
        for tensor in read:
            self.reads.setdefault(_place(tensor), {})[who] = clock[who]

    def replay(self, operations: list[tuple[Any, Any, Any, Any]]) -> None:
        for func, args, kwargs, outputs in operations:
            fresh = _tensors(func(*args, **kwargs))
            for old, new in zip(outputs, fresh, strict=True):
                if _place(old) != _place(new):
                    old.copy_(new)


class Stream:
    def wait_event(self, event: "Event") -> None:
        _now(lambda simulation: _merge(simulation.streams.setdefault(self, {}), event.clock))

    def synchronize(self) -> None:
        _now(lambda simulation: _merge(simulation.host, simulation.streams.setdefault(self, {})))


class Event:
    def __init__(self, blocking: bool = False) -> None:
        self.clock: Clock = {}

    def record(self, stream: Stream) -> None:
        def note(simulation: Simulation) -> None:
            self.clock = dict(simulation.streams.setdefault(stream, {}))

        _now(note)

    def synchronize(self) -> None:
        _now(lambda simulation: _merge(simulation.host, self.clock))


class Graph:
    def __init__(self) -> None:
        self.operations: list[tuple[Any, Any, Any, Any]] = []

    def replay(self) -> None:
        assert _active is not None
        assert _active.current is not None, "a graph is replayed in its stream"
        _active.replay(self.operations)


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
def simulated_races() -> Iterator[Simulation]:
    """Within, graphs can be captured, and races end in an AssertionError."""
    global _active  # noqa: PLW0603 - as the real device's state is
    _active = Simulation()
    try:
        with _active:
            yield _active
    finally:
        _active = None


def simulate_cuda(patch: pytest.MonkeyPatch) -> None:
    """Puts the simulation in the place of PyTorch's names; without `simulated_races` graphs cannot be captured."""
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
    before, _active.current = _active.current, stream
    try:
        yield
    finally:
        _active.current = before


def _synchronize() -> None:
    def note(simulation: Simulation) -> None:
        for clock in simulation.streams.values():
            _merge(simulation.host, clock)

    _now(note)


def _now(note: Any) -> None:
    if _active is not None:
        note(_active)


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in torch.utils._pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def _place(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _merge(clock: Clock, other: Clock) -> None:
    for who, tick in other.items():
        clock[who] = max(clock.get(who, 0), tick)


def _check(clock: Clock, accesses: list[tuple[object, int]], how: str) -> None:
    for who, tick in accesses:
        assert clock.get(who, 0) >= tick, f"a race: this memory may still be {how} by {who}"
