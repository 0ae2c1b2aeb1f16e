"""Writes a further engine into a model's folder: what `pixelfast.export` does."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from pixelfast.errors import EngineError, PixelfastError
from pixelfast.files.folders import scratch_folder
from pixelfast.methods.calibrating import calibrate, held_out_again
from pixelfast.methods.exports import ExportRequest, PlanSource
from pixelfast.methods.registry import find_method
from pixelfast.model import Calibration, Model, PlanFacts
from pixelfast.model.names import PRECISIONS, EngineName
from pixelfast.runtime.tensorrt.build import CallSizes, build_plan
from pixelfast.runtime.tensorrt.check import read_machine
from pixelfast.runtime.tensorrt.cuda import Cuda

FLIP_SIZES: Final = (1, 64, 64)
"""Frames a call of the flip classifier's plan."""

MOST_ITEMS: Final = 4096
"""Of a call: beyond that TensorRT asks for memory that no GPU has."""

SHARE: Final = 1 / 8
"""Of a GPU's memory that a call of a plan may take where nobody says otherwise: other plans and programs want some."""


def export_engine(model: Model, request: ExportRequest) -> Path:
    """Exports an engine; see `pixelfast.export`."""
    of_plans = request.compute_capability is not None or request.call_sizes is not None
    if of_plans and request.to != "plan":
        raise EngineError(
            f"a compute capability and call sizes are of TensorRT plans, not of {request.to}: say --to plan"
        )
    if request.to == "plan" and request.precision not in PRECISIONS["plan"]:
        raise EngineError(f"precision must be fp32, fp16 or bf16, not {request.precision!r}")
    if request.precision not in PRECISIONS.get(request.to, ()):
        known = "onnx in fp32, int8 or bf16, and plans in fp32, fp16 or bf16"
        raise EngineError(f"pixelfast exports {known}, not {request.to} in {request.precision}")
    exports = find_method(model.manifest.method).exports
    if exports is None:
        raise EngineError(f"{model.folder} holds a {model.manifest.method} model, which has its only engine")
    if request.to == "plan":
        return _export_plan(model, request, exports.plans(model, request))
    return exports.onnx(model, request)


def _export_plan(model: Model, request: ExportRequest, sources: Sequence[PlanSource]) -> Path:
    """Builds the plans of a model's graphs into its folder, the engine's own first, and that of its flip classifier.

    Returns:
        The engine's plan.

    Raises:
        EngineError: TensorRT is missing or cannot build it, or the sizes of a call cannot be.
        ModelError: half precision changes the ranks or the flow too much, or PyTorch or weights are missing for it.
        OutputError: the folder cannot be written.
    """
    if model.flip_engine() is not None:
        sources = [sources[0], PlanSource(EngineName("flip"), FLIP_SIZES), *sources[1:]]
    sizes = [_sizes(source, request) for source in sources]
    plans: dict[str, PlanFacts] = {}
    with scratch_folder(model.folder) as scratch:
        for source, calls in zip(sources, sizes, strict=True):
            precision = "fp32" if source.name.stem == "flip" else request.precision  # small: it stays as it is
            graph = _graph(model, source, request, precision, scratch)
            plan = str(source.name._replace(precision=precision, kind="plan"))
            gpu = request.compute_capability
            built = build_plan(graph, scratch / plan, calls, precision=precision, compute_capability=gpu)
            # Of the float32 file in the folder: a graph in half precision is made of the same weights, and not kept.
            plans[plan] = replace(built, onnx_sha256=model.manifest.files[str(source.name)].sha256)
        own = next(iter(plans))
        measured = _calibrations(model, scratch / own, plans[own], request)
        model.add({name: scratch / name for name in plans}, measured, plans=plans, notes=request.notes)
    return model.folder / own


def _calibrations(model: Model, plan: Path, facts: PlanFacts, request: ExportRequest) -> list[Calibration]:
    """Measures those of a plan on this machine's GPU; none, said aloud, where that is another or cannot be reached."""
    spec, machine = find_method(model.manifest.method), read_machine()
    try:
        if machine.compute_capability is None or facts.compute_capability not in (None, machine.compute_capability):
            why = machine.gpu_missing or f"it is for GPUs of compute capability {facts.compute_capability}"
            raise EngineError(f"{why}; `pixelfast verify` measures it where that GPU is")
        held_out = held_out_again(spec, model, plan.parent, request.threads)
        return calibrate(
            spec, plan, model.manifest.own, held_out, stride=request.stride, precision=facts.precision,
            threads=request.threads, fps=model.manifest.rate,
        )  # fmt: skip
    except PixelfastError as error:
        request.notes.say(f"{plan.name} has no calibration, so its scores have no threshold: {error}")
    return []


def _sizes(source: PlanSource, request: ExportRequest) -> CallSizes:
    """The frames (or flows) a call of a graph's plan: as asked for, where the graph takes what is asked for.

    Where nothing is asked for, they are as many as this machine's GPU has room for, if the plan is for that.

    Raises:
        EngineError: the calls are too short to give results, or longer than any GPU could hold.
    """
    if source.least is None or request.call_sizes is None:
        return _roomy(source) if request.compute_capability is None else CallSizes(*source.sizes)
    sizes, name = CallSizes(*request.call_sizes), source.name
    if sizes.least < source.least:
        raise EngineError(f"a call of {name} takes at least {source.least}, and the call sizes begin at {sizes.least}")
    if sizes.most > MOST_ITEMS:
        raise EngineError(f"a call of {name} takes at most {MOST_ITEMS}, and the call sizes end at {sizes.most}")
    if request.stride > 1 and sizes.most < sizes.least + 2 * request.stride:
        raise EngineError(
            f"the call sizes must reach over two strides: give at least {sizes.least + 2 * request.stride}"
        )
    return sizes


def _roomy(source: PlanSource) -> CallSizes:
    """The usual sizes, or the largest of the larger ones that this machine's GPU has room for."""
    sizes = CallSizes(*source.sizes)
    if source.larger:
        with suppress(EngineError):  # no GPU, as is said where the plan is built
            room = SHARE * Cuda().memory_bytes()
            fitting = [items for items, taken in source.larger if taken <= room]
            return sizes._replace(best=fitting[-1], most=fitting[-1]) if fitting else sizes
    return sizes


def _graph(model: Model, source: PlanSource, request: ExportRequest, precision: str, scratch: Path) -> Path:
    """The ONNX file to build from: the model's own, or one in half precision in the scratch folder."""
    own = model.folder / str(source.name)
    if precision == "fp32":
        return own
    if source.reduce is None:
        request.notes.say(f"{own.name} has no network to halve: its {precision} plan computes in float32")
        return own
    reduced = scratch / str(source.name._replace(precision=precision))
    source.reduce(reduced, request)
    return reduced
