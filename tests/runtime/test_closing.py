"""What an engine holds is given back at once: when it is closed, and when the last reference to it goes."""

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import lazy_cuda
from fake_plan import FakePlan
from footage import walking_square
from made_cuda import MadeCuda
from pixelfast.errors import EngineError
from pixelfast.flip.engine import load_flip_engine
from pixelfast.flow.raft import RaftFlow
from pixelfast.methods.fastest import fastest_engine
from pixelfast.methods.reconstruction.engine import AE, FrameEngine, load_window_engine, window_engine
from pixelfast.model.names import EngineName
from pixelfast.runtime.onnx import OnnxRunner
from pixelfast.runtime.openvino import OpenVinoFrames
from pixelfast.runtime.pieces import Buckets, Span
from pixelfast.runtime.runner import Loaded
from pixelfast.runtime.tensorrt.cuda import Cuda
from pixelfast.runtime.tensorrt.runner import TensorRtRunner
from pixelfast.runtime.torch.choice import TorchChoice, TorchWish
from pixelfast.runtime.torch.gpu import TorchDevice
from pixelfast.runtime.torch.graph import TorchGraph
from pixelfast.runtime.torch.runner import LoadedWeights, TorchRunner, Weights
from pixelfast.runtime.trial import Agreement, Candidate, EngineKind, Subject, try_engine
from ports import ends
from tiny_engines import (
    GRID,
    SIZE,
    WINDOW,
    window_errors,
    write_cuboid_engine,
    write_flip_engine,
    write_frame_engine,
    write_model,
)

FRAMES = walking_square(80, seed=3, size=SIZE)


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    """A reference that leads back to itself keeps everything, then."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> MadeCuda:
    return MadeCuda().put(monkeypatch)


def plan_runner(gpu: MadeCuda) -> tuple[TensorRtRunner, FakePlan]:
    def errors(frames: np.ndarray) -> np.ndarray:
        return window_errors(frames, range(len(frames) - WINDOW + 1)).astype(np.float32)

    inputs = [("frames", "uint8", (-1, SIZE, SIZE))]
    outputs = [("window_errors", "float32", (-1, WINDOW, GRID, GRID)), ("latent", "float32", (-1, 3))]
    plan = FakePlan(gpu, errors, inputs, outputs, (16, 24, 48))  # type: ignore[arg-type]
    return TensorRtRunner(Path("ae.plan"), plan.opened(), Cuda()), plan


def test_a_plan_that_is_dropped_gives_the_gpus_memory_back(gpu: MadeCuda) -> None:
    runner, plan = plan_runner(gpu)
    runner(FRAMES)
    assert sum(memory.nbytes for memory in gpu.held.values()) > 2 * 24 * SIZE * SIZE
    opened = weakref.ref(plan)
    del runner, plan
    assert not gpu.held
    assert opened() is None


def test_a_plan_that_failed_and_is_dropped_gives_it_back(gpu: MadeCuda) -> None:
    runner, plan = plan_runner(gpu)
    plan.fails_at = 1
    with pytest.raises(EngineError, match="out of luck"):
        runner(FRAMES)
    runner.close()
    assert not gpu.held


def test_a_plan_that_is_closed_gives_it_back_and_is_called_no_more(gpu: MadeCuda) -> None:
    runner, _ = plan_runner(gpu)
    with runner as same:
        assert same is runner
        runner(FRAMES)
    assert not gpu.held
    runner.close()
    with pytest.raises(EngineError, match=r"^ae\.plan: this engine is closed: load it again$"):
        runner(FRAMES)


def test_a_plan_that_finds_no_room_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = MadeCuda(memory_bytes=3 * 24 * SIZE * SIZE).put(monkeypatch)
    with pytest.raises(EngineError, match="the GPU fails in cudaMalloc"):
        plan_runner(gpu)
    assert not gpu.held


@pytest.mark.parametrize("close", [True, False])
def test_a_session_of_onnx_runtime_goes_with_its_runner(tmp_path: Path, close: bool) -> None:
    runner = OnnxRunner(write_frame_engine(tmp_path / "ae.onnx"), 1)
    runner(FRAMES)
    session = weakref.ref(runner._session)  # type: ignore[arg-type]
    if close:
        runner.close()
        assert session() is None
        with pytest.raises(EngineError, match=r"ae\.onnx: this engine is closed"):
            runner(FRAMES)
    del runner
    assert session() is None


@pytest.mark.parametrize("close", [True, False])
def test_the_requests_of_openvino_go_with_their_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, close: bool
) -> None:
    monkeypatch.setattr("pixelfast.runtime.onnx.has_driver", lambda: False)
    engine = load_window_engine(write_frame_engine(tmp_path / "ae.onnx"), 2)
    engine.errors(FRAMES, 1)
    runner = engine._run
    assert isinstance(runner, OpenVinoFrames)
    requests = [weakref.ref(one) for one in runner._requests]
    if close:
        runner.close()
    del runner, engine
    assert requests
    assert all(one() is None for one in requests)


class Tripled(nn.Module):
    """`items` u8[N, 4] to f32[N, 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.full((1,), 3.0))

    def forward(self, items: Tensor) -> Tensor:
        return items.float() * self.factor


@pytest.mark.parametrize("close", [True, False])
@pytest.mark.parametrize("speedup", ["graph", "none"])
def test_pytorchs_buffers_and_weights_go_with_their_graph(
    monkeypatch: pytest.MonkeyPatch, speedup: str, close: bool
) -> None:
    lazy_cuda.simulate_cuda(monkeypatch)
    buffers, allocate = [], TorchDevice.allocate

    def noted(device: TorchDevice, size: int) -> Tensor:
        memory = allocate(device, size)
        buffers.append(weakref.ref(memory))
        return memory

    monkeypatch.setattr(TorchDevice, "allocate", noted)
    module = Tripled()
    weight, choice = weakref.ref(module.factor), TorchChoice("cpu", "fp32", speedup)
    ports = ends(Span(1), (4,), "uint8", (4,))
    graph = TorchGraph(Path("a.safetensors"), module, ports, choice, Buckets((2, 8)), threads=1, in_slots=True)
    del module
    items = np.arange(80, dtype=np.uint8).reshape(20, 4)
    with lazy_cuda.lazy_streams():
        np.testing.assert_array_equal(graph(items), 3.0 * items)
    assert len(buffers) == 4
    if close:
        graph.close()
        with pytest.raises(EngineError, match=r"^a\.safetensors: this engine is closed"):
            graph(items)
    else:
        del graph
    assert [one() for one in (*buffers, weight)] == [None] * 5


@pytest.mark.parametrize("close", [True, False])
def test_weights_go_with_the_runner_of_pytorch(tmp_path: Path, close: bool) -> None:
    module = Tripled()
    weight = weakref.ref(module.factor)
    graphs: list[nn.Module] = [module]

    def load(path: Path, device: str) -> LoadedWeights:
        own = graphs.pop()
        return LoadedWeights(ends(Span(1), (4,), "uint8", (4,)), Buckets((8,)), lambda *_: own, {"kind": "own"})

    del module
    runner = TorchRunner(tmp_path / "own.safetensors", Weights("own", load), 1, TorchWish("cpu"))
    items = np.arange(80, dtype=np.uint8).reshape(20, 4)
    at_two = runner.at_stride(2)
    np.testing.assert_array_equal(runner(items), 3.0 * items)
    if close:
        runner.close()
        for call in (runner, at_two):
            with pytest.raises(EngineError, match=r"own\.safetensors: this engine is closed"):
                call(items)
    else:
        del runner, at_two
    assert weight() is None


def test_an_engine_closes_what_runs_it(tmp_path: Path, gpu: MadeCuda) -> None:
    engine = window_engine(plan_runner(gpu)[0], 1)
    with engine:
        assert gpu.held
    assert not gpu.held
    with pytest.raises(EngineError, match=r"ae\.plan: this engine is closed"):
        engine.errors(FRAMES, 1)


@pytest.mark.parametrize(
    "load",
    [
        lambda folder: load_window_engine(write_frame_engine(folder / "ae.onnx"), 1),
        lambda folder: load_window_engine(write_cuboid_engine(folder / "ae.onnx"), 1),
        lambda folder: FrameEngine(OnnxRunner(write_frame_engine(folder / "ae.onnx"), 1), loaded_facts(folder)),
    ],
)
def test_no_engine_is_called_once_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Callable[[Path], FrameEngine]
) -> None:
    monkeypatch.setattr("pixelfast.runtime.onnx.has_driver", lambda: False)
    with load(tmp_path) as engine:
        engine.errors(FRAMES, 1)
    with pytest.raises(EngineError, match=r"ae\.onnx: this engine is closed: load it again"):
        engine.errors(FRAMES, 1)


def loaded_facts(folder: Path) -> object:
    engine = load_window_engine(folder / "ae.onnx", 1)
    assert isinstance(engine, FrameEngine)
    assert isinstance(engine._run, OpenVinoFrames)
    return engine.facts


def test_the_flip_classifier_and_raft_close_theirs(tmp_path: Path, raft_files: Path) -> None:
    with load_flip_engine(write_flip_engine(tmp_path / "flip.onnx"), SIZE, SIZE, 1) as flip:
        flip.probabilities(FRAMES)
    with pytest.raises(EngineError, match=r"flip\.onnx: this engine is closed"):
        flip.probabilities(FRAMES)
    with RaftFlow(raft_files / "raft.onnx", 1) as flow:
        frames = np.zeros((2, *flow.size(0, 0), 3), np.uint8)
    with pytest.raises(EngineError, match=r"raft\.onnx: this engine is closed"):
        flow.flow(frames)


class Noted(Loaded):
    """An engine that notes when it is closed."""

    def __init__(self) -> None:
        self.closed = 0
        self.remarks = ("it is made up",)

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("fails", [False, True])
def test_an_engine_on_trial_is_closed_whatever_comes_of_it(fails: bool) -> None:
    def run(engine: Noted, inputs: np.ndarray) -> np.ndarray:
        assert not engine.closed
        if fails:
            raise EngineError("it fails")
        return inputs

    engine = Noted()
    subject = Subject(np.zeros((4, 2)), run, lambda found, expected: Agreement("the same", enough=True))
    kind = EngineKind("own", lambda *_: engine, lambda *_: engine, lambda *_: subject, compared=4, lengths=(4,))
    trial = try_engine(Candidate(Path("own.onnx"), "own.onnx", kind, 1, lambda: engine), subject, np.zeros(4), 0.001)
    assert engine.closed == 1
    assert (trial.passed, trial.remark) == ((False, "it fails") if fails else (True, "it is made up"))


def test_whoever_looks_for_the_fastest_engine_closes_all_that_it_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    model = write_model(tmp_path / "model")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x08\x07broken")
    model = model.add({"ae.int8.onnx": broken, "ae.bf16.onnx": write_frame_engine(tmp_path / "half.onnx")})
    opened, closed = [], []
    begun, close = FrameEngine.__init__, FrameEngine.close
    monkeypatch.setattr(FrameEngine, "__init__", lambda one, *given: (opened.append(one), begun(one, *given))[1])
    monkeypatch.setattr(FrameEngine, "close", lambda one: (closed.append(one), close(one))[1])
    fastest_engine(model, EngineName("ae"), AE, 1)
    assert len(opened) >= 2
    assert set(map(id, opened)) == set(map(id, closed))
