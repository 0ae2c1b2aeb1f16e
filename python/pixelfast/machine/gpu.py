"""The NVIDIA GPU of this machine, as its driver names it: no CUDA context is made, and no package is needed."""

import ctypes
import sys
from functools import cache
from typing import Any, Final, NamedTuple

DRIVER: Final = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
"""The library of NVIDIA's driver."""

_MANAGEMENT: Final = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
_TEXT: Final = 256


class Gpu(NamedTuple):
    """What other engines may be the fastest for.

    Attributes:
        name: of the first GPU that this process sees, as NVIDIA calls it.
        driver: its version; that of the CUDA it knows, where the driver's own cannot be had.
    """

    name: str
    driver: str


def has_driver() -> bool:
    """Returns whether this machine has an NVIDIA driver."""
    return _library(DRIVER) is not None


@cache
def first_gpu() -> Gpu | None:
    """Returns the first GPU that this process sees; None where there is no driver, or it sees none."""
    cuda, device, name, version = _library(DRIVER), ctypes.c_int(), ctypes.create_string_buffer(_TEXT), ctypes.c_int()
    if cuda is None or cuda.cuInit(0):
        return None
    if cuda.cuDeviceGet(ctypes.byref(device), 0) or cuda.cuDeviceGetName(name, _TEXT, device):
        return None
    driver = _driver_version()
    if driver is None and not cuda.cuDriverGetVersion(ctypes.byref(version)):
        driver = f"CUDA {version.value}"
    return Gpu(name.value.decode(errors="replace"), driver or "unknown")


def _driver_version() -> str | None:
    management, version = _library(_MANAGEMENT), ctypes.create_string_buffer(_TEXT)
    if management is None or management.nvmlInit_v2():
        return None
    try:
        failed = management.nvmlSystemGetDriverVersion(version, _TEXT)
    finally:
        management.nvmlShutdown()
    return None if failed else version.value.decode(errors="replace")


def _library(name: str) -> Any:
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None
