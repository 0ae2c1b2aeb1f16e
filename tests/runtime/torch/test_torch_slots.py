"""Pieces, slots and graphs of the PyTorch engines, on a CPU with CUDA's streams, events and graphs simulated."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

import lazy_cuda
from pixelfast.errors import EngineError
from pixelfast.runtime.pieces import Buckets, Span, buckets
from pixelfast.runtime.torch.choice import MEASURED, TorchChoice
from pixelfast.runtime.torch.graph import TorchGraph
from ports import ends

SIZES = Buckets((2, 8, 32))
WINDOW = 3


class Sums(nn.Module):
    """`items` u8[N, 4] to f32[(N-3)//stride+1, 2, 2]: the sums of windows, twice over; `most` are all that fit."""

    def __init__(self, stride: int, most: int = 32) -> None:
        super().__init__()
        self.stride, self.most = stride, most

    def forward(self, items: Tensor) -> Tensor:
        sums = items.float().unfold(0, WINDOW, self.stride).sum(dim=2)  # [R, 4]
        if len(sums) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return (2 * sums).reshape(-1, 2, 2)


def sums(items: NDArray[np.uint8], stride: int) -> NDArray[np.float32]:
    starts = range(0, len(items) - WINDOW + 1, stride)
    return np.array([2.0 * items[start : start + WINDOW].sum(axis=0) for start in starts], np.float32).reshape(-1, 2, 2)


def engine(module: nn.Module, stride: int, speedup: str = "graph") -> TorchGraph:
    ports = ends(Span(WINDOW, stride), (4,), "uint8", (2, 2))
    choice = TorchChoice("cpu", "fp32", speedup)
    return TorchGraph(Path("a.safetensors"), module, ports, choice, SIZES, threads=1, in_slots=True)


def some_items(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 4), dtype=np.uint8)


@given(
    most=st.integers(1, 300),
    least=st.integers(1, 16),
    results=st.integers(0, 2000),
    step=st.sampled_from([2, 4]),
    span=st.builds(Span, st.integers(1, 16), st.integers(1, 20)),
)
def test_pieces_follow_each_other_and_are_half_full(most: int, least: int, results: int, step: int, span: Span) -> None:
    sizes = buckets(most, least, step)
    cut = sizes.cut(results, span)
    assert sum(piece.results for piece in cut) == results
    firsts = [span.stride * sum(piece.results for piece in cut[:index]) for index in range(len(cut))]
    assert firsts == [piece.start for piece in cut]
    for piece in cut:
        size = span.results(piece.fed)
        assert size in sizes.sizes
        assert piece.fed == span.items(size)
        assert piece.end - piece.start == span.items(piece.results)
        assert piece.results <= size <= max(2 * piece.results, sizes.sizes[0])
    assert all(one.results == span.results(one.fed) for one, _ in pairwise(cut))
    assert [piece.fed for piece in sizes.cut(results, span, 99)] == [max(99, piece.fed) for piece in cut]


def test_sizes() -> None:
    assert buckets(256, least=16).sizes == (16, 64, 256)
    assert buckets(1).sizes == (1,)
    shrinking = [buckets(64, least=4)]
    while (smaller := shrinking[-1].smaller()) is not None:
        shrinking.append(smaller)
    assert [one.sizes for one in shrinking] == [(4, 16, 64), (4, 16, 32), (4, 16), (4, 8), (4,)]


@pytest.mark.parametrize("speedup", ["graph", "none"])
@pytest.mark.parametrize("stride", [1, 2, 5])
def test_slots_give_what_a_direct_call_gives(speedup: str, stride: int) -> None:
    graph = engine(Sums(stride), stride, speedup)
    with lazy_cuda.lazy_streams() as simulation:
        for seed, count in enumerate([3, 4, 9, 200, 120, 10, 500, 3]):
            items = some_items(count, seed)
            np.testing.assert_array_equal(graph(items), sums(items, stride))
    assert (graph.fallback, graph.buckets) == (None, SIZES)
    assert (simulation.captures > 0) == (speedup == "graph")


def test_a_graph_is_captured_once_for_each_size_and_slot() -> None:
    graph = engine(Sums(1), 1)
    with lazy_cuda.lazy_streams() as simulation:
        for _ in range(3):
            graph(some_items(64 + 8 + 2 + WINDOW - 1))  # 32, 32, 8 and 2 results
        assert simulation.captures == 4
        graph(some_items(96 + 8 + 2 + WINDOW - 1))
        assert simulation.captures == 6


@pytest.mark.parametrize("method", ["wait_event", "synchronize"])
def test_the_simulation_finds_races(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, items = engine(Sums(1), 1), some_items(200)
    with lazy_cuda.lazy_streams():
        np.testing.assert_array_equal(graph(items), sums(items, 1))
        monkeypatch.setattr(lazy_cuda.Stream if method == "wait_event" else lazy_cuda.Event, method, _nothing)
        assert not np.array_equal(graph(items[::-1]), sums(items[::-1], 1))


@settings(max_examples=30, deadline=None)
@given(turns=st.lists(st.integers(-1, 2), min_size=1, max_size=200), speedup=st.sampled_from(["graph", "none"]))
def test_results_hold_in_any_order_that_streams_allow(turns: list[int], speedup: str) -> None:
    turn = iter(turns * 50)

    def pick(busy: list[int]) -> int | None:
        number = next(turn, -1)
        return None if number < 0 or not busy else busy[number % len(busy)]

    graph, items = engine(Sums(2), 2, speedup), some_items(300)
    with lazy_cuda.lazy_streams(pick):
        for count in (300, 9, 150):
            np.testing.assert_array_equal(graph(items[:count]), sums(items[:count], 2))


def test_after_an_interrupt_nothing_is_under_way_and_the_next_call_works(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, items = engine(Sums(1), 1), some_items(300)
    with lazy_cuda.lazy_streams() as simulation:
        graph(items)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(lazy_cuda.Event, "synchronize", interrupted)
            graph(items)
        assert not simulation.device.busy()
        np.testing.assert_array_equal(graph(items[::-1]), sums(items[::-1], 1))


def interrupted(event: lazy_cuda.Event) -> None:
    raise KeyboardInterrupt


def _nothing(*_: object) -> None:
    pass


def test_where_no_graph_can_be_captured_it_goes_on_without() -> None:
    graph = engine(Sums(1), 1)
    items = some_items(100)
    np.testing.assert_array_equal(graph(items), sums(items, 1))
    assert graph.fallback == "operation not permitted when stream is capturing"


@pytest.mark.parametrize("speedup", ["graph", "none"])
def test_pieces_get_smaller_where_memory_ends(speedup: str) -> None:
    graph = engine(Sums(1, most=9), 1, speedup)
    items = some_items(100)
    with lazy_cuda.lazy_streams():
        np.testing.assert_array_equal(graph(items), sums(items, 1))
        np.testing.assert_array_equal(graph(items[:50]), sums(items[:50], 1))
    assert graph.buckets == Buckets((2, 8))


def test_where_not_even_the_smallest_fits_there_is_a_sentence() -> None:
    with lazy_cuda.lazy_streams(), pytest.raises(EngineError) as caught:
        engine(Sums(1, most=1), 1)(some_items(100))
    assert str(caught.value) == "a.safetensors: the engine fails on [100, 4]: the GPU's memory is full"


def test_memory_that_ends_in_a_capture_is_told_from_a_capture_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = engine(Sums(1), 1)
    begun = lazy_cuda.Capture.__enter__

    def full(capture: lazy_cuda.Capture) -> None:
        begun(capture)
        if graph.buckets.largest > 8:
            try:
                raise torch.OutOfMemoryError("CUDA out of memory")
            finally:
                capture.__exit__(torch.OutOfMemoryError, None, None)

    monkeypatch.setattr(lazy_cuda.Capture, "__enter__", full)
    items = some_items(100)
    with lazy_cuda.lazy_streams():
        np.testing.assert_array_equal(graph(items), sums(items, 1))
    assert (graph.buckets, graph.fallback) == (Buckets((2, 8)), None)


def test_a_failure_of_pytorch_gets_a_sentence_and_the_next_call_works() -> None:
    module = Sums(1)
    graph = engine(module, 1)
    with lazy_cuda.lazy_streams():
        graph(some_items(30))
        module.stride = -1
        with pytest.raises(EngineError, match=r"a\.safetensors: the engine fails on \[100, 4\]: "):
            graph(some_items(100))
        module.stride = 1
        np.testing.assert_array_equal(graph(some_items(100)), sums(some_items(100), 1))


def test_items_of_another_kind_get_a_sentence() -> None:
    graph = engine(Sums(1), 1)
    with pytest.raises(EngineError, match=r"takes items uint8 \[\?, 4\], not float32 \[9, 5\]"):
        graph(np.zeros((9, 5), np.float32))


def test_compiled() -> None:
    graph = engine(Sums(1), 1, "compile")
    items = some_items(12)
    np.testing.assert_array_equal(graph(items), sums(items, 1))


def test_without_a_compiler_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(module: nn.Module, *, dynamic: bool) -> nn.Module:
        raise_when_called = Sums(1)
        monkeypatch.setattr(raise_when_called, "forward", no_compiler)
        return raise_when_called

    def no_compiler(items: Tensor) -> Tensor:
        raise FileNotFoundError("no C compiler\nwas found")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(EngineError) as caught:
        engine(Sums(1), 1, "compile")(some_items(12))
    mend = f"take the speedup graph, or delete {MEASURED.file} if that chose it"
    assert str(caught.value) == f"a.safetensors: torch.compile fails here (no C compiler); {mend}"


def test_cudnn_is_left_as_it_was() -> None:
    cudnn = torch.backends.cudnn
    before = (cudnn.benchmark, cudnn.allow_tf32)
    module = Settings()
    engine(module, 1)(some_items(100))
    assert (module.seen, (cudnn.benchmark, cudnn.allow_tf32)) == ({(True, False)}, before)


class Settings(Sums):
    """Notes cuDNN's settings."""

    def __init__(self) -> None:
        super().__init__(1)
        self.seen: set[tuple[bool, bool]] = set()

    def forward(self, items: Tensor) -> Tensor:
        self.seen.add((torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32))
        return super().forward(items)


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="PyTorch before 2.9 has only the older settings")
@pytest.mark.parametrize("where", ["torch.backends.cudnn.conv", "torch.backends"])
def test_a_process_with_the_newer_settings(where: str) -> None:
    """They cannot be undone in this process: PyTorch would complain to whoever asks the older way."""
    code = f"""
import torch, numpy, pytest, lazy_cuda, test_torch_slots as tests
{where}.fp32_precision = "ieee" if "conv" in "{where}" else "tf32"
lazy_cuda.simulate_cuda(pytest.MonkeyPatch())
before = torch.backends.cudnn.conv.fp32_precision
items = tests.some_items(9)
numpy.testing.assert_array_equal(tests.engine(tests.Sums(1), 1)(items), tests.sums(items, 1))
assert torch.backends.cudnn.conv.fp32_precision == before
assert not torch.backends.cudnn.benchmark
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent, env=environment)
