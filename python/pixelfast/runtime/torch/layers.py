"""The layers of a graph on a GPU: compiled where that was chosen, and captured once for each buffer and size."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn

from pixelfast.runtime.pieces import Ports, sizes
from pixelfast.runtime.runner import Tensor as Port
from pixelfast.runtime.runner import first_line
from pixelfast.runtime.torch.choice import TorchChoice
from pixelfast.runtime.torch.device import PROCESS_WIDE, TorchDevice, out_of_memory

_WARM_UPS: Final = 3
"""Runs before a graph is captured (PyTorch's documentation of CUDA graphs): cuDNN measures its algorithms and cuBLAS
takes its workspace in them, neither of which a graph could hold."""


class CompileError(Exception):
    """torch.compile fails on this machine; the text says why."""


class Layers:
    """Puts calls into a stream: replays of CUDA graphs, or the layers one after another where there can be none.

    Call it without gradients; after an exception, take a new one.

    Args:
        module: items in, f32 results out, on the device already.
        ports: what goes in and comes out.
        choice: how to compute.
        device: what captures graphs.

    Attributes:
        fallback: why no CUDA graph could be captured; None while all is well.
    """

    def __init__(self, module: nn.Module, ports: Ports, choice: TorchChoice, device: TorchDevice) -> None:
        self.fallback: str | None = None
        self._ports, self._device = ports, device
        self._compiles, self._captures = choice.speedup == "compile", choice.speedup != "none"
        self._module: Any = torch.compile(module, dynamic=False) if self._compiles else module
        self._work: dict[tuple[int, int], Callable[[], object]] = {}

    def __call__(self, items: int, source: Tensor, target: Tensor, stream: Any) -> None:
        """See `slots.Execute`.

        Raises:
            RuntimeError: PyTorch fails, for want of memory for instance.
            CompileError: torch.compile fails.
        """
        key = items, id(source)  # the slots' buffers live as long as this does
        if key not in self._work:
            self._work[key] = self.prepared(items, source, target, stream)
        with torch.cuda.stream(stream):
            self._work[key]()

    def prepared(self, items: int, source: Tensor, target: Tensor, stream: Any) -> Callable[[], object]:
        """What computes the results in `target` of so many items in `source`, set off in the stream that is current."""
        fed = _typed(source, self._ports.items, items)
        results = _typed(target, self._ports.results, self._ports.span.results(items))
        module = self._module  # not this object, which would keep itself and the buffers

        def compute() -> None:
            with _tuned():
                results.copy_(module(fed))

        self._warm_up(compute, stream)
        if self._captures:
            try:
                return self._device.captured(compute, stream)
            except RuntimeError as error:
                if out_of_memory(error):
                    raise
                self.fallback, self._captures = first_line(error), False
        return compute

    def _warm_up(self, compute: Callable[[], None], stream: Any) -> None:
        try:
            with torch.cuda.stream(stream):
                for _ in range(_WARM_UPS):
                    compute()
            stream.synchronize()  # it fails here if at all
        except Exception as error:
            # Compilers, their caches and the machine's tools fail in too many ways to be named.
            if not self._compiles or out_of_memory(error):
                raise
            raise CompileError(first_line(error)) from error


def _typed(memory: Tensor, port: Port, count: int) -> Tensor:
    """The first `count` rows of a port in memory u8[...]."""
    shape, kind = (count, *sizes(port)), getattr(torch, port.dtype)
    size = torch.Size(shape).numel() * kind.itemsize
    return memory[:size].view(kind).view(shape)


@contextmanager
def _tuned() -> Iterator[None]:
    """With cuDNN's fastest algorithm for each size, and float32 in full; afterwards all is as it was.

    Who sets TF32 for all of PyTorch (`torch.backends.fp32_precision`) gets it here, too. Not by
    `cudnn.flags`, which fails in a process that has set `fp32_precision` (PyTorch 2.9 and later).
    """
    cudnn: Any = torch.backends.cudnn
    with PROCESS_WIDE, _set(cudnn, "benchmark", True), _set(*_full_float32(cudnn)):
        yield


def _full_float32(cudnn: Any) -> tuple[Any, str, object]:
    """The setting that keeps TF32 out of convolutions, and its value."""
    try:
        cudnn.allow_tf32  # noqa: B018 - a property, which fails where it does not say the whole truth
    except RuntimeError:
        return cudnn.conv, "fp32_precision", "ieee"
    return cudnn, "allow_tf32", False


@contextmanager
def _set(place: Any, name: str, value: object) -> Iterator[None]:
    """With another value of a setting."""
    before = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before)
