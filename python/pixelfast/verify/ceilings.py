"""What the hardware itself can do: how fast memory is copied on both sides of the bus and over it, and a product."""

from collections.abc import Callable
from typing import Final

import numpy as np

from pixelfast.errors import first_line
from pixelfast.runtime.trial import calls_a_second
from pixelfast.verify.machine import Machine
from pixelfast.verify.whole_run import Facts

_MIB: Final = 1 << 20
BUS_BYTES: Final = (2 * _MIB, 16 * _MIB, 256 * _MIB)
"""Copied over the bus: a call of 128 frames of 128x128, one of 1,024, and what shows no beginning and end."""

MEMORY_BYTES: Final = 1 << 30
HOST_BYTES: Final = 64 * _MIB
"""Copied within a GPU, and within the host: more than any cache holds."""

SIDE: Final = 8192
"""Of the square matrices whose product is timed."""

_AT_ONCE: Final = 10
"""Operations of a GPU that are put into its stream before the host waits."""


def describe_ceilings(machine: Machine, seconds: float) -> Facts:
    """Measures each for so many seconds, about; on a machine without a GPU that PyTorch reaches the host's alone."""
    facts = [("host memory", f"{host_rate(HOST_BYTES, seconds):.1f} GB/s are copied by one thread")]
    if not machine.by_torch:
        return [*facts, ("ceilings", "not measured: they need a GPU that PyTorch reaches")]
    try:
        return [*facts, *device_ceilings("cuda", seconds)]
    except RuntimeError as error:  # of PyTorch: the memory may be full
        return [*facts, ("ceilings", f"not measured: {first_line(error)}")]


def host_rate(nbytes: int, seconds: float) -> float:
    """Returns GB/s of copying so many bytes from one array to another."""
    source, target = np.ones(nbytes, np.uint8), np.empty(nbytes, np.uint8)
    return nbytes * calls_a_second(lambda: np.copyto(target, source), seconds) / 1e9


def device_ceilings(
    device: str,
    seconds: float,
    *,
    bus: tuple[int, ...] = BUS_BYTES,
    memory: int = MEMORY_BYTES,
    side: int = SIDE,
) -> Facts:
    """Measures a device of PyTorch's: copies over the bus of each size in bytes, copies within it, a product in fp16.

    Raises:
        RuntimeError: the device has not the memory, or fails.
    """
    facts = [(f"bus, {_size(nbytes)}", _bus_words(nbytes, device, seconds)) for nbytes in bus]
    within, product = _rate_within(memory, device, seconds), _rate_of_product(side, device, seconds)
    return [
        *facts,
        ("device memory", f"{2 * within:,.0f} GB/s, read and written, by copies within it of {_size(memory)}"),
        ("fp16 product", f"{product:,.1f} TFLOP/s of matrices of {side}x{side}"),
    ]


def _bus_words(nbytes: int, device: str, seconds: float) -> str:
    import torch

    locked = torch.empty(nbytes, dtype=torch.uint8, pin_memory=device == "cuda")
    plain, there = torch.empty(nbytes, dtype=torch.uint8), torch.empty(nbytes, dtype=torch.uint8, device=device)
    copies = [(there, locked), (locked, there), (there, plain), (plain, there)]
    rates = [
        nbytes / _seconds_of(lambda: to.copy_(start, non_blocking=True), device, seconds) / 1e9  # noqa: B023 - called at once
        for to, start in copies
    ]
    return "in {:.1f} GB/s, out {:.1f} of page-locked memory; {:.1f} and {:.1f} of other memory".format(*rates)


def _rate_within(nbytes: int, device: str, seconds: float) -> float:
    """GB/s of copies from the device to itself."""
    import torch

    source = torch.zeros(nbytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return nbytes / _seconds_of(lambda: target.copy_(source), device, seconds) / 1e9


def _rate_of_product(side: int, device: str, seconds: float) -> float:
    """TFLOP/s of the product of two square matrices in half precision."""
    import torch

    one, other = (torch.ones(side, side, device=device, dtype=torch.float16) for _ in range(2))
    return 2 * side**3 / _seconds_of(lambda: one @ other, device, seconds) / 1e12


def _seconds_of(call: Callable[[], object], device: str, seconds: float) -> float:
    """Of one call, of several that the device does one after another while the host waits for the last."""
    import torch

    def several() -> None:
        for _ in range(_AT_ONCE):
            call()
        if device == "cuda":
            torch.cuda.synchronize()

    several()  # makes what is made once
    return 1 / (calls_a_second(several, seconds) * _AT_ONCE)


def _size(nbytes: int) -> str:
    return f"{nbytes / _MIB:g} MiB"
