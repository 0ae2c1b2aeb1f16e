"""The kernels that TensorRT for RTX compiles of a plan on the machine: at once, and kept for later processes.

A plan of it holds no kernels. Compiled behind the scenes, as it does by itself, they would replace others during a run,
and the last digits of the scores would depend on when.
"""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from pixelfast.errors import OutputError
from pixelfast.files.atomic import atomic_path
from pixelfast.machine.measured import user_cache
from pixelfast.runtime.tensorrt.package import Context

COMPILING: Final = "tensorrt_rtx"
"""The package that compiles kernels where it runs a plan; the other one does where it builds it."""

_DIGEST_BYTES: Final = hashlib.sha256().digest_size


class RuntimeCache(Protocol):
    """`IRuntimeCache`."""

    def deserialize(self, blob: bytes, /) -> bool:
        """False where it is damaged, or made by another version or for another GPU or driver."""

    def serialize(self) -> Any:
        """The kernels that were compiled so far, or came from elsewhere, as memory (`IHostMemory`)."""


class RuntimeConfig(Protocol):
    """`IRuntimeConfig`."""

    dynamic_shapes_kernel_specialization_strategy: Any

    def create_runtime_cache(self) -> RuntimeCache:
        """An empty one."""

    def set_runtime_cache(self, cache: RuntimeCache, /) -> bool:
        """Has a context take its kernels from there, and put them there."""


class CompilingEngine(Protocol):
    """`ICudaEngine` of TensorRT for RTX."""

    def create_runtime_config(self) -> RuntimeConfig:
        """One as it is without a word."""

    def create_execution_context(self, runtime_config: Any, /) -> Context | None:
        """One by a config that it created; None where the device has no memory for it."""


class Kernels:
    """What TensorRT for RTX compiles of one plan: before the call that needs it, and kept in the user's cache folder.

    A file that is missing, damaged, or of another machine counts as an empty one, and is written anew; where it cannot
    be written, the next process compiles again.

    Args:
        trt: the package.
        engine: the plan.
        file: where they are kept; None keeps none.
    """

    def __init__(self, trt: Any, engine: CompilingEngine, file: Path | None) -> None:
        self._config = engine.create_runtime_config()
        eager = trt.DynamicShapesKernelSpecializationStrategy.EAGER
        self._config.dynamic_shapes_kernel_specialization_strategy = eager
        self._cache = self._config.create_runtime_cache()
        blob = None if file is None else _read(file)
        self._kept = blob if blob is not None and self._cache.deserialize(blob) else b""
        self._file = file if self._config.set_runtime_cache(self._cache) else None
        self._seen = frozenset[int]()

    def context(self, engine: CompilingEngine) -> Context | None:
        """A context that uses them; it must go before they do. None where the device has no memory for it."""
        return engine.create_execution_context(self._config)

    def keep(self, items: Iterable[int]) -> None:
        """Writes the file where calls of so many items, the first of their size, have added to it."""
        seen = self._seen.union(items)
        if self._file is None or seen == self._seen:
            return
        self._seen, memory = seen, self._cache.serialize()
        blob = b"" if memory is None else bytes(memoryview(memory))
        if blob and blob != self._kept:
            self._kept = blob
            _write(self._file, blob)


def kernel_file(plan: bytes, version: str, gpu: str, driver: int) -> Path | None:
    """Where the kernels of a plan are kept; None where the user has no home.

    Args:
        plan: the content of the plan.
        version: of TensorRT for RTX.
        gpu: the GPU's name.
        driver: the newest CUDA that the driver knows, as it counts them.
    """
    facts = [hashlib.sha256(plan).hexdigest(), version, gpu, driver]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    try:
        return user_cache() / "kernels" / f"{key}.bin"
    except RuntimeError:
        return None


def _read(file: Path) -> bytes | None:
    """What a file holds behind the digest of it; None where that is another, or there is no such file."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    digest, blob = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return blob if blob and hashlib.sha256(blob).digest() == digest else None


def _write(file: Path, blob: bytes) -> None:
    """Writes the digest and the blob, where that can be."""
    with suppress(OSError, OutputError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(file) as temporary:
            temporary.write_bytes(hashlib.sha256(blob).digest() + blob)
