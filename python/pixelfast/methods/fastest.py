"""Which of a model's engines is the fastest on this machine: measured once, then remembered in a file."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError
from pixelfast.geometry import FRAME_SIZE
from pixelfast.machine.imports import installed_version
from pixelfast.machine.measured import Measured, processor
from pixelfast.model import Model
from pixelfast.model.names import PRECISIONS, EngineName
from pixelfast.runtime.tensorrt.check import GpuMachine, check_plan, plan_origin, read_machine
from pixelfast.runtime.tensorrt.package import has_driver
from pixelfast.runtime.torch.choice import fastest_speedup, gpu_by_torch
from pixelfast.runtime.trial import Candidate, EngineKind, Footage, try_engine
from pixelfast.sources import Color
from pixelfast.training.made_up import made_up_frames, moving_texture

MEASURED: Final = Measured("engines.json")

SECONDS: Final = 0.3
"""For each engine, after a first call that does not count."""

_PACKAGES: Final = ("onnxruntime", "onnxruntime-gpu", "openvino", "torch", "tensorrt", "tensorrt-rtx-cu13")
_FRAMES: Final = 96
"""Of the made-up scene; engines that want more get them forth and back."""


@dataclass(frozen=True)
class FastestEngine:
    """The fastest engine of a model, by the file's name, and the windows a second of each that runs.

    The model's folder is for people.
    """

    model: str
    engine: str
    rates: dict[str, float]

    def __str__(self) -> str:
        others = [f"{name} {rate:,.0f}" for name, rate in self.rates.items() if name != self.engine]
        return f"{self.engine} ({self.rates[self.engine]:,.0f} windows/s; {', '.join(others)})"


def fastest_engine(model: Model, name: EngineName, kind: EngineKind, threads: int) -> tuple[str, str | None]:
    """The fastest of a model's engines of one kind and stride that run on this machine.

    What does not agree with float32 on a made-up scene is left out. Measured once; remembered for this machine, these
    files and versions of what runs them.

    The `name` is that of the float32 engine: `ae.onnx`, or `ae.s4.onnx` for a window stride of 4. It must be there.

    Returns:
        The file's name, and what should be said aloud: None where nothing was measured now.
    """
    names = _candidates(model, name)
    if len(names) == 1:
        return names[0], None
    key = _key(model, names, kind, threads)
    known = remembered().get(key)
    if known is not None and known.engine in names:
        return known.engine, None
    rates = _rates(model, name, names, kind, threads)
    if not rates:
        return str(name), None
    choice = FastestEngine(str(model.folder), max(rates, key=lambda name: rates[name]), rates)
    if len(rates) > 1:
        MEASURED.remember(key, vars(choice))  # where that cannot be written, the next run measures again
    return choice.engine, f"the fastest engine of {model.folder} here is {choice}: name a file to take another"


def remembered() -> dict[str, FastestEngine]:
    """What was measured before on this machine; nothing where the file is missing or damaged."""
    choices = {}
    for key, one in MEASURED.read().items():
        with suppress(TypeError):
            choices[key] = FastestEngine(**one)
    return choices


def _candidates(model: Model, name: EngineName) -> list[str]:
    """The engines of the folder that may run here."""
    onnx, plans = (
        [str(name._replace(kind=kind, precision=precision)) for precision in precisions]
        for kind, precisions in PRECISIONS.items()
    )
    names, files = onnx, model.manifest.files
    if has_driver():
        machine = read_machine()
        names += [plan for plan in plans if plan in files and _fits(model, plan, machine)]
        names += [str(name.weights)] if gpu_by_torch() else []
    return [one for one in names if one in files]


def _fits(model: Model, name: str, machine: GpuMachine) -> bool:
    try:
        check_plan(model.folder / name, plan_origin(model, name), machine)
    except EngineError:
        return False
    return True


def _rates(model: Model, name: EngineName, names: Sequence[str], kind: EngineKind, threads: int) -> dict[str, float]:
    """Windows a second of the engines that run and agree, by name."""
    reference = kind.reference(model.folder / str(name), threads)
    subject = kind.subject(Footage((FRAME_SIZE, FRAME_SIZE), _scene), reference, name.stride)
    expected = subject.run(reference, subject.inputs(kind.compared))
    rates = {}
    for one in names:
        path = model.folder / one
        opened = partial(kind.load, path, threads, plan_origin(model, one))
        candidate = Candidate(path, one, kind, name.stride, opened)
        trial = try_engine(candidate, subject, expected, SECONDS, all_lengths=False)
        found = trial.agreement
        if found is not None and (found.tolerable if path.suffix == ".onnx" else found.enough):
            rates[one] = trial.best / subject.stride
    return rates


def _scene(count: int, height: int, width: int, color: Color) -> NDArray[np.uint8]:
    scene = moving_texture if color == "rgb" else made_up_frames
    return scene(min(count, _FRAMES), height, width)


def _key(model: Model, names: Sequence[str], kind: EngineKind, threads: int) -> str:
    """Of the machine, the files, and what runs them."""
    facts = {
        "processor": processor(),
        "threads": threads,
        "driver": has_driver(),
        "packages": {name: installed_version(name) for name in _PACKAGES},
        "speedup": fastest_speedup(kind.stem, "fp16") if f"{kind.stem}.safetensors" in names else None,
        "files": {name: model.manifest.files[name].sha256 for name in names},
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
