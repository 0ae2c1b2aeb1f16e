"""The part of TensorRT's Python interface that runs plans, the same in `tensorrt` and `tensorrt_rtx`."""

from typing import Any, Protocol


class Shape(Protocol):
    """`Dims`: sizes, -1 where one is dynamic."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> int: ...


class Context(Protocol):
    """`IExecutionContext`."""

    def set_input_shape(self, name: str, shape: tuple[int, ...], /) -> bool:
        """False where the profile does not allow the shape."""

    def get_tensor_shape(self, name: str, /) -> Shape:
        """The shape that an output has with the input shape that was set."""

    def set_tensor_address(self, name: str, memory: int, /) -> bool:
        """Where the tensor lies on the device."""

    def execute_async_v3(self, stream_handle: int, /) -> bool:
        """Puts one execution into a stream."""


class Engine(Protocol):
    """`ICudaEngine`."""

    @property
    def num_io_tensors(self) -> int:
        """Inputs and outputs."""

    @property
    def num_optimization_profiles(self) -> int:
        """Profiles; the first is the one that is used."""

    def get_tensor_name(self, index: int, /) -> str:
        """Of an input or output."""

    def get_tensor_mode(self, name: str, /) -> Any:
        """`TensorIOMode.INPUT` or `OUTPUT`."""

    def get_tensor_dtype(self, name: str, /) -> Any:
        """A `DataType`."""

    def get_tensor_shape(self, name: str, /) -> Shape:
        """With -1 where it is dynamic."""

    def get_tensor_profile_shape(self, name: str, profile_index: int, /) -> list[Any]:
        """The smallest, best and largest shape of an input."""

    def create_execution_context(self) -> Context | None:
        """None where the device has no memory for it."""


class Runtime(Protocol):
    """`Runtime`."""

    def deserialize_cuda_engine(self, serialized_engine: bytes, /) -> Engine | None:
        """None where the plan is damaged, or for another machine or version."""
