"""Where a forward pass of a model's network goes: its dearest kernels on a GPU, or operators on a CPU."""

import os
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from pixelfast.errors import PixelfastError, first_line
from pixelfast.model import Model
from pixelfast.runtime.pieces import Ports, sizes
from pixelfast.runtime.torch.runner import Weights
from pixelfast.runtime.trial import EngineKind
from pixelfast.verify.machine import Machine
from pixelfast.verify.whole_run import Facts

MOST: Final = 10
"""Kernels that are named."""

_PASSES: Final = 5
_LONGEST_NAME: Final = 90
"""Letters: a template's name of C++ goes on for lines."""


class Kernel(NamedTuple):
    """A kernel or operator: its name, its milliseconds a pass, its calls a pass, and its share of all of them."""

    name: str
    milliseconds: float
    calls: float
    share: float


def describe_kernels(model: Model, kind: EngineKind, machine: Machine) -> Facts:
    """Names the dearest kernels of a kind's network, as PyTorch runs it here; or says why they are not measured."""
    path = model.folder / f"{kind.stem}.safetensors"
    if kind.weights is None or path.name not in model.manifest.files or not machine.torch_installed:
        return [("dearest", f"not measured: it needs PyTorch and {path.name}")]
    device, what = ("cuda", "kernels in fp16") if machine.by_torch else ("cpu", "operators on the CPU in float32")
    try:
        found = dearest(kind.weights, path, device)
    except (PixelfastError, ImportError, OSError, RuntimeError) as error:
        return [("dearest", f"not measured: {first_line(error)}")]
    told = [(f"{place}.", _words(kernel)) for place, kernel in enumerate(found[:MOST], 1)]
    total = found[0].milliseconds / found[0].share if found[0].share else 0.0
    return [("dearest", f"{what}, of {path.name} by PyTorch, {total:.2f} ms a pass:"), *told]


def dearest(weights: Weights, path: Path, device: str) -> list[Kernel]:
    """The kernels of a pass on "cuda", or the operators on "cpu", the dearest first.

    Raises:
        PixelfastError: the file is missing, damaged, or holds something else.
        RuntimeError: PyTorch fails, for want of memory for instance.
    """
    import torch
    from torch.profiler import ProfilerActivity, profile

    on_gpu = device == "cuda"
    loaded = weights.load(path, device)
    module = loaded.graph(torch.float16 if on_gpu else torch.float32, 1).eval()
    module = module.to(device).to(memory_format=torch.channels_last)
    items = torch.from_numpy(_items(loaded.ports, loaded.at_once.largest)).to(device)
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else it prints lines of its own
    with torch.no_grad():
        module(items)
        with profile(activities=activities) as seen:
            for _ in range(_PASSES):
                module(items)
            if on_gpu:
                torch.cuda.synchronize()
    return ranked(seen.key_averages(), on_gpu=on_gpu)


def ranked(events: Any, *, on_gpu: bool) -> list[Kernel]:
    """The kernels among the averages of PyTorch's profiler, the dearest first; without a GPU its operators."""
    wanted = "CUDA" if on_gpu else "CPU"
    spent = [
        (event, event.self_device_time_total if on_gpu else event.self_cpu_time_total)
        for event in events
        if event.device_type.name == wanted
    ]
    total = sum(one for _, one in spent) or 1.0
    kernels = [Kernel(event.key, one / 1e3 / _PASSES, event.count / _PASSES, one / total) for event, one in spent]
    return sorted(kernels, key=lambda kernel: -kernel.milliseconds)


def _items(ports: Ports, results: int) -> Any:
    """Items that so many results are made from, at random."""
    shape = (ports.span.items(results), *sizes(ports.items))
    rng = np.random.default_rng(0)
    if ports.items.dtype == "uint8":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    return rng.standard_normal(shape).astype(ports.items.dtype)


def _words(kernel: Kernel) -> str:
    name = kernel.name if len(kernel.name) <= _LONGEST_NAME else f"{kernel.name[: _LONGEST_NAME - 1]}…"
    return f"{kernel.share:4.0%}, {kernel.milliseconds:.3f} ms in {kernel.calls:g} calls: {name}"
