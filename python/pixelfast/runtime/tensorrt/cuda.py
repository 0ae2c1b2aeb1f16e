"""The NVIDIA GPU by cuda-bindings: memory on both sides, streams and events."""

import ctypes
import weakref
from contextlib import ExitStack
from typing import Any, Final

import numpy as np

from pixelfast.errors import EngineError, GpuMemoryError
from pixelfast.machine.gpu import DRIVER, has_driver
from pixelfast.runtime.slots import Bytes
from pixelfast.runtime.tensorrt.package import INSTALL

NEEDED_DRIVERS: Final = {12: 525, 13: 580}
"""The oldest driver of NVIDIA that runs each CUDA (NVIDIA, CUDA Compatibility, table 1)."""

_FOR_CUDA_12: Final = (
    ", or, as the extras bring those for CUDA 13, put those for CUDA 12 into an environment of their own: pip install "
    "tensorrt-cu12 'cuda-bindings<13', for RTX cards tensorrt-rtx-cu12"
)


class Cuda:
    """The first GPU that this process sees; what is allocated is freed with the object.

    Raises:
        EngineError: there is no driver, no GPU, or cuda-bindings is not installed.
    """

    def __init__(self) -> None:
        if not has_driver():
            raise EngineError(f"this machine has no NVIDIA driver ({DRIVER})")
        try:
            from cuda.bindings import runtime
        except ImportError as error:
            raise EngineError(f"TensorRT plans need cuda-bindings ({error}): {INSTALL}") from error
        self._runtime: Any = runtime
        self._call("cudaGetDeviceCount")  # whose status tells of a driver that is too old, and of no GPU
        self._call("cudaFree", 0)  # makes the context now, not in the first call
        self._freed = ExitStack()
        self._free = weakref.finalize(self, self._freed.close)

    def close(self) -> None:
        """Frees what was allocated; nothing may be under way. Twice is fine."""
        self._free()

    def compute_capability(self) -> str:
        """The GPU's compute capability, such as "8.6"."""
        attributes = self._runtime.cudaDeviceAttr
        major, minor = (
            self._call("cudaDeviceGetAttribute", one, 0)[0]
            for one in (attributes.cudaDevAttrComputeCapabilityMajor, attributes.cudaDevAttrComputeCapabilityMinor)
        )
        return f"{major}.{minor}"

    def name(self) -> str:
        """The GPU's name, as NVIDIA calls it."""
        (properties,) = self._call("cudaGetDeviceProperties", 0)
        name = properties.name
        return name.decode(errors="replace").rstrip("\0") if isinstance(name, bytes) else str(name)

    def memory_bytes(self) -> int:
        """All the memory that the GPU has, whoever holds it."""
        (properties,) = self._call("cudaGetDeviceProperties", 0)
        return int(properties.totalGlobalMem)

    def driver(self) -> int:
        """The newest CUDA that the driver knows, 13020 for 13.2."""
        return int(self._call("cudaDriverGetVersion")[0])

    def allocate(self, size: int) -> int:
        """See `Device.allocate`."""
        (address,) = self._call("cudaMalloc", size)
        self._freed.callback(self._runtime.cudaFree, address)
        return int(address)

    def page_locked(self, size: int) -> Bytes:
        """See `Device.page_locked`."""
        (address,) = self._call("cudaMallocHost", size)
        self._freed.callback(self._runtime.cudaFreeHost, address)
        buffer: Bytes = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(int(address)))
        return buffer

    def new_stream(self) -> int:
        """See `Device.new_stream`."""
        (stream,) = self._call("cudaStreamCreateWithFlags", self._runtime.cudaStreamNonBlocking)
        self._freed.callback(self._runtime.cudaStreamDestroy, stream)
        return int(stream)

    def new_event(self) -> int:
        """See `Device.new_event`."""
        # The host sleeps while it waits for one: decoding wants the core.
        flags = self._runtime.cudaEventDisableTiming | self._runtime.cudaEventBlockingSync
        (event,) = self._call("cudaEventCreateWithFlags", flags)
        self._freed.callback(self._runtime.cudaEventDestroy, event)
        return int(event)

    def copy_in(self, target: int, source: Bytes, stream: int) -> None:
        """See `Device.copy_in`."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", target, source.ctypes.data, source.nbytes, kind, stream)

    def copy_out(self, target: Bytes, source: int, stream: int) -> None:
        """See `Device.copy_out`."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", target.ctypes.data, source, target.nbytes, kind, stream)

    def record(self, event: int, stream: int) -> None:
        """See `Device.record`."""
        self._call("cudaEventRecord", event, stream)

    def wait(self, stream: int, event: int) -> None:
        """See `Device.wait`."""
        self._call("cudaStreamWaitEvent", stream, event, 0)

    def synchronize(self, event: int) -> None:
        """See `Device.synchronize`."""
        self._call("cudaEventSynchronize", event)

    def drain(self) -> None:
        """See `Device.drain`."""
        self._call("cudaDeviceSynchronize")

    def _call(self, function: str, *arguments: Any) -> tuple[Any, ...]:
        """What a function of the CUDA runtime returns beside its status, which must be success."""
        status, *results = getattr(self._runtime, function)(*arguments)
        if status == self._runtime.cudaError_t.cudaErrorInsufficientDriver:
            raise EngineError(self._old_driver())
        if int(status) != 0:
            text = self._runtime.cudaGetErrorString(status)[1]
            meaning = text.decode(errors="replace") if isinstance(text, bytes) else str(status)
            kind = GpuMemoryError if status == self._runtime.cudaError_t.cudaErrorMemoryAllocation else EngineError
            raise kind(f"the GPU fails in {function}: {meaning}")
        return tuple(results)

    def _old_driver(self) -> str:
        """In words, that the driver is older than the CUDA that cuda-bindings is for, and what mends it."""
        answers = self._runtime.cudaDriverGetVersion(), self._runtime.cudaRuntimeGetVersion()
        known, wanted = (int(version) // 1000 for _, version in answers)
        newer = f" to {NEEDED_DRIVERS[wanted]} or newer" if wanted in NEEDED_DRIVERS else ""
        other = _FOR_CUDA_12 if known == 12 < wanted else ""
        return (
            f"the GPU's driver knows CUDA {known} at most, and the packages here are for CUDA {wanted} (update the "
            f"driver{newer}{other})"
        )
