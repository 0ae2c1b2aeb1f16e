"""Each graph of our engines is one graph to torch.compile: nothing in it falls back to Python.

What Triton makes of it needs a GPU; that the tracing, and what its operations do on CUDA's tensors, is sound, does not.
"""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from pixelfast.runtime import pieces
from real_graphs import real, real_graph


def inputs(module_name: str, results: int) -> tuple[nn.Module, Tensor]:
    module, ports = real_graph(module_name)
    shape = (ports.span.items(results), *pieces.sizes(ports.items))
    items = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return module.eval(), torch.from_numpy(items if ports.items.dtype == "uint8" else items.astype(np.float32) / 255)


@real
def test_it_compiles_as_one_graph_and_gives_the_same_bits(name: str) -> None:
    module, items = inputs(name, 3)
    with torch.no_grad():
        compiled = torch.compile(module, backend="aot_eager", fullgraph=True, dynamic=False)
        np.testing.assert_array_equal(compiled(items).numpy(), module(items).numpy())


@real
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_it_runs_on_fake_tensors_of_cuda(name: str, dtype: torch.dtype) -> None:
    module, ports = real_graph(name, dtype)
    mode = FakeTensorMode(allow_non_fake_inputs=False)
    with mode, torch.no_grad():
        there = module.eval()._apply(lambda tensor: mode.from_tensor(tensor).to("cuda"))
        shape = (ports.span.items(3), *pieces.sizes(ports.items))
        found = there(torch.empty(shape, dtype=getattr(torch, ports.items.dtype), device="cuda"))
    assert found.device.type == "cuda"
    assert (found.dtype, tuple(found.shape)) == (torch.float32, (3, *pieces.sizes(ports.results)))
