"""The CUDA runtime as cuda-bindings has it, made up: what is allocated is counted, and every copy is done at once."""

import ctypes
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Status = tuple[Any, ...]


class MadeCuda:
    """In the place of `cuda.bindings.runtime`, and where plans of `fake_plan` may lie.

    Args:
        name: of the GPU.
        capability: of the GPU, such as (8, 6).
        memory_bytes: that it has.
        driver: the newest CUDA that the driver knows, as cudaDriverGetVersion gives it.

    Attributes:
        held: by address, what was allocated and is not freed yet; streams and events as empty arrays.
        status: what cudaGetDeviceCount returns.
    """

    cudaStreamNonBlocking, cudaEventDisableTiming, cudaEventBlockingSync = 1, 2, 1  # noqa: N815
    cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)  # noqa: N815
    cudaError_t = SimpleNamespace(cudaErrorMemoryAllocation=2, cudaErrorInsufficientDriver=35)  # noqa: N815
    cudaDeviceAttr = SimpleNamespace(  # noqa: N815
        cudaDevAttrComputeCapabilityMajor=0, cudaDevAttrComputeCapabilityMinor=1
    )

    def __init__(
        self,
        name: str = "NVIDIA RTX A5000",
        capability: tuple[int, int] = (8, 6),
        memory_bytes: int = 24 << 30,
        driver: int = 13000,
    ) -> None:
        self.held: dict[int, NDArray[np.uint8]] = {}
        self.status = 0
        self._capability, self._driver = capability, driver
        self._properties = SimpleNamespace(name=name.encode(), totalGlobalMem=memory_bytes)

    def put(self, patch: pytest.MonkeyPatch) -> "MadeCuda":
        """Puts it in the place of the real one, with a driver."""
        patch.setitem(sys.modules, "cuda.bindings", SimpleNamespace(runtime=self))
        patch.setattr("pixelfast.runtime.tensorrt.cuda.has_driver", lambda: True)
        return self

    def memory(self, address: int) -> NDArray[np.uint8]:
        return self.held[address]

    def enqueue(self, stream: int, action: Callable[[], None]) -> None:
        assert stream in self.held
        action()

    def _make(self, size: int) -> Status:
        if sum(memory.nbytes for memory in self.held.values()) + size > self._properties.totalGlobalMem:
            return 2, 0
        memory = np.full(max(1, size), 0xA5, np.uint8)
        address = memory.ctypes.data
        self.held[address] = memory
        return 0, address

    def _drop(self, address: int) -> Status:
        if address:
            del self.held[address]
        return (0,)

    cudaMalloc = cudaMallocHost = _make  # noqa: N815
    cudaFree = cudaFreeHost = cudaStreamDestroy = cudaEventDestroy = _drop  # noqa: N815

    def cudaStreamCreateWithFlags(self, flags: int) -> Status:  # noqa: N802
        return self._make(0)

    def cudaEventCreateWithFlags(self, flags: int) -> Status:  # noqa: N802
        return self._make(0)

    def cudaMemcpyAsync(self, target: int, source: int, size: int, kind: int, stream: int) -> Status:  # noqa: N802
        ctypes.memmove(target, source, size)
        return (0,)

    def _nothing(self, *_: int) -> Status:
        return (0,)

    cudaEventRecord = cudaStreamWaitEvent = cudaEventSynchronize = cudaDeviceSynchronize = _nothing  # noqa: N815

    def cudaGetDeviceCount(self) -> Status:  # noqa: N802
        return self.status, 1

    def cudaGetDeviceProperties(self, device: int) -> Status:  # noqa: N802
        return 0, self._properties

    def cudaDeviceGetAttribute(self, attribute: int, device: int) -> Status:  # noqa: N802
        return 0, self._capability[attribute]

    def cudaDriverGetVersion(self) -> Status:  # noqa: N802
        return 0, self._driver

    def cudaRuntimeGetVersion(self) -> Status:  # noqa: N802
        return 0, 13020

    def cudaGetErrorString(self, status: int) -> Status:  # noqa: N802
        return 0, b"something is wrong"
