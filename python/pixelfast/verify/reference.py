"""What the engines of a model are compared with: its ONNX file, or else its weights in float32 on the CPU."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pixelfast.errors import EngineError
from pixelfast.model import Model
from pixelfast.model.names import EngineName
from pixelfast.runtime.torch.choice import TorchWish
from pixelfast.runtime.trial import EngineKind


def find_reference(model: Model, kind: EngineKind) -> Path:
    """The kind's ONNX file where the model has it, else its weights.

    Raises:
        EngineError: the model has neither.
    """
    onnx = EngineName(kind.stem)
    name = next((name for name in (str(onnx), str(onnx.weights)) if name in model.manifest.files), None)
    if name is None:
        raise EngineError(f"{model.folder} has neither {onnx} nor {onnx.weights}")
    return model.folder / name


def load_reference(model: Model, kind: EngineKind, threads: int) -> Any:
    """Its engine.

    Raises:
        EngineError: there is none, or it cannot be loaded.
    """
    path = find_reference(model, kind)
    if path.suffix == ".onnx":
        return kind.reference(path, threads)
    return kind.load(path, threads, wish=TorchWish("cpu"))


def describe_references(model: Model, kinds: Iterable[EngineKind]) -> str:
    """What is compared with, in words."""
    words = []
    for kind in kinds:
        try:
            path = find_reference(model, kind)
        except EngineError:
            words.append(f"nothing for {kind.stem}: there is no {kind.stem}.onnx and no {kind.stem}.safetensors")
        else:
            words.append(f"{path.name} in {_runner(path).replace('PyTorch in', 'PyTorch,')}")
    return "; ".join(words)


def describe_runners(model: Model, kinds: Iterable[EngineKind]) -> str:
    """What runs the references that there are, in words."""
    found = []
    for kind in kinds:
        try:
            found.append(_runner(find_reference(model, kind)))
        except EngineError:
            continue
    return " and ".join(dict.fromkeys(found)) or "a reference"


def _runner(path: Path) -> str:
    return "ONNX Runtime" if path.suffix == ".onnx" else "PyTorch in float32 on the CPU"
