"""The TensorRT runner: plans on an NVIDIA GPU, behind the same interface as ONNX files."""

from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError, GpuMemoryError
from pixelfast.runtime.pieces import PIECES_A_CALL, Ports, Span, buckets, sizes
from pixelfast.runtime.runner import Runner, Tensor, check_file, still_open
from pixelfast.runtime.slots import Device, Slots
from pixelfast.runtime.tensorrt.build import CallSizes
from pixelfast.runtime.tensorrt.check import PlanOrigin, check_call_sizes, check_plan, read_machine
from pixelfast.runtime.tensorrt.cuda import Cuda
from pixelfast.runtime.tensorrt.kernels import COMPILING, Kernels, kernel_file
from pixelfast.runtime.tensorrt.package import Context, Engine, Messages, find_flavour, installed_flavours

_TYPES: Final = {
    "FLOAT": "float32",
    "HALF": "float16",
    "UINT8": "uint8",
    "INT8": "int8",
    "INT32": "int32",
    "INT64": "int64",
    "BOOL": "bool",
}
"""TensorRT's names of types to NumPy's."""

_KINDS: Final = {"window_errors": "ae", "flow_errors": "motion", "flow": "flow", "flip_probability": "flip"}
"""What our own engines call their output."""

CUBOIDS_A_CALL: Final = 64
"""Of anybody's plan: so many of 16x128x128 float32 are 64 MiB, which lie in memory several times over, on both sides of
the bus."""


class OpenPlan(NamedTuple):
    """A plan that TensorRT has taken, and what it needs for as long as it lives.

    A tuple lets go of its last item first: so does the context of what it uses, and the engine of the runtime.

    Attributes:
        runtime: what took the plan.
        messages: where TensorRT writes.
        engine: the plan.
        input_mode: by which it knows its inputs.
        kernels: what was compiled of it on this machine; None where nothing is.
        remarks: what TensorRT warned of meanwhile, in sentences.
        context: what runs it.
    """

    runtime: Any
    messages: Messages
    engine: Engine
    input_mode: Any
    kernels: Kernels | None
    remarks: tuple[str, ...]
    context: Context


class PlanDevice(Device, Protocol):
    """A device that can give back all at once what was allocated on it."""

    def close(self) -> None:
        """Gives it back; nothing may be under way. Twice is fine."""


class TensorRtRunner(Runner):
    """A plan: one array in, one out; see `runner.Runner`.

    A call is split into pieces of the size that the plan is tuned for, of cuboids into smaller ones; two are under way
    at once, so that copying overlaps with computing. A piece of fewer items than the plan's sizes of call allow is
    filled up.

    Raises:
        EngineError: it has several inputs, leaves a size open, wants a tensor in another place or order than the runner
            has it; or the GPU has not the memory.
    """

    def __init__(self, path: Path, opened: OpenPlan, device: PlanDevice) -> None:
        self.path = path
        self._opened: OpenPlan | None = opened  # all of it must live as long as the context is used
        self._device = device
        self.remarks = opened.remarks
        _check_layout(path, opened.engine)
        self.inputs, self.outputs = _tensors(opened)
        known = all(tensor.dtype in _TYPES.values() for tensor in (*self.inputs, *self.outputs))
        if len(self.inputs) != 1 or not self.outputs or not known:
            wanted = f"one input, and types among {', '.join(_TYPES.values())}"
            raise EngineError(f"{path} does not fit: it has {self.describe()}; expected {wanted}")
        self._input, self._output = self.inputs[0], self.outputs[0]
        if None in (*self._input.shape[1:], *self._output.shape[1:]):
            raise EngineError(f"{path} leaves more than its first size open: it has {self.describe()}")
        self.call_sizes = _call_sizes(opened.engine, self._input)
        self.span = self._find_span()
        piece, call = self._find_sizes()
        least, most = (self.span.results(items) for items in (self.call_sizes.least, piece))
        self.best = self.span.items(call)
        self._buckets = buckets(most, least, step=2)  # few sizes, as TensorRT prepares itself for each new one
        self.metadata = self._find_metadata()
        self._bind_others(piece)
        self._ports = Ports(self.span, self._input, self._output)
        self._slots: Slots | None = Slots(device, self._ports, piece)

    def __call__(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """See `Runner.__call__`."""
        slots = still_open(self.path, self._slots)
        self._ports.check(self.path, array)
        results = self._ports.room(len(array))
        pieces = self._buckets.cut(len(results), self.span, self.call_sizes.least)
        slots.run(self._execute, array, pieces, results)
        if self._plan.kernels is not None:
            self._plan.kernels.keep(piece.fed for piece in pieces)
        return results

    def close(self) -> None:
        """See `Loaded.close`."""
        self._slots = self._opened = None  # TensorRT's memory, and whoever points into the device's
        self._device.close()

    @property
    def _plan(self) -> OpenPlan:
        return still_open(self.path, self._opened)

    def _find_span(self) -> Span:
        """What the plan makes of how many items, asked of it: a plan holds nothing else about itself."""
        least, most = self.call_sizes.least, self.call_sizes.most
        # An engine of frames, whose output tells its window.
        of_frames = self._input.dtype == "uint8" and (len(self._input.shape), len(self._output.shape)) == (3, 4)
        window = self._output.shape[1] if of_frames else None
        if window is not None:
            spans = [Span(window, stride) for stride in range(1, window + 1)]
            asked = set(range(least, min(most, least + 2 * window) + 1))
        else:
            spans = [Span(least - self._results(least) + 1)]
            asked = {least, most}
        found = {items: self._results(items) for items in asked}
        fitting = [span for span in spans if all(span.results(items) == found[items] >= 1 for items in asked)]
        if not fitting:
            wrong = f"gives {found[least]} results for {least} items"
            raise EngineError(f"{self.path} does not fit: it has {self.describe()}, and {wrong}")
        if len(fitting) > 1 and least < most:
            raise EngineError(
                f"{self.path} takes {self.call_sizes} a call, too few to tell its stride: build it for more"
            )
        return fitting[0]

    def _find_sizes(self) -> tuple[int, int]:
        """The items of the largest piece, and the results of a call of several that keeps the GPU busy."""
        least, best = self.call_sizes.least, self.call_sizes.best
        if self._output.name in _KINDS or len(self._input.shape) < 4:
            return best, PIECES_A_CALL * self.span.results(best)
        piece = max(least, min(best, CUBOIDS_A_CALL // PIECES_A_CALL))
        return piece, max(piece, min(CUBOIDS_A_CALL, PIECES_A_CALL * piece))

    def _results(self, items: int) -> int:
        """The first dimension of the output for so many items."""
        self._set_shape(items)
        return int(self._plan.context.get_tensor_shape(self._output.name)[0])

    def _set_shape(self, items: int) -> None:
        if not self._plan.context.set_input_shape(self._input.name, (items, *sizes(self._input))):
            raise EngineError(f"{self.path} takes {self.call_sizes} a call, and refuses {items}: build it again")

    def _bind_others(self, piece: int) -> None:
        """Gives every output that nobody asks for a place to go to, large enough for the largest piece."""
        self._set_shape(piece)
        for tensor in self.outputs[1:]:
            count = int(np.prod(tuple(self._plan.context.get_tensor_shape(tensor.name))))
            size = max(1, count * np.dtype(tensor.dtype).itemsize)
            self._set_address(tensor.name, self._device.allocate(size))

    def _execute(self, items: int, source: int, target: int, stream: int) -> None:
        self._set_shape(items)
        self._set_address(self._input.name, source)
        self._set_address(self._output.name, target)
        if not self._plan.context.execute_async_v3(stream):
            raise EngineError(f"{self.path}: TensorRT fails on {items} items: {self._plan.messages.last()}")

    def _set_address(self, name: str, address: int) -> None:
        if not self._plan.context.set_tensor_address(name, address):
            raise EngineError(f"{self.path}: TensorRT refuses the memory of {name}: {self._plan.messages.last()}")

    def _find_metadata(self) -> dict[str, str]:
        """As the metadata of the ONNX file that it was built from, as far as they can be found out."""
        kind = _KINDS.get(self._output.name)
        if kind is None:
            return {}
        facts = {"kind": kind, "format": "1", "stride": str(self.span.stride), "past": str(self.span.window - 1)}
        return {f"pixelfast.{name}": value for name, value in facts.items()}


def open_plan(path: Path, origin: PlanOrigin | None) -> TensorRtRunner:
    """The runner of a plan on this machine's GPU.

    Args:
        path: the `.plan` file.
        origin: what the model's manifest says about it; None for a lone file.

    Raises:
        EngineError: no GPU or driver, TensorRT missing, a plan for another machine, version or ONNX file, or no plan;
            or the GPU has not the memory.
    """
    check_file(path)
    check_plan(path, origin, read_machine())
    device = Cuda()
    runner = TensorRtRunner(path, _opened(path, origin, device), device)
    check_call_sizes(path, origin, runner.call_sizes)
    return runner


def _opened(path: Path, origin: PlanOrigin | None, device: Cuda) -> OpenPlan:
    """The plan, taken by the TensorRT that built it; by the first that takes it, where that is not known."""
    reasons, plan = [], path.read_bytes()
    for flavour in installed_flavours() if origin is None else [origin.facts.flavour]:
        name, trt = find_flavour(flavour)
        messages = Messages(trt)
        try:
            runtime = trt.Runtime(messages.logger)
        except TypeError:  # how its bindings say that there is none
            reasons.append(f"{name} {trt.__version__} does not start: {messages.last()}")
            continue
        engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            reasons.append(f"{name} {trt.__version__} says: {messages.last()}")
            continue
        kernels, context = _executable(name, trt, engine, plan, device)
        if context is None:
            raise GpuMemoryError(
                f"{path} finds no room on the GPU ({name} says: {messages.last()}): end what else runs there, or build "
                "it with smaller call sizes (--call-sizes)"
            )
        warned = tuple(f"{path}: {name} warns: {words}" for words in messages.warnings())
        return OpenPlan(runtime, messages, engine, trt.TensorIOMode.INPUT, kernels, warned, context)
    mend = "copy the file again" if origin is None else origin.rebuild
    raise EngineError(f"{path} cannot be loaded ({'; '.join(reasons)}): {mend}")


def _executable(name: str, trt: Any, engine: Any, plan: bytes, device: Cuda) -> tuple[Kernels | None, Context | None]:
    """What is compiled of a plan on this machine, if anything is, and what runs it, if there is memory for that."""
    if name != COMPILING:
        return None, engine.create_execution_context()
    kernels = Kernels(trt, engine, kernel_file(plan, str(trt.__version__), device.name(), device.driver()))
    return kernels, kernels.context(engine)


def _check_layout(path: Path, engine: Engine) -> None:
    """Refuses a plan of which a tensor would not lie on the GPU, row after row: its bytes would be taken for others."""
    for name in map(engine.get_tensor_name, range(engine.num_io_tensors)):
        place, order = engine.get_tensor_location(name).name, engine.get_tensor_format(name).name
        if place != "DEVICE":
            raise EngineError(
                f"{path} wants its {name} in the memory of the host, and plans run here with all of it on the GPU: "
                "build it from a graph in which no input or output is a shape"
            )
        if order != "LINEAR":
            raise EngineError(
                f"{path} wants its {name} in the format {order}, and plans run here with rows one after another "
                "(LINEAR): build it without allowed formats for its inputs and outputs"
            )


def _tensors(opened: OpenPlan) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    engine = opened.engine
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        kind = engine.get_tensor_dtype(name).name
        shape = tuple(None if size < 0 else size for size in engine.get_tensor_shape(name))
        side = inputs if engine.get_tensor_mode(name) == opened.input_mode else outputs
        side.append(Tensor(name, _TYPES.get(kind, kind.lower()), shape))
    return tuple(inputs), tuple(outputs)


def _call_sizes(engine: Engine, entry: Tensor) -> CallSizes:
    """The numbers of items that a call may have."""
    if entry.shape[0] is not None:
        return CallSizes(entry.shape[0], entry.shape[0], entry.shape[0])
    return CallSizes(*(int(shape[0]) for shape in engine.get_tensor_profile_shape(entry.name, 0)))
