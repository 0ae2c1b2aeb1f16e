"""What the graphs of our engines record, and what no capture may do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import lazy_cuda
from made_raft import seeded_raft
from pixelfast.runtime import pieces
from pixelfast.runtime.pieces import Buckets
from pixelfast.runtime.torch.choice import TorchChoice
from pixelfast.runtime.torch.gpu import Layers, TorchDevice
from pixelfast.runtime.torch.graph import TorchGraph
from real_graphs import real, real_graph


class NoHost(TorchDispatchMode):
    """Refuses what a capture does: numbers of the host as tensors, tensors that are not on the device, and numbers
    read back. `lift_fresh` ends each `torch.tensor` and `as_tensor`, on whatever device it is made."""

    refused = frozenset({"lift_fresh", "lift_fresh_copy", "scalar_tensor", "_local_scalar_dense", "nonzero"})

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device, self.operations = device, 0

    def __torch_dispatch__(self, func: Any, types: object, args: object = (), kwargs: Any = None) -> object:
        assert func.overloadpacket.__name__ not in self.refused, f"{func} goes through the host"
        out = func(*args, **(kwargs or {}))  # type: ignore[misc]
        leaves = torch.utils._pytree.tree_leaves((args, kwargs, out))
        devices = {leaf.device.type for leaf in leaves if isinstance(leaf, Tensor)}
        assert devices <= {self.device}, f"{func} works on {devices}"
        self.operations += 1
        return out


@real
def test_replayed_graphs_are_the_layers(name: str) -> None:
    module, ports = real_graph(name)
    shape = (ports.span.items(7), *pieces.sizes(ports.items))
    items = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    fed = items if ports.items.dtype == "uint8" else items.astype(np.float32) / 255
    choice = TorchChoice("cpu", "fp32", "graph")
    graph = TorchGraph(Path("a.safetensors"), module, ports, choice, Buckets((1, 2)), threads=1, in_slots=True)
    layers = TorchGraph(Path("a.safetensors"), module, ports, choice, Buckets((7,)), threads=1)
    with lazy_cuda.lazy_streams() as simulation:
        found = graph(fed)
    np.testing.assert_allclose(found, layers(fed), rtol=1e-4, atol=1e-4)
    assert (graph.fallback, simulation.captures) == (None, 3)


@real
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_nothing_is_made_on_the_host_while_computing(name: str, dtype: torch.dtype) -> None:
    """Copying it over would wait for the device, which a capture forbids. The meta device stands for CUDA."""
    module, ports = real_graph(name, dtype)
    layers = Layers(module.eval().to("meta"), ports, TorchChoice("meta", "fp32", "none"), TorchDevice("meta"))
    items, results = (torch.empty(1 << 20, dtype=torch.uint8, device="meta") for _ in range(2))
    with torch.no_grad():
        work = layers.prepared(ports.span.items(2), items, results, lazy_cuda.Stream())
        with NoHost("meta") as watched:
            work()
    assert watched.operations > 5


@pytest.mark.parametrize(
    "made",
    [
        lambda items: items / torch.tensor(256, device="meta"),
        lambda items: items / torch.tensor(256),
        lambda items: items / torch.as_tensor(256, device="meta"),
        lambda items: items / torch.scalar_tensor(256, device="meta"),
        lambda items: items + torch.linspace(-4, 4, 9),
        lambda items: items + torch.arange(9).to("meta"),
        lambda items: items.sum().item(),
    ],
)
def test_what_a_capture_refuses_is_found(made: Callable[[Tensor], object]) -> None:
    with NoHost("meta"), pytest.raises(AssertionError, match=r"goes through the host|works on"):
        made(torch.zeros(9, device="meta"))


def test_torchvisions_own_correlation_is_what_a_capture_refuses() -> None:
    features = torch.zeros(1, 256, 16, 16, device="meta")
    block = seeded_raft(0).corr_block
    with torch.device("meta"), pytest.raises(AssertionError, match="goes through the host"), NoHost("meta"):
        block.build_pyramid(features, features)
    block.build_pyramid(features, features)
    with pytest.raises(AssertionError, match="works on"), NoHost("meta"):
        block.index_pyramid(features[:, :2])
