"""Whether a plan fits the machine, before TensorRT sees it: what was built for what stands in the model's manifest."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pixelfast.errors import EngineError
from pixelfast.model import Model, PlanFacts
from pixelfast.model.folder import plan_command
from pixelfast.model.names import EngineName
from pixelfast.runtime.tensorrt.build import CallSizes
from pixelfast.runtime.tensorrt.cuda import Cuda
from pixelfast.runtime.tensorrt.package import FLAVOURS, INSTALL, find_flavour, installed_flavours

_BF16_SINCE = 8
"""The major number of the compute capability from which GPUs compute in bf16 (Ampere)."""


@dataclass(frozen=True)
class PlanOrigin:
    """What a plan's model knows about it.

    Attributes:
        facts: what it was built for.
        onnx: the name of the ONNX file that it was built from.
        onnx_sha256: what that file has in the model now; None where it has gone.
        rebuild: the command that builds the plan again.
    """

    facts: PlanFacts
    onnx: str
    onnx_sha256: str | None
    rebuild: str


@dataclass(frozen=True)
class GpuMachine:
    """What a machine has for plans.

    Attributes:
        gpu: the GPU's name; None where it cannot be reached.
        compute_capability: of the GPU, such as "8.6"; None where it cannot be reached.
        versions: of the TensorRT packages that can be imported, by name.
        gpu_missing: why the GPU cannot be reached; None where it can.
    """

    gpu: str | None
    compute_capability: str | None
    versions: Mapping[str, str]
    gpu_missing: str | None = None


def plan_origin(model: Model, name: str) -> PlanOrigin | None:
    """What `model` knows about the plan called `name`; None where its manifest does not say."""
    facts = model.manifest.plans.get(name)
    if facts is None:
        return None
    parsed = EngineName.parse(name) or EngineName(name.partition(".")[0])
    onnx = str(parsed._replace(precision="fp32", kind="onnx"))
    now = model.manifest.files.get(onnx)
    return PlanOrigin(facts, onnx, None if now is None else now.sha256, plan_command(model.folder, name, facts))


def read_machine() -> GpuMachine:
    """What this machine has."""
    versions = {}
    for name in installed_flavours():
        with suppress(EngineError):  # one that cannot be imported is as good as none
            versions[name] = str(find_flavour(name)[1].__version__)
    try:
        cuda = Cuda()
        return GpuMachine(cuda.name(), cuda.compute_capability(), versions)
    except EngineError as error:
        return GpuMachine(None, None, versions, str(error))


def check_plan(path: Path, origin: PlanOrigin | None, machine: GpuMachine) -> None:
    """Refuses a plan that cannot run on `machine`, with what mends it.

    Raises:
        EngineError: there is no GPU, no TensorRT that reads it, or it was built for another GPU, by another version,
            or from another ONNX file than the one that is there now.
    """
    if machine.compute_capability is None:
        instead = "an .onnx file" if origin is None else str(path.with_name(origin.onnx))
        why = machine.gpu_missing or "this machine has none"
        raise EngineError(f"{path} runs on an NVIDIA GPU, and {why}: name {instead} instead")
    if origin is None:
        if not machine.versions:
            raise EngineError(f"{path} needs TensorRT, which is not installed: {INSTALL}")
        return
    _check_version(path, origin, machine)
    _check_gpu(path, origin, machine.gpu or "", machine.compute_capability)
    if origin.onnx_sha256 not in (None, origin.facts.onnx_sha256):
        raise EngineError(f"{path} was built from another {origin.onnx} than the one beside it: {origin.rebuild}")


def check_call_sizes(path: Path, origin: PlanOrigin | None, found: CallSizes) -> None:
    """Refuses a plan whose sizes of call are not those that its model says.

    Raises:
        EngineError: they are others.
    """
    if origin is None:
        return
    known = CallSizes(origin.facts.least, origin.facts.best, origin.facts.most)
    if found != known:
        raise EngineError(f"{path} takes {found} a call, but its model says {known}: {origin.rebuild}")


def _check_version(path: Path, origin: PlanOrigin, machine: GpuMachine) -> None:
    flavour, found = origin.facts.flavour, machine.versions.get(origin.facts.flavour)
    built = f"{path} was built by {flavour} {origin.facts.version}"
    if found is None:
        install = f"pip install 'pixelfast[{FLAVOURS.get(flavour, flavour)}]'"
        raise EngineError(
            f"{built}, which is not installed: {install}, or build it again by what is installed: {origin.rebuild}"
        )
    if found != origin.facts.version:
        raise EngineError(f"{built}, and {found}, which is installed, reads only its own: {origin.rebuild}")


def _check_gpu(path: Path, origin: PlanOrigin, gpu: str, compute_capability: str) -> None:
    facts = origin.facts
    if facts.compute_capability not in (None, compute_capability):
        raise EngineError(
            f"{path} was built for GPUs of compute capability {facts.compute_capability}, and {gpu} has "
            f"{compute_capability}: {origin.rebuild}"
        )
    if facts.gpu not in (None, gpu):
        raise EngineError(f"{path} was built for {facts.gpu} alone, and the GPU here is {gpu}: {origin.rebuild}")
    if facts.precision == "bf16" and int(compute_capability.partition(".")[0]) < _BF16_SINCE:
        raise EngineError(
            f"{path} computes in bf16, which {gpu} (compute capability {compute_capability}) cannot: "
            f"{origin.rebuild.replace('--precision bf16', '--precision fp16')}"
        )
