"""Which of a model's engines runs on this machine: the first of a table, from fast to slow, that runs and is right.

Nothing is timed: under other load a timing would choose otherwise, and other engines give other scores.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.geometry import FRAME_SIZE
from pixelfast.machine.gpu import Gpu, first_gpu
from pixelfast.machine.imports import installed_version
from pixelfast.machine.measured import Measured, processor
from pixelfast.machine.processor import multiplies_bf16
from pixelfast.model import Model
from pixelfast.model.names import EngineName
from pixelfast.runtime.tensorrt.check import plan_origin
from pixelfast.runtime.torch.choice import fastest_speedup, gpu_by_torch
from pixelfast.runtime.trial import Candidate, EngineKind, Footage, try_engine
from pixelfast.sources import Color
from pixelfast.training.made_up import made_up_frames, moving_texture

MEASURED: Final = Measured("engines.json")

_PACKAGES: Final = ("onnxruntime", "onnxruntime-gpu", "openvino", "torch", "tensorrt", "tensorrt-rtx-cu13")
_FRAMES: Final = 96
"""Of the made-up scene; engines that want more get them forth and back."""


@dataclass(frozen=True)
class FastestEngine:
    """The engine of a model that runs on this machine, by the file's name; the model's folder is for people."""

    model: str
    engine: str


def fastest_engine(model: Model, name: EngineName, kind: EngineKind, threads: int) -> tuple[str, str | None]:
    """The fastest of a model's engines of one kind and stride that run on this machine, by a table.

    What does not agree with float32 on a made-up scene is left out. Tried once; remembered for this machine and its
    GPU, these files and versions of what runs them, and so that any number of threads and any load give the same
    engine. Where the GPU's memory was full nothing is remembered. What is remembered needs neither CUDA nor PyTorch.

    The `name` is that of the float32 engine: `ae.onnx`, or `ae.s4.onnx` for a window stride of 4. It must be there.

    Returns:
        The file's name, and what should be said aloud: None where there is but one.
    """
    gpu = first_gpu()
    names = _candidates(model, name, gpu)
    if len(names) == 1:
        return names[0], None
    key = _key(model, names, kind, gpu)
    known = remembered().get(key)
    if known is not None and known.engine in names:
        engine = known.engine
    else:
        engine, lasting = _first_right(model, name, names, kind, threads)
        if lasting:  # where that cannot be written, the next run tries again, and comes to the same
            MEASURED.remember(key, vars(FastestEngine(str(model.folder), engine)))
    others = ", ".join(names)
    return engine, f"the fastest engine of {model.folder} here is {engine}, of {others}: name a file to take another"


def remembered() -> dict[str, FastestEngine]:
    """What was chosen before on this machine; nothing where the file is missing or damaged."""
    choices = {}
    for key, one in MEASURED.read().items():
        with suppress(TypeError):
            choices[key] = FastestEngine(**one)
    return choices


def _candidates(model: Model, name: EngineName, gpu: Gpu | None) -> list[str]:
    """The engines of the folder that may run here, from fast to slow; float32 by ONNX is always among them."""
    # int8 is faster on every CPU that was measured (README), bf16 only where the processor multiplies it itself.
    onnx = ("int8", "bf16", "fp32") if multiplies_bf16() else ("int8", "fp32", "bf16")
    names = [str(name._replace(precision=precision)) for precision in onnx]
    if gpu is not None:
        plans = [str(name._replace(kind="plan", precision=precision)) for precision in ("fp16", "bf16", "fp32")]
        weights = [str(name.weights)] if installed_version("torch") else []
        names = [*plans, *weights, *names]
    return [one for one in names if one in model.manifest.files]


def _first_right(
    model: Model, name: EngineName, names: Sequence[str], kind: EngineKind, threads: int
) -> tuple[str, bool]:
    """The first of the candidates that runs and agrees with float32, and whether that is so another time, too."""
    with kind.reference(model.folder / str(name), threads) as reference:
        subject = kind.subject(Footage((FRAME_SIZE, FRAME_SIZE), _scene), reference, name.stride)
        expected = subject.run(reference, subject.inputs(kind.compared))
    lasting = True
    for one in names:
        path = model.folder / one
        if path.suffix == ".safetensors" and not gpu_by_torch():
            continue  # on a CPU all of the others are faster
        opened = partial(kind.load, path, threads, plan_origin(model, one))
        trial = try_engine(Candidate(path, one, kind, name.stride, opened), subject, expected, None)
        lasting &= not trial.full
        found = trial.agreement
        if found is not None and (found.tolerable if path.suffix == ".onnx" else found.enough):
            return one, lasting
    return str(name), lasting


def _scene(count: int, height: int, width: int, color: Color) -> NDArray[np.uint8]:
    scene = moving_texture if color == "rgb" else made_up_frames
    return scene(min(count, _FRAMES), height, width)


def _key(model: Model, names: Sequence[str], kind: EngineKind, gpu: Gpu | None) -> str:
    """Of the machine, the files, and what runs them."""
    facts = {
        "processor": processor(),
        "gpu": gpu,
        "packages": {name: installed_version(name) for name in _PACKAGES},
        "speedup": fastest_speedup(kind.stem, "fp16") if f"{kind.stem}.safetensors" in names else None,
        "files": {name: model.manifest.files[name].sha256 for name in names},
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
