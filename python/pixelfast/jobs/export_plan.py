"""TensorRT plans of a model's engines: what `pixelfast.export(to="plan")` does."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from pixelfast.errors import EngineError
from pixelfast.files.folders import scratch_folder
from pixelfast.methods.base import ExportRequest, PlanSource
from pixelfast.model import Model, PlanFacts
from pixelfast.model.names import EngineName
from pixelfast.runtime.tensorrt.build import CallSizes, build_plan

FLIP_SIZES: Final = (1, 64, 64)
"""Frames a call of the flip classifier's plan."""

MOST_ITEMS: Final = 4096
"""Of a call: beyond that TensorRT asks for memory that no GPU has."""


def export_plan(model: Model, request: ExportRequest, sources: Sequence[PlanSource]) -> Path:
    """Builds the plans of a model's graphs into its folder, the engine's own first, and that of its flip classifier.

    Returns:
        The engine's plan.

    Raises:
        EngineError: TensorRT is missing or cannot build it, or the sizes of a call cannot be.
        ModelError: half precision changes the ranks or the flow too much, or PyTorch or weights are missing for it.
        OutputError: the folder cannot be written.
    """
    if model.flip_engine() is not None:
        # Small: it stays as it is.
        sources = [sources[0], PlanSource(EngineName("flip"), FLIP_SIZES), *sources[1:]]
    sizes = [_sizes(source, request) for source in sources]
    plans: dict[str, Path] = {}
    facts: dict[str, PlanFacts] = {}
    with scratch_folder(model.folder) as scratch:
        for source, calls in zip(sources, sizes, strict=True):
            precision = "fp32" if source.name.stem == "flip" else request.precision
            plan = str(source.name._replace(precision=precision, kind="plan"))
            with _graph(model, source, request, scratch) as graph:
                built = build_plan(
                    graph,
                    scratch / plan,
                    calls,
                    precision=precision,
                    compute_capability=request.compute_capability,
                )
            # Of the float32 file in the folder: a graph in half precision is made of the same weights, and not kept.
            facts[plan] = replace(built, onnx_sha256=model.manifest.files[str(source.name)].sha256)
            plans[plan] = scratch / plan
        model.add(plans, plans=facts, notes=request.notes)
    return model.folder / next(iter(plans))


def _sizes(source: PlanSource, request: ExportRequest) -> CallSizes:
    """The frames (or flows) a call of a graph's plan: as asked for, where the graph takes what is asked for.

    Raises:
        EngineError: the calls are too short to give results, or longer than any GPU could hold.
    """
    if source.least is None or request.call_sizes is None:
        return CallSizes(*source.sizes)
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


@contextmanager
def _graph(model: Model, source: PlanSource, request: ExportRequest, scratch: Path) -> Iterator[Path]:
    """The ONNX file to build from: the model's own, or one in half precision, which is not kept."""
    own = model.folder / str(source.name)
    if request.precision == "fp32" or source.name.stem == "flip":
        yield own
    elif source.reduce is None:
        request.notes.say(f"{own.name} has no network to halve: its {request.precision} plan computes in float32")
        yield own
    else:
        reduced = scratch / str(source.name._replace(precision=request.precision))
        source.reduce(reduced, request)
        yield reduced
