"""TensorRT plans of a model's engines: what `pixelfast.export(to="plan")` does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pixelfast.errors import EngineError, ModelError
from pixelfast.files.folders import scratch_folder
from pixelfast.flow.opening import RAFT_FILE
from pixelfast.flow.raft import MOST_PAIRS, RaftFlow
from pixelfast.flow.raft_memory import pairs_within
from pixelfast.jobs.checked_footage import flow_frames_of, flows_of, frames_of
from pixelfast.machine.imports import training_extra
from pixelfast.model import Model, PlanFacts
from pixelfast.notes import Notes
from pixelfast.runtime.tensorrt.build import CallSizes, build_plan

CALL_SIZES: Final = {
    "ae": CallSizes(16, 128, 128),
    "motion": CallSizes(9, 72, 72),
    "flip": CallSizes(1, 64, 64),
}
"""Frames (or flows) a call where nobody says otherwise; of RAFT as many as `RAFT_BYTES` hold."""

RAFT_BYTES: Final = 4 << 30
"""Memory that a call of RAFT's plan may take on the GPU: TensorRT takes it for the largest call, when it is loaded."""

MOST_ITEMS: Final = 4096
"""Of a call: beyond that TensorRT asks for memory that no GPU has."""


@dataclass(frozen=True)
class PlanRequest:
    """What plans to build; see `pixelfast.export`."""

    precision: str = "fp32"
    stride: int = 1
    compute_capability: str | None = None
    call_sizes: tuple[int, int, int] | None = None
    threads: int = 1

    def plan_of(self, stem: str) -> tuple[str, str]:
        """Name and precision of the plan; the flip classifier is small and stays as it is."""
        kept = self.precision == "fp32" or stem == "flip"
        return (f"{stem}.plan", "fp32") if kept else (f"{stem}.{self.precision}.plan", self.precision)


def export_plan(model: Model, request: PlanRequest) -> Path:
    """Builds the plan of a model's engine into its folder, and of its RAFT and flip classifier where it has them.

    Returns:
        The engine's plan.

    Raises:
        EngineError: TensorRT is missing or cannot build it, or there is no such precision or stride.
        ModelError: half precision changes the ranks or the flow too much, or PyTorch or weights are missing for it.
        OutputError: the folder cannot be written.
    """
    names = _sources(model, request)
    plans: dict[str, Path] = {}
    facts: dict[str, PlanFacts] = {}
    calls = {name: _call_sizes(model, name, request) for name in names}
    with scratch_folder(model.folder) as scratch:
        for name in names:
            stem = Path(name).stem
            plan, precision = request.plan_of(stem)
            with _graph(model, name, request, scratch) as source:
                built = build_plan(
                    source,
                    scratch / plan,
                    calls[name],
                    precision=precision,
                    compute_capability=request.compute_capability,
                )
            # Of the float32 file in the folder: a graph in half precision is made of the same weights, and not kept.
            facts[plan] = replace(built, onnx_sha256=model.manifest.files[name].sha256)
            plans[plan] = scratch / plan
        model.add(plans, plans=facts)
    return model.folder / next(iter(plans))


def _sources(model: Model, request: PlanRequest) -> list[str]:
    """The ONNX files to build plans of: the model's engine first.

    Raises:
        EngineError: there is no such precision or stride.
        ModelError: weights for this precision are missing.
    """
    if request.precision not in ("fp32", "fp16", "bf16"):
        raise EngineError(f"precision must be fp32, fp16 or bf16, not {request.precision!r}")
    if model.manifest.method == "motion" and request.stride != 1:
        raise EngineError("the motion method's engines have no stride")
    flip = model.flip_engine()
    names = [model.engine(request.stride).name, *([] if flip is None else [flip.name])]
    if RAFT_FILE not in model.manifest.files:
        return names
    if request.precision != "fp32" and _weights(RAFT_FILE) not in model.manifest.files:
        raise ModelError(
            f"{model.folder} has no {_weights(RAFT_FILE)}, which {request.precision} is made from: an older pixelfast "
            "wrote it. Train it again (pixelfast train … --flow raft), convert it again, or ask for fp32"
        )
    return [*names, RAFT_FILE]


def _call_sizes(model: Model, name: str, request: PlanRequest) -> CallSizes:
    """The frames (or flows) a call of an engine's plan: as asked for; RAFT and the flip classifier have their own.

    Raises:
        EngineError: the calls are too short to give results, or longer than any GPU could hold.
    """
    stem = name.split(".", maxsplit=1)[0]
    if stem == "raft":
        return raft_call_sizes(*RaftFlow(model.folder / name, request.threads).size(0, 0))
    if stem == "flip" or request.call_sizes is None:
        return CALL_SIZES[stem]
    sizes, motion = CallSizes(*request.call_sizes), model.manifest.motion
    least = model.manifest.window if motion is None else motion.past + 1
    if sizes.least < least:
        raise EngineError(f"a call of {name} takes at least {least}, and the call sizes begin at {sizes.least}")
    if sizes.most > MOST_ITEMS:
        raise EngineError(f"a call of {name} takes at most {MOST_ITEMS}, and the call sizes end at {sizes.most}")
    if request.stride > 1 and sizes.most < sizes.least + 2 * request.stride:
        raise EngineError(
            f"the call sizes must reach over two strides: give at least {sizes.least + 2 * request.stride}"
        )
    return sizes


def raft_call_sizes(height: int, width: int) -> CallSizes:
    """Frames of this size in pixels a call of RAFT's plan."""
    most = min(MOST_PAIRS, pairs_within(RAFT_BYTES, height, width)) + 1
    return CallSizes(2, most, most)


@contextmanager
def _graph(model: Model, name: str, request: PlanRequest, scratch: Path) -> Iterator[Path]:
    """The ONNX file to build from: the model's own, or one in half precision, which is not kept."""
    stem = Path(name).stem
    if request.plan_of(stem)[1] == "fp32":
        yield model.folder / name
        return
    if stem == "motion" and _weights(name) not in model.manifest.files:
        Notes().say(f"{name} has no network to halve: its {request.precision} plan computes in float32")
        yield model.folder / name
        return
    reduced = scratch / f"{stem}.{request.precision}.onnx"
    _REDUCE[stem.split(".")[0]](model, reduced, request)
    yield reduced


def _weights(name: str) -> str:
    """The file of the weights that an ONNX file was made from."""
    return Path(name).with_suffix(".safetensors").name


def _reduce_autoencoder(model: Model, out: Path, request: PlanRequest) -> None:
    with training_extra():
        from pixelfast.methods.reconstruction.export import export_reduced
    frames = frames_of(model)
    agreement = export_reduced(
        model.folder, out, request.stride, request.precision, frames=frames, threads=request.threads
    )
    Notes().say(f"{request.precision} keeps the order of the frames: rank correlation {agreement:.5f} with float32")


def _reduce_motion(model: Model, out: Path, request: PlanRequest) -> None:
    with training_extra():
        from pixelfast.methods.motion.export import export_reduced_motion
    runs = flows_of(model, request.threads)
    agreement = export_reduced_motion(model.folder, out, request.precision, runs=runs, threads=request.threads)
    Notes().say(f"{request.precision} keeps the order of the frames: rank correlation {agreement:.5f} with float32")


def _reduce_raft(model: Model, out: Path, request: PlanRequest) -> None:
    with training_extra():
        from pixelfast.flow.raft_export import export_reduced_raft
    frames = flow_frames_of(model, request.threads)
    error = export_reduced_raft(model.folder, out, request.precision, frames=frames, threads=request.threads)
    Notes().say(
        f"{request.precision} keeps RAFT's flow: it is {error.mean:.4f} pixels of a frame from that of float32 on "
        f"average, {error.most:.4f} at most"
    )


_REDUCE: Final[dict[str, Callable[[Model, Path, PlanRequest], None]]] = {
    "ae": _reduce_autoencoder,
    "motion": _reduce_motion,
    "raft": _reduce_raft,
}
