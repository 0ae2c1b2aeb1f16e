"""The engines of a model folder that can be tried, each with what opens it."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from pixelfast.model import Model
from pixelfast.model.names import EngineName
from pixelfast.runtime.tensorrt.check import plan_origin
from pixelfast.runtime.torch.choice import SPEEDUPS, USUAL, Speedup, TorchWish
from pixelfast.runtime.trial import Candidate, EngineKind
from pixelfast.verify.machine import Machine

USUAL_PRECISION: Final = "fp16"
"""Of weights that PyTorch runs on a GPU."""


def find_candidates(model: Model, kinds: Iterable[EngineKind], threads: int, machine: Machine) -> list[Candidate]:
    """All of them, in the order of their files' names."""
    by_stem = {kind.stem: kind for kind in kinds}
    found: list[Candidate] = []
    for name in sorted(model.manifest.files):
        parsed = EngineName.parse(name)
        if parsed is None or parsed.stem not in by_stem:
            continue
        path, kind = model.folder / name, by_stem[parsed.stem]
        if parsed.kind == "safetensors":
            found += _by_torch(path, kind, threads, machine)
            continue
        plan = parsed.kind == "plan"
        elsewhere = _for_another_gpu(model, name, machine) if plan else ""
        opened = partial(kind.load, path, threads, plan_origin(model, name))
        found.append(Candidate(path, name, kind, parsed.stride, opened, on_gpu=plan, elsewhere=elsewhere))
    return found


def _for_another_gpu(model: Model, name: str, machine: Machine) -> str:
    """In words, where a plan was built for one of another compute capability than this machine's; else empty."""
    facts = model.manifest.plans.get(name)
    built = None if facts is None else facts.compute_capability
    if None in (built, machine.compute_capability) or built == machine.compute_capability:
        return ""
    return f"for another GPU, of compute capability {built}; the one here has {machine.compute_capability}"


def _by_torch(path: Path, kind: EngineKind, threads: int, machine: Machine) -> Iterator[Candidate]:
    """On a GPU in each precision and with each way to speed it up, as what is fastest differs from GPU to GPU."""
    if not machine.by_torch:
        elsewhere = "" if machine.torch_installed else "not run: it needs PyTorch, which is not installed"
        opened = partial(kind.load, path, threads)
        yield Candidate(path, f"{path.name}, CPU", kind, 1, opened, elsewhere=elsewhere)
        return
    ways: list[tuple[str, Speedup]] = [(USUAL_PRECISION, speedup) for speedup in SPEEDUPS]
    for way in [*ways, ("bf16", USUAL), ("fp32", USUAL)]:
        opened = partial(kind.load, path, threads, wish=TorchWish("cuda", *way))
        label = ", ".join((path.name, *way))
        yield Candidate(path, label, kind, 1, opened, way == (USUAL_PRECISION, USUAL), on_gpu=True, way=way)
