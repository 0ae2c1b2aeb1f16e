"""The engines of a model folder that can be tried, each with what opens it, and what they are compared with."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from pixelfast.errors import EngineError
from pixelfast.model import Model, PlanFacts
from pixelfast.model.names import EngineName
from pixelfast.runtime.tensorrt.check import plan_origin
from pixelfast.runtime.torch.choice import SPEEDUPS, USUAL, Speedup, TorchWish
from pixelfast.runtime.trial import Candidate, EngineKind
from pixelfast.verify.machine import Machine

USUAL_PRECISION: Final = "fp16"
"""Of weights that PyTorch runs on a GPU."""


def find_candidates(model: Model, kinds: Iterable[EngineKind], threads: int, machine: Machine) -> list[Candidate]:
    """All of them, kind by kind: first what scoring would run, in the order of the files' names; last what compiles."""
    found: list[Candidate] = []
    for kind in kinds:
        own = _of_kind(model, kind, threads, machine)
        found += sorted(own, key=lambda one: (not one.usual, one.way is not None and one.way[1] == "compile"))
    return found


def _of_kind(model: Model, kind: EngineKind, threads: int, machine: Machine) -> Iterator[Candidate]:
    for name in sorted(model.manifest.files):
        parsed = EngineName.parse(name)
        if parsed is None or parsed.stem != kind.stem:
            continue
        path = model.folder / name
        if parsed.kind == "safetensors":
            yield from _by_torch(path, kind, threads, machine)
            continue
        origin = plan_origin(model, name)
        elsewhere = "" if origin is None else _for_another_gpu(origin.facts, machine)
        opened, plan = partial(kind.load, path, threads, origin), parsed.kind == "plan"
        yield Candidate(path, name, kind, parsed.stride, opened, on_gpu=plan, elsewhere=elsewhere)


def _for_another_gpu(built: PlanFacts, machine: Machine) -> str:
    """In words, where a plan was built for another GPU than this machine's, as far as both are known; else empty."""
    if machine.compute_capability is None:
        return ""
    if built.compute_capability not in (None, machine.compute_capability):
        return (
            f"for another GPU, of compute capability {built.compute_capability}; the one here has "
            f"{machine.compute_capability}"
        )
    return "" if built.gpu in (None, machine.gpu) else f"for {built.gpu} alone; the GPU here is {machine.gpu}"


def _by_torch(path: Path, kind: EngineKind, threads: int, machine: Machine) -> Iterator[Candidate]:
    """On a GPU in each precision and with each way to speed it up, as what is fastest differs from GPU to GPU.

    A kind that scoring runs in one way only is tried in that.
    """
    if not machine.by_torch:
        elsewhere = "" if machine.torch_installed else "not run: it needs PyTorch, which is not installed"
        opened = partial(kind.load, path, threads)
        yield Candidate(path, f"{path.name}, CPU", kind, 1, opened, elsewhere=elsewhere)
        return
    if kind.only_way is not None:
        opened, label = partial(kind.load, path, threads), ", ".join((path.name, *kind.only_way))
        yield Candidate(path, label, kind, 1, opened, on_gpu=True)
        return
    ways: list[tuple[str, Speedup]] = [(USUAL_PRECISION, speedup) for speedup in SPEEDUPS]
    for way in [*ways, ("bf16", USUAL), ("fp32", USUAL)]:
        opened = partial(kind.load, path, threads, wish=TorchWish("cuda", *way))
        label = ", ".join((path.name, *way))
        yield Candidate(path, label, kind, 1, opened, way == (USUAL_PRECISION, USUAL), on_gpu=True, way=way)


def find_reference(model: Model, kind: EngineKind) -> Path | None:
    """The kind's float32 ONNX file where the model has it, else its weights; None where it has neither."""
    onnx = EngineName(kind.stem)
    return next((model.folder / str(name) for name in (onnx, onnx.weights) if str(name) in model.manifest.files), None)


def load_reference(model: Model, kind: EngineKind, threads: int) -> Any:
    """The engine that others of its kind are compared with: by ONNX Runtime, or by PyTorch in float32 on the CPU.

    Raises:
        EngineError: there is none, or it cannot be loaded.
    """
    path = find_reference(model, kind)
    if path is None:
        raise EngineError(f"{model.folder} has neither {kind.stem}.onnx nor {kind.stem}.safetensors")
    if path.suffix == ".onnx":
        return kind.reference(path, threads)
    return kind.load(path, threads, wish=TorchWish("cpu"))


def describe_references(model: Model, kinds: Iterable[EngineKind]) -> str:
    """What is compared with, in words."""
    words = []
    for kind in kinds:
        path = find_reference(model, kind)
        if path is None:
            words.append(f"nothing for {kind.stem}: there is no {kind.stem}.onnx and no {kind.stem}.safetensors")
        else:
            words.append(f"{path.name} in {_runner(path).replace('PyTorch in', 'PyTorch,')}")
    return "; ".join(words)


def describe_runners(model: Model, kinds: Iterable[EngineKind]) -> str:
    """What runs the references that there are, in words."""
    paths = [find_reference(model, kind) for kind in kinds]
    return " and ".join(dict.fromkeys(_runner(path) for path in paths if path is not None)) or "a reference"


def _runner(path: Path) -> str:
    return "ONNX Runtime" if path.suffix == ".onnx" else "PyTorch in float32 on the CPU"
