"""The engines of a model folder that can be tried, each with what opens it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pixelfast.model import Model
from pixelfast.runtime.tensorrt.check import plan_origin
from pixelfast.runtime.torch.choice import SPEEDUPS, USUAL, Speedup, TorchWish
from pixelfast.verify.machine import Machine
from pixelfast.verify.reference import LOADERS

USUAL_PRECISION: Final = "fp16"
"""Of weights that PyTorch runs on a GPU."""

_NAME: Final = re.compile(r"(ae|motion|raft)(?:\.s([0-9]+))?(?:\.[a-z0-9]+)?\.(onnx|plan|safetensors)")


@dataclass(frozen=True)
class Candidate:
    """One way to run one file.

    Attributes:
        path: the file.
        label: the file's name, and how it is run where there are several ways.
        kind: "ae", "motion" or "raft".
        stride: of the windows.
        open: loads it.
        usual: whether `pixelfast score` would run the file this way.
        on_gpu: whether it is a plan, or weights that PyTorch runs on a GPU.
        way: precision and speedup, where PyTorch runs it on a GPU.
        elsewhere: why it is meant for other machines than this one, and so not tried; empty where it should run.
    """

    path: Path
    label: str
    kind: str
    stride: int
    open: Callable[[], Any]
    usual: bool = True
    on_gpu: bool = False
    elsewhere: str = ""
    way: tuple[str, Speedup] | None = None


def candidates(model: Model, threads: int, machine: Machine) -> list[Candidate]:
    """All of them, in the order of their files' names."""
    return [one for name in sorted(model.manifest.files) for one in _of_file(model, name, threads, machine)]


def _of_file(model: Model, name: str, threads: int, machine: Machine) -> Iterator[Candidate]:
    match = _NAME.fullmatch(name)
    if match is None:
        return
    kind, stride, suffix = match[1], int(match[2] or 1), match[3]
    path, load = model.folder / name, LOADERS[kind]
    if suffix == "safetensors":
        yield from _by_torch(path, kind, threads, machine)
    elif suffix == "plan":
        elsewhere = _for_another_gpu(model, name, machine)

        def opened() -> Any:
            return load(path, threads, plan_origin(model, name))

        yield Candidate(path, name, kind, stride, opened, on_gpu=True, elsewhere=elsewhere)
    else:
        yield Candidate(path, name, kind, stride, lambda: load(path, threads))


def _for_another_gpu(model: Model, name: str, machine: Machine) -> str:
    """In words, where a plan was built for one of another compute capability than this machine's; else empty."""
    facts = model.manifest.plans.get(name)
    built = None if facts is None else facts.compute_capability
    if None in (built, machine.compute_capability) or built == machine.compute_capability:
        return ""
    return f"for another GPU, of compute capability {built}; the one here has {machine.compute_capability}"


def _by_torch(path: Path, kind: str, threads: int, machine: Machine) -> Iterator[Candidate]:
    """On a GPU in each precision and with each way to speed it up, as what is fastest differs from GPU to GPU."""
    if not machine.by_torch:
        elsewhere = "" if machine.torch_installed else "not run: it needs PyTorch, which is not installed"
        yield Candidate(path, f"{path.name}, CPU", kind, 1, lambda: LOADERS[kind](path, threads), elsewhere=elsewhere)
        return
    ways: list[tuple[str, Speedup]] = [(USUAL_PRECISION, speedup) for speedup in SPEEDUPS]
    for precision, speedup in [*ways, ("bf16", USUAL), ("fp32", USUAL)]:

        def opened(precision: str = precision, speedup: Speedup = speedup) -> Any:
            return LOADERS[kind](path, threads, wish=TorchWish("cuda", precision, speedup))

        label = f"{path.name}, {precision}, {speedup}"
        usual = (precision, speedup) == (USUAL_PRECISION, USUAL)
        yield Candidate(path, label, kind, 1, opened, usual, on_gpu=True, way=(precision, speedup))
