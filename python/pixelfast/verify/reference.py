"""What the engines of a model are compared with: its ONNX file, or else its weights in float32 on the CPU."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pixelfast.errors import EngineError
from pixelfast.flow.raft import RaftFlow
from pixelfast.methods.motion.engine import load_motion_engine
from pixelfast.methods.reconstruction.engine import FrameEngine, load_window_engine
from pixelfast.methods.reconstruction.facts import window_facts
from pixelfast.model import Model
from pixelfast.runtime.onnx import OnnxRunner
from pixelfast.runtime.torch.choice import TorchWish

LOADERS: Final[dict[str, Any]] = {"ae": load_window_engine, "motion": load_motion_engine, "raft": RaftFlow}
"""What loads a file of each kind, whatever runs it."""


@dataclass(frozen=True)
class Reference:
    """The file that a kind's engines are compared with.

    Attributes:
        path: an `.onnx` or a `.safetensors` file.
        kind: "ae", "motion" or "raft".
    """

    path: Path
    kind: str

    @property
    def runner(self) -> str:
        """What runs it, in words."""
        return "ONNX Runtime" if self.path.suffix == ".onnx" else "PyTorch in float32 on the CPU"

    def load(self, threads: int) -> Any:
        """Its engine.

        Raises:
            EngineError: it cannot be loaded.
        """
        if self.path.suffix == ".safetensors":
            return _by_torch(self.path, self.kind, threads)
        if self.kind == "ae":
            runner = OnnxRunner(self.path, threads)
            return FrameEngine(runner, window_facts(runner))
        return LOADERS[self.kind](self.path, threads)


def _by_torch(path: Path, kind: str, threads: int) -> Any:
    try:
        return LOADERS[kind](path, threads, wish=TorchWish("cpu"))
    except EngineError:
        raise
    except (ImportError, OSError) as error:  # a library that does not load
        raise EngineError(f"{path} needs PyTorch, which cannot be imported ({error})") from error


def find_reference(model: Model, kind: str) -> Reference:
    """The kind's ONNX file where the model has it, else its weights.

    Raises:
        EngineError: the model has neither.
    """
    names = [f"{kind}.onnx", f"{kind}.safetensors"]
    name = next((name for name in names if name in model.manifest.files), None)
    if name is None:
        raise EngineError(f"{model.folder} has neither {names[0]} nor {names[1]}")
    return Reference(model.folder / name, kind)


def described(model: Model, kinds: Iterable[str]) -> str:
    """What is compared with, in words."""
    words = []
    for kind in kinds:
        try:
            reference = find_reference(model, kind)
        except EngineError:
            words.append(f"nothing for {kind}: there is no {kind}.onnx and no {kind}.safetensors")
        else:
            words.append(f"{reference.path.name} in {reference.runner.replace('PyTorch in', 'PyTorch,')}")
    return "; ".join(words)


def runners(model: Model, kinds: Iterable[str]) -> str:
    """What runs the references that there are, in words."""
    found = []
    for kind in kinds:
        try:
            found.append(find_reference(model, kind).runner)
        except EngineError:
            continue
    return " and ".join(dict.fromkeys(found)) or "a reference"
