"""The networks: the source's parameters, folded normalisation, and the graphs against NumPy."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from oracles import networks as source
from pixelfast.flip.network import FlipClassifier, FlipGraph, halve
from pixelfast.methods.reconstruction.network import Normalisation, ReconstructionGraph, TemporalAutoencoder, fold


def noisy_frames(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 128, 128), dtype=np.uint8)


def lived_in(network: TemporalAutoencoder, seed: int = 0) -> TemporalAutoencoder:
    """Gives weights and running statistics values that are nothing like those of a fresh network."""
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in [*network.parameters(), *network.buffers()]:
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=draws) * 0.4 - 0.1)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_var.add_(0.5)
    return network.eval()


# The source's networks


def test_autoencoder_is_the_sources() -> None:
    ours, theirs = TemporalAutoencoder(), source.seeded_autoencoder(3)
    ours.load_state_dict(theirs.state_dict())  # strict: the same names and shapes
    cuboids = torch.rand(2, 16, 128, 128, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ours(cuboids), theirs(cuboids))


def test_autoencoder_has_5_5_million_weights_and_0_94_gmac() -> None:
    macs = 0

    def count(layer: nn.Conv2d | nn.ConvTranspose2d, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        nonlocal macs
        # A transposed convolution multiplies each input pixel with the whole kernel, a plain one each output pixel.
        pixels = (output if isinstance(layer, nn.Conv2d) else inputs[0]).shape[2:].numel()
        macs += pixels * layer.weight.numel()

    network = TemporalAutoencoder()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(count)
    network(torch.zeros(1, 16, 128, 128))
    assert sum(tensor.numel() for tensor in network.parameters()) == 5_539_216
    assert round(macs / 1e9, 2) == 0.94


def test_flip_classifier_is_the_sources() -> None:
    ours, theirs = FlipClassifier(), source.FlipClassifier()
    ours.load_state_dict(theirs.state_dict())
    frames = torch.rand(3, 1, 64, 64)
    torch.testing.assert_close(ours(frames), theirs(frames))
    torch.testing.assert_close(ours.flip_probability(frames), theirs(frames).softmax(1)[:, 1])


@pytest.mark.parametrize("width", [4, 32])
@pytest.mark.parametrize("normalisation", ["none", "batch"])
def test_autoencoder_keeps_the_shape_and_range(width: int, normalisation: Normalisation) -> None:
    network = TemporalAutoencoder(width, normalisation)
    output = network(torch.rand(2, 16, 32, 48))
    assert output.shape == (2, 16, 32, 48)
    assert 0 <= output.min() <= output.max() <= 1
    assert network.encoder[0].out_channels == width


def test_reconstruction_is_float32_under_autocast() -> None:
    network = TemporalAutoencoder(4, "batch")
    with torch.autocast("cpu", torch.bfloat16):
        output = network(torch.rand(1, 16, 32, 32))
    assert output.dtype == torch.float32
    assert len(output.unique()) > 1000  # bfloat16 has 128 values between 0.5 and 1


# Folding


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["none", "batch"]))
def test_folding_changes_nothing_in_evaluation(seed: int, normalisation: Normalisation) -> None:
    network = lived_in(TemporalAutoencoder(4, normalisation), seed)
    folded = fold(network)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in folded.modules())
    cuboids = torch.rand(2, 16, 32, 32, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(folded(cuboids), network(cuboids), rtol=1e-5, atol=1e-5)


def test_folding_uses_the_running_statistics() -> None:
    network = lived_in(TemporalAutoencoder(4, "batch"))
    before = fold(network)(torch.full((1, 16, 32, 32), 0.5))
    network.encoder[1].running_mean.add_(1)
    assert not torch.allclose(fold(network)(torch.full((1, 16, 32, 32), 0.5)), before)


# Graphs


@pytest.mark.parametrize("stride", [1, 3, 4, 16])
@pytest.mark.parametrize("count", [16, 21])
def test_reconstruction_graph_gives_the_mean_squared_error_of_each_cell(stride: int, count: int) -> None:
    network = lived_in(TemporalAutoencoder(4, "batch"))
    frames = noisy_frames(count)
    found = ReconstructionGraph(network, stride)(torch.from_numpy(frames)).detach().numpy()
    windows = sliding_window_view(frames, 16, axis=0)[::stride]  # [W, H, W, T]
    cuboids = np.moveaxis(windows, 3, 1).astype(np.float32) / 255
    difference = network(torch.from_numpy(cuboids)).detach().numpy() - cuboids
    expected = (difference.astype(np.float64) ** 2).reshape(-1, 16, 8, 16, 8, 16).mean(axis=(3, 5))
    assert found.shape == ((count - 16) // stride + 1, 16, 8, 8)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_flip_graph_looks_at_means_of_2x2_pixels() -> None:
    network = FlipClassifier()
    frames = noisy_frames(5)
    small = frames.reshape(5, 64, 2, 64, 2).mean(axis=(2, 4), dtype=np.float64) / 255
    np.testing.assert_allclose(halve(torch.from_numpy(frames) / 255)[:, 0].numpy(), small, atol=1e-6)
    expected = network(torch.from_numpy(small[:, None]).float()).softmax(1)[:, 1]
    torch.testing.assert_close(FlipGraph(network)(torch.from_numpy(frames)), expected)


def test_sizes_are_known_without_torch() -> None:
    code = "import sys, pixelfast.geometry; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
