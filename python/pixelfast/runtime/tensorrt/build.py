"""TensorRT plans built from ONNX files, on a machine with a GPU or, for a GPU that is named, without one."""

from pathlib import Path
from typing import Any, Final, NamedTuple

from pixelfast.errors import EngineError
from pixelfast.files.atomic import atomic_path, file_sha256
from pixelfast.model import PlanFacts
from pixelfast.runtime.external import check_external
from pixelfast.runtime.tensorrt.cuda import Cuda
from pixelfast.runtime.tensorrt.package import Messages, find_flavour

_SAID: Final = 200
"""Characters of TensorRT's own words that a sentence bears."""


class CallSizes(NamedTuple):
    """How many frames (or flows) a call of a plan may have: at least, at most, and the number it is tuned for."""

    least: int
    best: int
    most: int

    def __str__(self) -> str:
        return f"{self.least} to {self.most}, best {self.best}"


def parse_call_sizes(text: str) -> CallSizes:
    """Least, best and most, of a text like "16,128,128".

    Raises:
        ValueError: it is none.
    """
    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
        raise ValueError("give three whole numbers, like 16,128,128")
    return CallSizes(*map(int, parts))


def build_plan(
    onnx: Path,
    out: Path,
    call_sizes: CallSizes,
    *,
    precision: str,
    compute_capability: str | None,
    flavour: str | None = None,
) -> PlanFacts:
    """Builds a plan from an ONNX file with one dynamic dimension, the first of its only input.

    The graph says in what precision each part is computed; the builder changes none (it is strongly typed).

    Args:
        onnx: the file.
        out: the plan to write, nothing but its bytes: no header may stand before them.
        call_sizes: frames or flows a call.
        precision: what the graph is in, for the record.
        compute_capability: of the GPU that it is for, such as "8.6"; None means the one in this machine.
        flavour: "tensorrt" or "tensorrt_rtx"; None takes what is installed.

    Returns:
        What was built for what, for the manifest.

    Raises:
        EngineError: no TensorRT, no GPU and none named, one that this TensorRT does not build for, a graph that it
            cannot read, or call sizes that do not fit.
        OutputError: `out` cannot be written.
    """
    name, trt = find_flavour(flavour)
    target = _target(trt, compute_capability, name)
    log = Messages(trt)
    builder, network, parser = _parsed(trt, log, onnx, name)
    config = builder.create_builder_config()
    _set_call_sizes(builder, config, network, call_sizes, onnx)
    config.clear_flag(trt.BuilderFlag.TF32)  # what the graph says is float32 is computed in float32
    gpu = only_gpu(trt, config)
    if hasattr(trt, "ComputeCapability"):
        config.num_compute_capabilities = 1
        config.set_compute_capability(_known(trt)[target], 0)
    plan = builder.build_serialized_network(network, config)
    del parser  # it owned what the network is made of
    if plan is None:
        mend = "; --precision fp16 may do" if precision == "bf16" else ""
        raise EngineError(f"{name} cannot build a {precision} plan from {onnx.name}: {log.last()[:_SAID]}{mend}")
    with atomic_path(out) as temporary:
        temporary.write_bytes(memoryview(plan))
    return PlanFacts(precision, *call_sizes, target, name, str(trt.__version__), file_sha256(onnx), gpu)


def _parsed(trt: Any, log: Messages, onnx: Path, flavour: str) -> tuple[Any, Any, Any]:
    """A builder, its network, and the parser that owns what the network is made of."""
    try:
        builder = trt.Builder(log.logger)
    except TypeError as error:  # how its bindings say that there is none: tensorrt builds on a machine with a GPU only
        raise EngineError(f"{flavour} does not start on this machine: {log.last()[:_SAID]}") from error
    check_external(onnx)
    # Newer versions know strongly typed networks only, and the flag is what says so in those that know both.
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log.logger)
    try:
        data = onnx.read_bytes()
    except OSError as error:
        raise EngineError(f"{onnx} cannot be read: {error.strerror or error}") from error
    if not parser.parse(data):
        reason = parser.get_error(0).desc() if parser.num_errors else log.last()
        raise EngineError(f"TensorRT cannot read {onnx}: {' '.join(reason.split())}")
    return builder, network, parser


def _set_call_sizes(builder: Any, config: Any, network: Any, call_sizes: CallSizes, onnx: Path) -> None:
    if not 1 <= call_sizes.least <= call_sizes.best <= call_sizes.most:
        raise EngineError(f"call sizes must rise from the smallest to the largest, not {call_sizes}")
    entry = network.get_input(0)
    first, *rest = entry.shape
    if network.num_inputs != 1 or first != -1 or -1 in rest:
        raise EngineError(f"{onnx} has no single input with a dynamic first dimension: it has {tuple(entry.shape)}")
    shapes = builder.create_optimization_profile()
    shapes.set_shape(entry.name, *((count, *rest) for count in call_sizes))
    if config.add_optimization_profile(shapes) < 0:
        raise EngineError(f"the call sizes {call_sizes} do not fit {onnx}")


def only_gpu(trt: Any, config: Any) -> str | None:
    """Has a plan built that runs on every GPU of its compute capability, where the package can.

    Args:
        trt: the package.
        config: the configuration of the builder, which is changed.

    Returns:
        The name of the only model of GPU that the plan will run on, this machine's; None where it runs on others, too.

    Raises:
        EngineError: the GPU cannot be reached.
    """
    if hasattr(trt, "ComputeCapability"):  # it builds for a compute capability as it is
        return None
    level = getattr(trt.HardwareCompatibilityLevel, "SAME_COMPUTE_CAPABILITY", None)
    if level is None:
        return Cuda().name()
    config.hardware_compatibility_level = level
    return None


def _target(trt: Any, compute_capability: str | None, flavour: str) -> str:
    """The compute capability to build for: the one that is named, or that of the GPU in this machine."""
    target = _own_capability() if compute_capability is None else compute_capability
    if not hasattr(trt, "ComputeCapability"):
        if compute_capability is not None and target != _own_capability():
            raise EngineError(f"{flavour} builds for the GPU in this machine only: leave out the compute capability")
    elif target not in _known(trt):
        own = ", this machine's; weights run there by PyTorch: score with the .safetensors"
        others = own if compute_capability is None else ""
        raise EngineError(
            f"{flavour} builds for the compute capabilities {', '.join(_known(trt))}, not {target!r}{others}"
        )
    return target


def _own_capability() -> str:
    try:
        return Cuda().compute_capability()
    except EngineError as error:
        raise EngineError(
            f"{error}, so it must be said which GPU the plan is for: --compute-capability 8.6 (see "
            "https://developer.nvidia.com/cuda-gpus)"
        ) from None


def _known(trt: Any) -> dict[str, Any]:
    """The compute capabilities that can be built for: SM86 is 8.6."""
    members = trt.ComputeCapability.__members__.items()
    return {f"{name[2:-1]}.{name[-1]}": value for name, value in members if name[2:].isdecimal()}
