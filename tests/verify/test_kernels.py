"""The dearest kernels of a network, or operators on a CPU."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from machines import WITHOUT
from pixelfast.errors import ModelError
from pixelfast.methods.motion.engine import PREDICTOR
from pixelfast.methods.motion.network import FlowGru, save_flow_gru
from pixelfast.methods.reconstruction.engine import AE, AUTOENCODER
from pixelfast.methods.reconstruction.network import TemporalAutoencoder, save_autoencoder
from pixelfast.model import Manifest, Model
from pixelfast.verify.kernels import MOST, dearest, describe_kernels, ranked

with_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="kernels need a GPU that PyTorch reaches")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_autoencoder(TemporalAutoencoder(4).eval(), tmp_path / "ae.safetensors", recipe="source", trained_with={})
    return tmp_path / "ae.safetensors"


def test_operators_of_a_cpu(weights: Path) -> None:
    found = dearest(AUTOENCODER, weights, "cpu")
    assert [kernel.milliseconds for kernel in found] == sorted((one.milliseconds for one in found), reverse=True)
    assert sum(kernel.share for kernel in found) == pytest.approx(1)
    convolutions = [kernel for kernel in found if "convolution" in kernel.name or "conv" in kernel.name]
    assert convolutions[0].milliseconds > 0
    assert any(kernel.calls == 4 for kernel in convolutions), "of the four layers that scale up"


def test_any_kind_of_weights_is_measured(tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_flow_gru(FlowGru(16).eval(), tmp_path / "motion.safetensors", recipe="source", scale=0.1, past=8)
    assert any(
        "gru" in kernel.name or "mm" in kernel.name
        for kernel in dearest(PREDICTOR, tmp_path / "motion.safetensors", "cpu")
    )


def test_kernels_of_a_gpu_are_told_from_what_the_host_did() -> None:
    def event(name: str, device: str, host: float, gpu: float) -> SimpleNamespace:
        kind = SimpleNamespace(name=device)
        return SimpleNamespace(
            key=name, device_type=kind, self_cpu_time_total=host, self_device_time_total=gpu, count=10
        )

    events = [event("aten::conv", "CPU", 900, 40), event("copy", "CUDA", 0, 250), event("xmma", "CUDA", 0, 750)]
    xmma, copy = ranked(events, on_gpu=True)
    assert (xmma.name, xmma.share, xmma.milliseconds, xmma.calls) == ("xmma", 0.75, 0.15, 2)
    assert copy.name == "copy"
    assert [kernel.name for kernel in ranked(events, on_gpu=False)] == ["aten::conv"]


def test_the_dearest_are_named_and_what_is_missing_is_said(weights: Path, tmp_path: Path) -> None:
    model = Model.write(weights.parent, tmp_path / "model", Manifest("reconstruction", "source", 16, 128, 128, 8))
    first, *others = describe_kernels(model, AE, WITHOUT)
    assert first[0] == "dearest"
    assert first[1].startswith("operators on the CPU in float32, of ae.safetensors by PyTorch, ")
    assert 3 < len(others) <= MOST
    assert [name for name, _ in others] == [f"{place}." for place in range(1, len(others) + 1)]
    missing = [("dearest", "not measured: it needs PyTorch and ae.safetensors")]
    assert describe_kernels(model, AE, replace(WITHOUT, torch_installed=False)) == missing
    assert describe_kernels(model, replace(AE, weights=None), WITHOUT) == missing


def test_damaged_weights_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ae.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError):
        dearest(AUTOENCODER, tmp_path / "ae.safetensors", "cpu")


@with_gpu
def test_kernels_of_a_gpu(weights: Path) -> None:
    found = dearest(AUTOENCODER, weights, "cuda")
    assert sum(kernel.share for kernel in found) == pytest.approx(1)
    assert not any(kernel.name.startswith("aten::") for kernel in found)
