"""The TensorRT packages: which is installed, and what it says when it refuses."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, Protocol

from pixelfast.errors import EngineError

FLAVOURS: Final = {"tensorrt": "tensorrt", "tensorrt_rtx": "tensorrt-rtx"}
"""The packages that build and run plans, in the order in which they are tried (their formats differ), and the extra
that brings each."""

INSTALL: Final = (
    "pip install 'pixelfast[all]', or of it only 'pixelfast[tensorrt]' (any recent NVIDIA GPU) or "
    "'pixelfast[tensorrt-rtx]' (RTX GPUs)"
)


def installed_flavours() -> list[str]:
    """The packages that can be imported; none is imported yet."""
    return [name for name in FLAVOURS if find_spec(name) is not None]


def find_flavour(wanted: str | None = None) -> tuple[str, Any]:
    """Name and module of the TensorRT that is installed; the next one where the first cannot be imported.

    Args:
        wanted: "tensorrt" or "tensorrt_rtx"; None takes the first that is there.

    Raises:
        EngineError: it is not installed, or cannot be imported.
    """
    reason = f"{wanted or 'TensorRT'} is not installed, and plans need it"
    for name in installed_flavours():
        if wanted in (None, name):
            try:
                return name, import_module(name)
            except (ImportError, OSError) as error:
                reason = f"{name} is installed and cannot be imported ({error})"
    install = f"pip install 'pixelfast[{FLAVOURS[wanted]}]'" if wanted in FLAVOURS else INSTALL
    raise EngineError(f"{reason}: {install}")


class Messages:
    """TensorRT's messages, kept instead of printed.

    Attributes:
        logger: what TensorRT's objects take.
    """

    def __init__(self, trt: Any) -> None:
        errors, warnings = list[str](), list[str]()
        self._errors, self._warnings = errors, warnings

        class Logger(trt.ILogger):  # type: ignore[misc]  # a base that is only known at run time
            def log(self, severity: Any, message: str) -> None:
                if severity <= trt.ILogger.ERROR:
                    errors.append(_one_line(message))
                elif severity == trt.ILogger.WARNING:
                    warnings.append(_one_line(message))

        self.logger = Logger()

    def last(self) -> str:
        """The last error, on one line."""
        return self._errors[-1] if self._errors else "it does not say why"

    def warnings(self) -> list[str]:
        """The warnings so far, each once and on one line."""
        return list(dict.fromkeys(self._warnings))


def _one_line(message: str) -> str:
    return " ".join(message.split())


class Context(Protocol):
    """`IExecutionContext`."""

    def set_input_shape(self, name: str, shape: tuple[int, ...], /) -> bool:
        """False where the plan's sizes of call do not allow the shape."""

    def get_tensor_shape(self, name: str, /) -> Any:
        """The sizes (`Dims`) that an output has with the input shape that was set."""

    def set_tensor_address(self, name: str, memory: int, /) -> bool:
        """Where the tensor lies on the device."""

    def execute_async_v3(self, stream_handle: int, /) -> bool:
        """Puts one execution into a stream."""


class Engine(Protocol):
    """`ICudaEngine`."""

    @property
    def num_io_tensors(self) -> int:
        """Inputs and outputs."""

    def get_tensor_name(self, index: int, /) -> str:
        """Of an input or output."""

    def get_tensor_mode(self, name: str, /) -> Any:
        """`TensorIOMode.INPUT` or `OUTPUT`."""

    def get_tensor_dtype(self, name: str, /) -> Any:
        """A `DataType`."""

    def get_tensor_location(self, name: str, /) -> Any:
        """`TensorLocation.DEVICE` or `HOST`."""

    def get_tensor_format(self, name: str, /) -> Any:
        """A `TensorFormat`; `LINEAR` is row after row."""

    def get_tensor_shape(self, name: str, /) -> Any:
        """Its sizes (`Dims`), with -1 where one is dynamic."""

    def get_tensor_profile_shape(self, name: str, profile_index: int, /) -> list[Any]:
        """The smallest, best and largest shape of an input."""

    def create_execution_context(self) -> Context | None:
        """None where the device has no memory for it."""


class Runtime(Protocol):
    """`Runtime`."""

    def deserialize_cuda_engine(self, serialized_engine: bytes, /) -> Engine | None:
        """None where the plan is damaged, or for another machine or version."""
