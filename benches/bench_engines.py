"""Engines alone, on two threads: frames in memory to window errors, against PyTorch and ONNX Runtime.

The plain way is the network in PyTorch, float32, a window at a time. Weights are random: they cost what others cost.
OpenCV's DIS flow is OpenCV itself, so that it has no peer.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from abilities import abilities, read_cpuinfo
from oracles.motion import FLOW_VALUES, PAST
from oracles.plain_loop import PlainMethod, flipped_arrays
from pixelfast import _core
from pixelfast.flip.engine import load_flip_engine
from pixelfast.flow.dis import DisFlow
from pixelfast.methods.motion.engine import load_motion_engine
from pixelfast.methods.motion.export import write_motion
from pixelfast.methods.motion.network import FlowGru
from pixelfast.methods.reconstruction.engine import load_window_engine
from pixelfast.methods.reconstruction.export import export_onnx
from pixelfast.methods.reconstruction.quantize import write_bf16
from pixelfast.runtime.onnx import OnnxRunner
from threads import THREADS

WINDOW, SIZE, CELL = 16, 128, 16
BATCH = 8  # the fastest on CPUs: larger ones leave the cache
Frames = NDArray[np.uint8]
Size = Callable[[int, int], int]
HAS_BF16 = "bf16" in abilities(read_cpuinfo())


@pytest.fixture(scope="module")
def footage(frames: list[Path], size: Size) -> Frames:
    """Decoded frames u8[N,128,128]."""
    return _core.decode_frames(frames[: size(160, 40)], SIZE, SIZE, "grey", THREADS)[0]


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FlowGru]:
    """A motion engine and its network."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    network, path = FlowGru().eval(), tmp_path_factory.mktemp("motion") / "motion.onnx"
    write_motion(network, 1.0, PAST, path, threads=THREADS)
    return path, network


@pytest.mark.versus("engine_fp32", peer="PyTorch")
def test_fp32(contest, model: Path, footage: Frames, method: PlainMethod) -> None:
    """ae.onnx in OpenVINO, float32; PyTorch a window at a time."""
    against_a_window_at_a_time(contest, model / "ae.onnx", footage, method)


@pytest.mark.versus("engine_s4", peer="PyTorch", gated=False)
def test_stride_4(contest, model: Path, footage: Frames, method: PlainMethod) -> None:
    """ae.s4.onnx, every fourth window, in OpenVINO, float32; PyTorch the same windows, one at a time."""
    engine = model.parent / "ae.s4.onnx"
    if not engine.exists():
        export_onnx(model, engine, stride=4, threads=THREADS)
    against_a_window_at_a_time(contest, engine, footage, method, stride=4)


@pytest.mark.versus("engine_int8", peer="PyTorch")
def test_int8(contest, int8: Path, footage: Frames, method: PlainMethod) -> None:
    """ae.int8.onnx in OpenVINO; PyTorch in float32 a window at a time."""
    against_a_window_at_a_time(contest, int8, footage, method)


@pytest.mark.skipif(not HAS_BF16, reason="the CPU has no bfloat16 units")
@pytest.mark.versus("engine_bf16", peer="PyTorch", gated=False)
def test_bf16(contest, model: Path, footage: Frames, method: PlainMethod) -> None:
    """ae.bf16.onnx in OpenVINO; PyTorch in float32 a window at a time."""
    engine = model.parent / "ae.bf16.onnx"
    write_bf16(model / "ae.onnx", engine)
    against_a_window_at_a_time(contest, engine, footage, method)


@pytest.mark.versus("engine_fp32_batches", peer="PyTorch", gated=False, short=False)
def test_fp32_against_batches(contest, model: Path, footage: Frames, method: PlainMethod) -> None:
    """ae.onnx in OpenVINO, float32; PyTorch in batches of 8, channels last."""
    engine = load_window_engine(model / "ae.onnx", THREADS)
    network = method.autoencoder.to(memory_format=torch.channels_last)
    contest(
        ours=lambda: engine.errors(footage, 1),
        plain=lambda: by_batches(network, footage),
        items=len(footage) - WINDOW + 1,
        unit="windows",
    )
    network.to(memory_format=torch.contiguous_format)


@pytest.mark.versus("engine_fp32_onnxruntime", peer="ONNX Runtime", gated=False)
def test_fp32_against_onnx_runtime(contest, model: Path, footage: Frames) -> None:
    """ae.onnx in OpenVINO and in ONNX Runtime, float32."""
    engine, runner = load_window_engine(model / "ae.onnx", THREADS), OnnxRunner(model / "ae.onnx", THREADS)
    chunks = [footage[start : start + 64] for start in range(0, len(footage) - WINDOW + 1, 64 - WINDOW + 1)]
    contest(
        ours=lambda: engine.errors(footage, 1),
        plain=lambda: [runner(chunk) for chunk in chunks],
        items=len(footage) - WINDOW + 1,
        unit="windows",
    )


@pytest.mark.versus("engine_flip", peer="PyTorch", gated=False)
def test_flip(contest, model: Path, footage: Frames, method: PlainMethod) -> None:
    """The flip classifier in ONNX Runtime; PyTorch a frame at a time."""
    engine = load_flip_engine(model / "flip.onnx", SIZE, SIZE, THREADS)
    contest(
        ours=lambda: engine.probabilities(footage),
        plain=lambda: flipped_arrays(method.flip, footage),
        rounds=3,
        items=len(footage),
        unit="frames",
    )


@pytest.mark.versus("engine_motion", peer="PyTorch", gated=False)
def test_motion(contest, size: Size, motion: tuple[Path, FlowGru]) -> None:
    """The motion GRU in ONNX Runtime; PyTorch a sequence of 8 flows at a time."""
    path, network = motion
    engine, n_flows = load_motion_engine(path, THREADS), size(400, 30)
    flows = np.random.default_rng(0).standard_normal((n_flows + PAST, 2, 64, 64), dtype=np.float32)
    contest(
        ours=lambda: engine.errors(flows),
        plain=lambda: predict_one_at_a_time(network, flows),
        items=n_flows,
        unit="frames",
    )


@pytest.mark.versus("engine_dis_flow", peer=None)
def test_dis_flow(contest, frames: list[Path], size: Size) -> None:
    """OpenCV's DIS flow, preset medium, of 426x240 grey frames, two pairs at once."""
    flow = DisFlow("medium", THREADS)
    pictures = _core.decode_frames(frames[: size(120, 40)], 240, 426, "grey", THREADS)[0]
    contest(ours=lambda: flow.flow(pictures), items=len(pictures) - 1, unit="frames")


def against_a_window_at_a_time(contest, path: Path, footage: Frames, method: PlainMethod, stride: int = 1) -> None:
    engine = load_window_engine(path, THREADS)
    contest(
        ours=lambda: engine.errors(footage, stride),
        plain=lambda: a_window_at_a_time(method.autoencoder, footage, stride),
        rounds=3,
        warmup_rounds=0,  # the engine was tried as it was loaded
        items=(len(footage) - WINDOW) // stride + 1,
        unit="windows",
    )


@torch.no_grad()
def a_window_at_a_time(network: torch.nn.Module, footage: Frames, stride: int) -> NDArray[np.float32]:
    """Window errors f32[W,16,8,8], by a network of cuboids."""
    scaled = torch.from_numpy(footage).float() / 255
    starts = range(0, len(footage) - WINDOW + 1, stride)
    return torch.cat([cell_errors(network, scaled[None, start : start + WINDOW]) for start in starts]).numpy()


@torch.no_grad()
def by_batches(network: torch.nn.Module, footage: Frames) -> NDArray[np.float32]:
    """The same, several windows at once."""
    cuboids = (torch.from_numpy(footage).float() / 255).unfold(0, WINDOW, 1).permute(0, 3, 1, 2)  # [W, T, H, W]
    batches = [batch.contiguous(memory_format=torch.channels_last) for batch in cuboids.split(BATCH)]
    return torch.cat([cell_errors(network, batch) for batch in batches]).numpy()


def cell_errors(network: torch.nn.Module, cuboids: torch.Tensor) -> torch.Tensor:
    """f32[B,16,128,128] to mean squared errors f32[B,16,8,8]."""
    return F.avg_pool2d((network(cuboids) - cuboids) ** 2, CELL)


@torch.no_grad()
def predict_one_at_a_time(network: FlowGru, flows: NDArray[np.float32]) -> list[torch.Tensor]:
    """Each flow's squared error f32[8192] of its prediction from the eight before it."""
    flat = torch.from_numpy(flows).reshape(-1, FLOW_VALUES)
    targets = range(PAST, len(flat))
    return [(network(flat[None, index - PAST : index])[0] - flat[index]) ** 2 for index in targets]
