"""TensorRT's packages, made up, on a made-up GPU: plans of any content are taken, and kernels are compiled by size."""

import json
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fake_plan import FakePlan
from made_cuda import MadeCuda
from tiny_engines import GRID, SIZE, WINDOW, window_errors

WARNING = "Using an engine plan file across different models\n of devices is not recommended."


class Logger:
    INTERNAL_ERROR, ERROR, WARNING, INFO = range(4)

    def log(self, severity: int, message: str) -> None:
        raise NotImplementedError


class Cache:
    """A runtime cache: the sizes of call that something is compiled for, and where that was."""

    def __init__(self, trt: "MadeTrt") -> None:
        self.trt, self.sizes = trt, set[int]()

    def deserialize(self, blob: bytes) -> bool:
        found = json.loads(blob)
        fits = found["where"] == self.trt.where
        self.sizes |= set(found["sizes"]) if fits else set()
        return fits

    def serialize(self) -> bytes:
        return json.dumps({"where": self.trt.where, "sizes": sorted(self.sizes)}).encode()


class Config:
    def __init__(self, trt: "MadeTrt") -> None:
        self.trt = trt
        self.dynamic_shapes_kernel_specialization_strategy = "lazy"
        self.cache: Cache | None = None

    def create_runtime_cache(self) -> Cache:
        return Cache(self.trt)

    def set_runtime_cache(self, cache: Cache) -> bool:
        self.cache = cache
        return True


class Context:
    """What `FakePlan` does as a context; `compiled` are the sizes whose kernels were in no cache."""

    def __init__(self, plan: FakePlan, trt: "MadeTrt", cache: Cache | None) -> None:
        self._plan, self._trt, self._cache = plan, trt, cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan, name)

    def execute_async_v3(self, stream: int) -> bool:
        known = set[int]() if self._cache is None else self._cache.sizes
        if self._plan.items not in known:
            self._trt.compiled.append(self._plan.items)
            known.add(self._plan.items)
        return self._plan.execute_async_v3(stream)


class Plan(FakePlan):
    """A plan of frames at stride 1; the GPU may have no room for it."""

    def __init__(self, gpu: MadeCuda, trt: "MadeTrt", too_large: bool) -> None:
        def errors(frames: np.ndarray) -> np.ndarray:
            return window_errors(frames, range(len(frames) - WINDOW + 1)).astype(np.float32)

        ends = [("frames", "uint8", (-1, SIZE, SIZE))], [("window_errors", "float32", (-1, WINDOW, GRID, GRID))]
        super().__init__(gpu, errors, *ends, (16, 24, 48))  # type: ignore[arg-type]
        self.trt, self.too_large = trt, too_large

    def create_runtime_config(self) -> Config:
        return Config(self.trt)

    def create_execution_context(self, config: Config | None = None) -> Any:
        self.trt.strategies.append(config and config.dynamic_shapes_kernel_specialization_strategy)
        return None if self.too_large else Context(self, self.trt, config and config.cache)


class Runtime:
    def __init__(self, trt: "MadeTrt", logger: Logger) -> None:
        self._trt, self._logger = trt, logger

    def deserialize_cuda_engine(self, plan: bytes) -> Plan | None:
        for _ in range(2):
            self._logger.log(Logger.WARNING, WARNING)
        return None if plan == b"damaged" else Plan(self._trt.gpu, self._trt, too_large=plan == b"too large")


class MadeTrt(ModuleType):
    """In the place of a package.

    Args:
        name: of the package.
        gpu: where its plans run.

    Attributes:
        where: what a runtime cache must have been made for.
        strategies: by which the contexts so far compile.
        compiled: the sizes of call that kernels were compiled for.
    """

    def __init__(self, name: str, gpu: MadeCuda) -> None:
        super().__init__(name)
        self.__spec__, self.__version__ = ModuleSpec(name, None), "1.7.1"
        self.ILogger = Logger
        self.TensorIOMode = SimpleNamespace(INPUT="in")
        self.DynamicShapesKernelSpecializationStrategy = SimpleNamespace(EAGER="eager")
        self.where = "here"
        self.strategies: list[Any] = []
        self.compiled: list[int] = []
        self.gpu = gpu

    def put(self, patch: pytest.MonkeyPatch) -> "MadeTrt":
        patch.setitem(sys.modules, self.__name__, self)
        patch.setattr("pixelfast.runtime.tensorrt.package.FLAVOURS", {self.__name__: "tensorrt"})
        return self

    def Runtime(self, logger: Logger) -> "Runtime":  # noqa: N802
        return Runtime(self, logger)
