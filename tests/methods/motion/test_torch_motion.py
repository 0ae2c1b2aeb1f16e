"""The motion method's PyTorch runners against ONNX Runtime, on a CPU; on a GPU where the machine has one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.overrides import TorchFunctionMode

from made_raft import HEIGHT, WIDTH
from pixelfast.errors import EngineError
from pixelfast.flow.raft import RaftFlow
from pixelfast.flow.raft_memory import pair_bytes
from pixelfast.flow.raft_network import Correlation
from pixelfast.methods.motion.engine import (
    PREDICTOR,
    MotionEngine,
    MotionEngineFacts,
    load_motion_engine,
    motion_engine,
)
from pixelfast.methods.motion.export import write_motion
from pixelfast.methods.motion.network import FlowGru, save_flow_gru
from pixelfast.methods.reconstruction.network import TemporalAutoencoder, save_autoencoder
from pixelfast.runtime.torch.choice import TorchWish
from pixelfast.runtime.torch.runner import TorchRunner
from pixelfast.training.made_up import moving_texture

PAST, SCALE, HIDDEN = 8, (0.37, 0.21), 12

FRAMES = moving_texture(7, HEIGHT, WIDTH)
MANY_FLOWS = PAST + 256 + 64 + 5
"""Predictions for pieces of three sizes on a GPU, the last of which is not full."""

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="the motion method on a GPU needs an NVIDIA GPU")


def predictor(weights: Path, *asked: str | None) -> MotionEngine:
    """The motion engine by PyTorch: device, precision and speedup, as far as they are asked for."""
    return load_motion_engine(weights, 1, wish=TorchWish(*asked))


def torch_flow(weights: Path, *asked: str | None, memory_bytes: int | None = None) -> RaftFlow:
    return RaftFlow(weights, 1, wish=TorchWish(*asked), memory_bytes=memory_bytes)


def some_flows(count: int) -> NDArray[np.float32]:
    unit = np.array(SCALE).reshape(2, 1, 1)
    return (unit * np.random.default_rng(count).standard_normal((count, 2, 64, 64))).astype(np.float32)


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the predictor, and the same as `motion.onnx` beside them."""
    torch.manual_seed(0)
    network, path = FlowGru(HIDDEN).eval(), tmp_path_factory.mktemp("motion") / "motion.safetensors"
    save_flow_gru(network, path, recipe="default", scale=SCALE, past=PAST)
    write_motion(network, SCALE, PAST, path.with_suffix(".onnx"), threads=1)
    return path


@pytest.fixture
def raft(raft_files: Path) -> Path:
    """Random weights of RAFT, and the same as `raft.onnx` beside them."""
    return raft_files / "raft.safetensors"


@pytest.mark.parametrize("flows", [PAST + 1, PAST + 2, 40, MANY_FLOWS])
def test_predictor_is_the_exported_file(motion: Path, flows: int) -> None:
    engine, before = predictor(motion, "cpu"), torch.get_num_threads()
    found = engine.errors(some_flows(flows))
    expected = load_motion_engine(motion.with_suffix(".onnx"), 1).errors(some_flows(flows))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert (found.shape, found.dtype) == ((flows - PAST, 8, 8), np.float32)
    assert (engine.facts, torch.get_num_threads()) == (MotionEngineFacts(PAST, 8), before)


@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 5e-3), ("bf16", 3e-2)])
def test_predictor_in_half_precision(motion: Path, precision: str, tolerance: float) -> None:
    flows = some_flows(40)
    found = predictor(motion, "cpu", precision).errors(flows)
    np.testing.assert_allclose(found, predictor(motion, "cpu").errors(flows), rtol=tolerance)


@needs_gpu
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-3), (None, 5e-3), ("bf16", 3e-2)])
@pytest.mark.parametrize("speedup", ["graph", "compile", "none"])
def test_predictor_on_a_gpu(motion: Path, speedup: str, precision: str | None, tolerance: float) -> None:
    runner = TorchRunner(motion, PREDICTOR, 1, TorchWish("cuda", precision, speedup))
    gpu, cpu = motion_engine(runner), predictor(motion, "cpu")
    for count in (PAST + 1, 40, MANY_FLOWS):
        flows = some_flows(count)
        np.testing.assert_allclose(gpu.errors(flows), cpu.errors(flows), rtol=tolerance)
    assert runner.fallback is None


@pytest.mark.parametrize("frames", [2, 3, 7])
def test_flow_is_that_of_the_exported_file(raft: Path, frames: int) -> None:
    engine = torch_flow(raft, "cpu", memory_bytes=3 * pair_bytes(HEIGHT, WIDTH))  # two pieces of 7 frames
    found, expected = engine.flow(FRAMES[:frames]), RaftFlow(raft.with_suffix(".onnx"), 1).flow(FRAMES[:frames])
    np.testing.assert_allclose(found, expected, atol=1e-4 * float(np.abs(expected).max()))
    assert (found.shape, found.dtype) == ((frames - 1, 2, 64, 64), np.float32)


def test_what_flow_asks_of_frames(raft: Path) -> None:
    engine, onnx = torch_flow(raft, "cpu"), RaftFlow(raft.with_suffix(".onnx"), 1)
    assert engine.size(720, 1280) == onnx.size(720, 1280) == (HEIGHT, WIDTH)
    assert (engine.color, engine.frame_bytes) == (onnx.color, onnx.frame_bytes)
    with pytest.raises(EngineError, match=r"takes frames uint8 \[\?, 120, 150, 3\], not uint8 \[2, 64, 64, 3\]"):
        engine.flow(np.zeros((2, 64, 64, 3), np.uint8))


@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 1e-2), ("bf16", 5e-2)])
def test_flow_in_half_precision(raft: Path, precision: str, tolerance: float) -> None:
    found, expected = (torch_flow(raft, "cpu", one).flow(FRAMES[:3]) for one in (precision, "fp32"))
    assert np.abs(found - expected).max() < tolerance * np.abs(expected).max()


@needs_gpu
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 2e-3), (None, 1e-2), ("bf16", 5e-2)])
@pytest.mark.parametrize("speedup", ["graph", "compile", "none"])
def test_flow_on_a_gpu(raft: Path, speedup: str, precision: str | None, tolerance: float) -> None:
    memory = 4 * pair_bytes(HEIGHT, WIDTH)  # pieces of four pairs, and of one
    gpu = torch_flow(raft, "cuda", precision, speedup, memory_bytes=memory)
    for frames in (FRAMES, FRAMES[:2]):
        found, expected = gpu.flow(frames), torch_flow(raft, "cpu").flow(frames)
        assert np.abs(found - expected).max() < tolerance * np.abs(expected).max()
    assert isinstance(gpu._run, TorchRunner)
    assert gpu._run.fallback is None


@torch.no_grad()
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=needs_gpu)])
def test_more_maps_than_cudnn_samples(device: str) -> None:
    """257 pairs of 16x16 features are 65,792 maps; 19 pairs at 640x360 are as many."""
    few, many = torch.randn(3, 8, 16, 16, generator=torch.Generator().manual_seed(0)), [0, 1, 2] * 86
    correlation = Correlation(2, 1).to(device)
    targets = torch.rand(257, 2, 16, 16, generator=torch.Generator().manual_seed(1)) * 15
    found = correlation(correlation.pyramid(few[many].to(device)), targets.to(device)).cpu()
    last = Correlation(2, 1)(Correlation(2, 1).pyramid(few[[1, 2]]), targets[-1:])
    assert found.shape == (257, 2 * 9, 16, 16)
    torch.testing.assert_close(found[-1:], last)


def test_the_sampler_is_not_cudnns() -> None:
    """On a GPU `grid_sample` may hand over to cuDNN, which fails on so many maps."""
    correlation, seen = Correlation(2, 1), Seen()
    with seen, torch.no_grad():
        correlation(correlation.pyramid(torch.zeros(2, 8, 16, 16)), torch.zeros(1, 2, 16, 16))
    assert torch.grid_sampler_2d in seen.functions
    assert not {torch.grid_sampler, torch.nn.functional.grid_sample} & seen.functions


class Seen(TorchFunctionMode):
    """Notes PyTorch's functions that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.functions: set[object] = set()

    def __torch_function__(self, func: Any, types: object, args: Any = (), kwargs: Any = None) -> Any:
        self.functions.add(func)
        return func(*args, **(kwargs or {}))


@needs_gpu
def test_flow_takes_what_memory_a_gpu_has(raft: Path) -> None:
    expected = torch_flow(raft, "cpu").flow(FRAMES)
    assert np.abs(torch_flow(raft).flow(FRAMES) - expected).max() < 1e-2 * np.abs(expected).max()


@pytest.mark.parametrize(("engine", "network"), [(predictor, "flow-gru"), (torch_flow, "raft-large")])
def test_other_weights_get_a_sentence(engine: Callable[[Path], object], network: str, tmp_path: Path) -> None:
    weights = TemporalAutoencoder(4).eval()
    save_autoencoder(weights, tmp_path / "ae.safetensors", recipe="default", trained_with={})
    (tmp_path / "notes.safetensors").write_text("no weights")
    for name, sentence in {
        "ae": f"does not hold the weights of a pixelfast {network}",
        "notes": "is damaged or no safetensors file",
        "missing": "there are no weights at",
    }.items():
        with pytest.raises(EngineError, match=sentence) as caught:
            engine(tmp_path / f"{name}.safetensors")
        assert f"{name}.safetensors" in str(caught.value)
