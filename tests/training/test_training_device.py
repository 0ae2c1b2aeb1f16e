"""Training on a GPU: where the steps compute, without one; and their losses on one, where there is one."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from pixelfast.flip.network import FlipClassifier
from pixelfast.methods.motion.loop import gru_step
from pixelfast.methods.motion.network import FlowGru
from pixelfast.methods.reconstruction.loop import choose, train_step
from pixelfast.methods.reconstruction.network import TemporalAutoencoder
from pixelfast.methods.reconstruction.recipe import RECIPES
from pixelfast.training import device as where
from pixelfast.training.device import CPU, device_of, room, sent, training_device
from pixelfast.training.speed import Choice, usual_precision

CUDA = torch.device("cuda")
Place = Callable[[Callable[[], nn.Module]], nn.Module]
on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="training on a GPU needs an NVIDIA GPU")


def descent(network: nn.Module) -> torch.optim.Optimizer:
    """No fused Adam, which the meta device has not."""
    return torch.optim.SGD(network.parameters(), 1e-3)


def autoencoder_step(place: Place, precision: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    network: Any = place(lambda: TemporalAutoencoder(4))
    cuboids, target = torch.rand(2, 8, 16, 32, 32)
    choice = Choice(precision, True, 8, 1)  # type: ignore[arg-type]
    return network, train_step(network, descent(network), cuboids, target, choice)


def motion_step(place: Place, precision: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    network: Any = place(lambda: FlowGru(6))
    return network, gru_step(network, descent(network), torch.rand(4, 9, 8192), precision)  # type: ignore[arg-type]


steps = pytest.mark.parametrize("step", [autoencoder_step, motion_step])
Step = Callable[[Place, str], tuple[nn.Module, Tensor]]


class OneDevice(TorchDispatchMode):
    """Refuses operations on tensors of two devices, but for copies."""

    def __torch_dispatch__(self, func: Any, types: object, args: object = (), kwargs: Any = None) -> object:
        out = func(*args, **(kwargs or {}))  # type: ignore[misc]
        leaves = torch.utils._pytree.tree_leaves((args, kwargs, out))
        devices = {leaf.device.type for leaf in leaves if isinstance(leaf, Tensor) and leaf.ndim}
        assert len(devices) < 2 or "copy" in func.overloadpacket.__name__, f"{func} works on {devices}"
        return out


@steps
def test_a_step_sends_its_batch_where_the_network_is(step: Step) -> None:
    """The meta device stands for CUDA; what it cannot do is bfloat16, which a CPU does by the same code."""
    with OneDevice():
        network, loss = step(lambda make: make().to("meta"), "fp32")
    assert loss.device.type == "meta"
    assert {one.grad.device.type for one in network.parameters() if one.grad is not None} == {"meta"}
    assert all(one.grad is not None for one in network.parameters())


@steps
@on_a_gpu
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("bf16", 2e-2)])
def test_a_step_on_a_gpu_has_the_loss_of_a_cpu(step: Step, precision: str, tolerance: float) -> None:
    _, there = step(lambda make: make().to(training_device()), precision)
    _, here = step(lambda make: make(), "fp32")
    assert there.item() == pytest.approx(here.item(), rel=tolerance)


def test_without_a_gpu_it_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert training_device() == CPU
    assert device_of(FlipClassifier()) == CPU


def test_a_gpu_is_asked_for_the_same_bits_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(os, "environ", {})
    assert training_device() == CUDA
    assert os.environ == dict([where._CUBLAS_WORKSPACE])


@pytest.mark.parametrize(("bf16", "precision"), [(True, "bf16"), (False, "fp32")])
def test_a_gpu_takes_whole_batches_in_what_it_multiplies(
    monkeypatch: pytest.MonkeyPatch, bf16: bool, precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bf16)
    assert usual_precision(device=CUDA) == precision
    source = RECIPES["source"].own
    found = choose(source, precision=None, batch=None, threads=2, device=CUDA)
    assert found == Choice(precision, True, 32, 2)  # type: ignore[arg-type]


def test_what_is_sent_to_a_cpu_is_not_copied() -> None:
    values = torch.from_numpy(room((2, 3), CPU))
    assert sent(values, CPU).data_ptr() == values.data_ptr()
    assert room((2, 3), CUDA).dtype == np.float32
