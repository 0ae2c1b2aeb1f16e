"""Plans that compute in NumPy, with TensorRT's interface (`pixelfast.runtime.tensorrt.package`) and a lazy device."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lazy_device import LazyDevice
from pixelfast.runtime.tensorrt.runner import OpenPlan

NAMES = {"float32": "FLOAT", "uint8": "UINT8", "float16": "HALF", "complex64": "E8M0"}
Formula = Callable[[NDArray[Any]], NDArray[Any]]
Tensors = Sequence[tuple[str, str, tuple[int, ...]]]


class FakePlan:
    """Engine and context in one.

    Args:
        device: where its tensors lie.
        formula: the first output of an input; the others are filled with sevens.
        inputs: name, dtype and shape of each, -1 where dynamic.
        outputs: likewise.
        profile: the first dimension at least, best, at most.
    """

    def __init__(
        self, device: LazyDevice, formula: Formula, inputs: Tensors, outputs: Tensors, profile: tuple[int, int, int]
    ) -> None:
        self._device, self._formula = device, formula
        self._inputs, self._outputs = list(inputs), list(outputs)
        self._profile = profile
        self.items = 0
        self._addresses: dict[str, int] = {}
        self.calls: list[int] = []
        self.fails_at: int | None = None
        self.places, self.formats = dict[str, str](), dict[str, str]()
        self.num_io_tensors = len(self._inputs) + len(self._outputs)

    def opened(self) -> OpenPlan:
        messages = SimpleNamespace(last=lambda: "out of luck")
        return OpenPlan(None, messages, self, "in", None, (), self)  # type: ignore[arg-type]

    def get_tensor_name(self, index: int) -> str:
        return [*self._inputs, *self._outputs][index][0]

    def get_tensor_mode(self, name: str) -> str:
        return "in" if name in {entry[0] for entry in self._inputs} else "out"

    def get_tensor_dtype(self, name: str) -> Any:
        return SimpleNamespace(name=NAMES[self._of(name)[1]])

    def get_tensor_location(self, name: str) -> Any:
        return SimpleNamespace(name=self.places.get(name, "DEVICE"))

    def get_tensor_format(self, name: str) -> Any:
        return SimpleNamespace(name=self.formats.get(name, "LINEAR"))

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        shape = self._of(name)[2]
        if not self.items or self.get_tensor_mode(name) == "in":
            return shape
        # As a context answers: with the shape that was set.
        sizes = self._inputs[0][2]
        example = np.zeros((self.items, *sizes[1:]), self._inputs[0][1])
        return self._formula(example).shape if name == self._outputs[0][0] else (self.items, *shape[1:])

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
        return [(count, *self._of(name)[2][1:]) for count in self._profile]

    def create_execution_context(self) -> "FakePlan":
        return self

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.items = shape[0]
        return self._profile[0] <= shape[0] <= self._profile[2] and shape[1:] == self._of(name)[2][1:]

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self._addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        assert set(self._addresses) == {entry[0] for entry in (*self._inputs, *self._outputs)}
        items, addresses = self.items, dict(self._addresses)
        if self.fails_at == len(self.calls):
            return False
        self.calls.append(items)
        self._device.enqueue(stream_handle, lambda: self._compute(items, addresses))
        return True

    def _compute(self, items: int, addresses: dict[str, int]) -> None:
        name, dtype, shape = self._inputs[0]
        whole = (items, *shape[1:])
        size = int(np.prod(whole)) * np.dtype(dtype).itemsize
        entry = self._device.memory(addresses[name])[:size].copy().view(dtype).reshape(whole)
        result = np.ascontiguousarray(self._formula(entry))
        assert result.dtype == self._outputs[0][1]
        self._device.memory(addresses[self._outputs[0][0]])[: result.nbytes] = result.reshape(-1).view(np.uint8)
        for name, dtype, shape in self._outputs[1:]:
            size = items * int(np.prod(shape[1:])) * np.dtype(dtype).itemsize
            memory = self._device.memory(addresses[name])
            assert len(memory) >= size, "a call writes beyond what was allocated"
            memory[:size] = 7

    def _of(self, name: str) -> tuple[str, str, tuple[int, ...]]:
        return next(entry for entry in (*self._inputs, *self._outputs) if entry[0] == name)
