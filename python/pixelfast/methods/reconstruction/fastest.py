"""Which of a model's engines is the fastest on this machine: measured once, then remembered in a file."""

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError
from pixelfast.machine.measured import Measured, processor
from pixelfast.methods.reconstruction.engine import WindowEngine, load_window_engine
from pixelfast.model import Model
from pixelfast.runtime.tensorrt.check import check_plan, plan_origin, read_machine
from pixelfast.runtime.tensorrt.package import has_driver
from pixelfast.runtime.torch.choice import fastest_speedup, gpu_by_torch
from pixelfast.scores.agreement import rank_correlation

LEAST_AGREEMENT: Final = 0.999
"""Spearman correlation with the float32 ONNX file, on a made-up scene."""

LEAST_AGREEMENT_ELSEWHERE: Final = 0.98
"""The same, of an ONNX file in less than float32: it was compared on footage where it was made, for which its ranges
were chosen. But sums of int8 products overflow on CPUs without an instruction for them, so each CPU is asked again."""

MEASURED: Final = Measured("engines.json")

SECONDS: Final = 0.3
"""For each engine, after a first call that does not count."""

_PRECISIONS: Final = ("", ".int8", ".bf16")
_PLAN_PRECISIONS: Final = ("", ".fp16", ".bf16")
_PACKAGES: Final = ("onnxruntime", "onnxruntime-gpu", "openvino", "torch", "tensorrt", "tensorrt-rtx-cu13")
_FRAMES: Final = 96


@dataclass(frozen=True)
class FastestEngine:
    """The fastest engine of a model.

    Attributes:
        model: the model's folder, for people.
        engine: the file's name.
        rates: windows a second of each engine that runs, by name.
    """

    model: str
    engine: str
    rates: dict[str, float]

    def __str__(self) -> str:
        others = [f"{name} {rate:,.0f}" for name, rate in self.rates.items() if name != self.engine]
        return f"{self.engine} ({self.rates[self.engine]:,.0f} windows/s; {', '.join(others)})"


def fastest_engine(model: Model, stem: str, threads: int) -> tuple[str, str | None]:
    """The fastest of the engines of a reconstruction model that run on this machine.

    What does not put the frames of a made-up scene into the order that float32 does is left out. Measured once;
    remembered for this machine, these files and versions of what runs them.

    Args:
        model: the model.
        stem: of the float32 engine's name: `ae`, or `ae.s4` for a window stride of 4. Its ONNX file must be there.
        threads: of an engine on a CPU.

    Returns:
        The file's name, and what should be said aloud: None where nothing was measured now.
    """
    names = _candidates(model, stem)
    if len(names) == 1:
        return names[0], None
    key = _key(model, names, threads)
    known = remembered().get(key)
    if known is not None and known.engine in names:
        return known.engine, None
    reference = load_window_engine(model.folder / f"{stem}.onnx", threads)
    rates = {name: rate for name in names if (rate := _rate(model, name, threads, reference)) > 0}
    if not rates:
        return f"{stem}.onnx", None
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


def _candidates(model: Model, stem: str) -> list[str]:
    """The engines of the folder that may run here."""
    files = model.manifest.files
    names = [f"{stem}{precision}.onnx" for precision in _PRECISIONS]
    if has_driver():
        machine = read_machine()
        plans = [f"{stem}{precision}.plan" for precision in _PLAN_PRECISIONS]
        names += [name for name in plans if name in files and _fits(model, name, machine)]
        names += ["ae.safetensors"] if gpu_by_torch() else []
    return [name for name in names if name in files]


def _fits(model: Model, name: str, machine: Any) -> bool:
    try:
        check_plan(model.folder / name, plan_origin(model, name), machine)
    except EngineError:
        return False
    return True


def _rate(model: Model, name: str, threads: int, reference: WindowEngine) -> float:
    """Windows a second; 0 where the engine does not run, or puts frames into another order."""
    stride = reference.facts.stride or 1
    try:
        engine = load_window_engine(model.folder / name, threads, plan_origin(model, name))
        frames = _scene(max(_FRAMES, engine.facts.best or 0), engine.facts.height, engine.facts.width)
        windows = len(engine.errors(frames, stride))
        started, calls = time.perf_counter(), 0
        while not calls or time.perf_counter() - started < SECONDS:
            engine.errors(frames, stride)
            calls += 1
        rate = calls * windows / (time.perf_counter() - started)
        least = LEAST_AGREEMENT_ELSEWHERE if name.endswith(".onnx") else LEAST_AGREEMENT
        return rate if _agreement(engine, reference, frames[:_FRAMES], stride) >= least else 0.0
    except EngineError:
        return 0.0


def _agreement(engine: WindowEngine, reference: WindowEngine, frames: NDArray[np.uint8], stride: int) -> float:
    """How far two engines put the frames of all windows into the same order; not a number where a value is none."""
    return rank_correlation(*(one.errors(frames, stride).mean(axis=(2, 3)) for one in (engine, reference)))


def _scene(count: int, height: int, width: int) -> NDArray[np.uint8]:
    """u8[count,height,width]: a texture under changing light with some noise."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32) / max(height, width)
    texture = 0.5 + 0.2 * np.sin(9 * columns + 4 * rows) + 0.2 * np.sin(13 * rows)
    light = 0.8 + 0.2 * np.sin(np.arange(count) / 5)[:, None, None]
    noise = np.random.default_rng(0).integers(0, 12, (count, height, width))
    levels: NDArray[np.uint8] = (240 * light * texture + noise).astype(np.uint8)
    return levels


def _key(model: Model, names: Sequence[str], threads: int) -> str:
    """Of the machine, the files, and what runs them."""
    facts = {
        "processor": processor(),
        "threads": threads,
        "driver": has_driver(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "speedup": fastest_speedup("ae", "fp16") if "ae.safetensors" in names else None,
        "files": {name: model.manifest.files[name].sha256 for name in names},
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
