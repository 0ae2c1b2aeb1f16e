"""The engines of a model folder that can be tried, each with what opens it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pixelfast.engines import RaftFlow, load_motion_engine, load_raft, load_window_engine
from pixelfast.engines.facts import window_facts
from pixelfast.engines.plan_check import plan_origin
from pixelfast.engines.runner import OnnxRunner
from pixelfast.engines.torch_choice import gpu_by_torch
from pixelfast.engines.window import FrameEngine
from pixelfast.model import Model

_NAME: Final = re.compile(r"(ae|motion|raft)(?:\.s([0-9]+))?(?:\.[a-z0-9]+)?\.(onnx|plan|safetensors)")
_LOADERS: Final = {"ae": load_window_engine, "motion": load_motion_engine, "raft": load_raft}


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
    """

    path: Path
    label: str
    kind: str
    stride: int
    open: Callable[[], Any]
    usual: bool = True


def candidates(model: Model, threads: int) -> list[Candidate]:
    """All of them, in the order of their files' names."""
    return [one for name in sorted(model.manifest.files) for one in _of_file(model, name, threads)]


def reference(model: Model, kind: str, threads: int) -> Any:
    """The kind's engine in ONNX Runtime on whatever it uses, which the others are compared with."""
    path = model.folder / f"{kind}.onnx"
    if kind == "ae":
        runner = OnnxRunner(path, threads)
        return FrameEngine(runner, window_facts(runner))
    return load_motion_engine(path, threads) if kind == "motion" else RaftFlow(path, threads)


def _of_file(model: Model, name: str, threads: int) -> Iterator[Candidate]:
    match = _NAME.fullmatch(name)
    if match is None:
        return
    kind, stride, suffix = match[1], int(match[2] or 1), match[3]
    path, load = model.folder / name, _LOADERS[kind]
    if suffix == "safetensors":
        yield from _by_torch(path, kind, threads)
    elif suffix == "plan":
        yield Candidate(path, name, kind, stride, lambda: load(path, threads, plan_origin(model, name)))
    else:
        yield Candidate(path, name, kind, stride, lambda: load(path, threads))


def _by_torch(path: Path, kind: str, threads: int) -> Iterator[Candidate]:
    """On a GPU in each precision and with each way to speed it up, as what is fastest differs from GPU to GPU."""
    from pixelfast.engines.torch_flow import TorchFlow
    from pixelfast.engines.torch_frames import TorchFrames
    from pixelfast.engines.torch_motion import TorchMotion

    if not gpu_by_torch():
        yield Candidate(path, f"{path.name}, CPU", kind, 1, lambda: _LOADERS[kind](path, threads))
        return
    runner: Any = {"ae": TorchFrames, "motion": TorchMotion, "raft": TorchFlow}[kind]
    ways = [("fp16", "graph"), ("fp16", "compile"), ("fp16", "none"), ("bf16", "graph"), ("fp32", "graph")]
    for precision, speedup in ways:

        def opened(precision: str = precision, speedup: str = speedup) -> Any:
            return runner(path, threads, "cuda", precision, speedup)

        usual = (precision, speedup) == ways[0]
        yield Candidate(path, f"{path.name}, {precision}, {speedup}", kind, 1, opened, usual)
