"""What runs an engine file: what the file says about itself, and one call."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from pixelfast.arguments import MOST_PIXELS
from pixelfast.errors import EngineError

MOST_STRIDE: Final = 1024
"""Frames between windows, and flows before a prediction, that an engine may ask for."""


Held = TypeVar("Held")


@dataclass(frozen=True)
class Tensor:
    """An input or output of an engine: `dtype` as NumPy names it, `shape` with None where it is dynamic."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} {self.dtype} [{sizes}]"


class EngineFile(Protocol):
    """What an engine file says about itself.

    Attributes:
        path: the file.
        inputs: as the file describes them.
        outputs: likewise.
        metadata: what the file says about itself, by `pixelfast.<name>`.
        best: the length of an array that keeps the engine busy; None where any does.
    """

    path: Path
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: dict[str, str]
    best: int | None = None

    def describe(self) -> str:
        """Inputs and outputs in words, for messages."""
        return " -> ".join(", ".join(map(str, tensors)) for tensors in (self.inputs, self.outputs))


class Loaded(Protocol):
    """What holds memory, a GPU's above all, until it is closed, or the last reference to it goes.

    At the end of a `with` block it is closed.

    Attributes:
        remarks: what should be said aloud about it, in sentences.
    """

    remarks: tuple[str, ...] = ()

    @abstractmethod
    def close(self) -> None:
        """Gives back what it holds, at once; a call afterwards is an EngineError. Twice is fine."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Runner(EngineFile, Loaded, Protocol):
    """Runs one engine file: an array in, its first output out."""

    def __call__(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """The engine's first output for `array`.

        Raises:
            EngineError: the array does not fit the engine, or the engine fails on it.
        """


Running = TypeVar("Running", bound=Loaded)


class RunnerEngine(Loaded, Generic[Running]):
    """An engine of some kind, whatever runs its file.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, runner: Running) -> None:
        self.path, self.remarks, self._run = path, runner.remarks, runner

    @property
    def fallback(self) -> str | None:
        """Why CUDA graphs are not used although they were chosen; None where they are, or nobody chose them."""
        return getattr(self._run, "fallback", None)

    @property
    def best(self) -> int | None:
        """The frames (or flows) of a call that keep the engine busy; None where any number does."""
        return getattr(self._run, "best", None)

    def close(self) -> None:
        """See `Loaded.close`."""
        self._run.close()


def still_open(path: Path, held: Held | None) -> Held:
    """What an engine holds; None stands for one that is closed.

    Raises:
        EngineError: it is closed.
    """
    if held is None:
        raise EngineError(f"{path}: this engine is closed: load it again")
    return held


def metadata_integer(engine: EngineFile, name: str, most: int = MOST_PIXELS) -> int | None:
    """The whole number under `pixelfast.<name>` in the engine's metadata, None where there is none.

    Raises:
        EngineError: it is no whole number, or above `most`, so that memory would not hold what it asks for.
    """
    text = engine.metadata.get(f"pixelfast.{name}")
    if text is None:
        return None
    if not text.isdecimal() or len(text) > len(str(most)) or int(text) > most:
        raise EngineError(
            f"{engine.path}: its metadata pixelfast.{name} is {text[:40]!r}, not a whole number up to {most}"
        )
    return int(text)


def check_file(path: Path) -> None:
    """Refuses a folder, a missing and an empty file.

    Raises:
        EngineError: it is one of them.
    """
    if path.is_dir():
        raise EngineError(f"{path} is a folder, not an engine file")
    if not path.exists():
        raise EngineError(f"{path} does not exist; an engine is a model folder, or a file of one")
    if path.stat().st_size == 0:
        raise EngineError(f"{path} is empty (0 bytes); copy or export the engine again")
