"""Engines on trial: is one as right as the reference of its kind, and how fast is it?"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import GpuMemoryError, PixelfastError
from pixelfast.runtime.runner import Loaded
from pixelfast.runtime.tensorrt.check import PlanOrigin
from pixelfast.runtime.torch.choice import Speedup, TorchWish
from pixelfast.runtime.torch.runner import Weights
from pixelfast.sources import Color

Array = NDArray[Any]

PlainLoop = Callable[[Path, str, NDArray[np.uint8], Sequence[Path], float], tuple[float, float]]
"""From weights, a device ("cuda" or "cpu"), frames in memory, files of frames and seconds for each figure: the frames a
second of the source method's plain loop, from memory and from files."""


class Agreement(NamedTuple):
    """How near the results of an engine are to the reference's.

    Attributes:
        words: a few words that say it.
        enough: whether that is near enough.
        tolerable: whether it is near enough for a file that was compared on footage where it was made.
    """

    words: str
    enough: bool
    tolerable: bool = False


class LoadEngine(Protocol):
    """Loads an engine of one kind, whatever runs it."""

    def __call__(
        self, path: Path, threads: int, origin: PlanOrigin | None = None, wish: TorchWish | None = None
    ) -> Loaded:
        """Loads the `.onnx`, `.plan` or `.safetensors` file."""


class Footage(NamedTuple):
    """Footage that engines are tried on.

    Attributes:
        size: height and width of its frames, pixels.
        frames: neighbouring frames u8[n,H,W] or u8[n,H,W,3], at most so many, of a height, a width and a color.
    """

    size: tuple[int, int]
    frames: Callable[[int, int, int, Color], NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class Subject:
    """What engines of one kind and stride are tried on.

    Attributes:
        some: neighbouring inputs.
        run: gives the results of an engine for inputs.
        agreement: compares the results of an engine with the reference's.
        stride: the frames of a video that a result stands for.
    """

    some: Array
    run: Callable[[Any, Array], Array]
    agreement: Callable[[Array, Array], Agreement]
    stride: int = 1

    def inputs(self, count: int) -> Array:
        """Returns `count` inputs, forth and back where there are fewer."""
        some = np.concatenate([self.some, self.some[-2:0:-1]]) if count > len(self.some) else self.some
        return np.ascontiguousarray(np.resize(some, (count, *some.shape[1:])))


@dataclass(frozen=True, eq=False)
class EngineKind:
    """A kind of engine, as it is tried.

    Attributes:
        stem: what the names of its files begin with.
        load: loads a file of it.
        reference: loads its float32 ONNX file into ONNX Runtime, from the path and the threads of a call.
        subject: what its engines are tried on, from footage, a loaded reference and the window stride.
        measure: the name of the measure in which two engines agree.
        compared: inputs that engines are compared on: a CPU is slow on some.
        lengths: inputs of the calls that speed is measured with, beside those of an engine's own best call.
        plain_loop: measures the source method's plain loop; None where there is none.
        weights: what its `.safetensors` files hold; None where PyTorch runs none.
        only_way: the one precision and speedup in which PyTorch runs it on a GPU; None where it may be any.
    """

    stem: str
    load: LoadEngine
    reference: Callable[[Path, int], Loaded]
    subject: Callable[[Footage, Any, int], Subject]
    measure: str = "rank correlation"
    compared: int = 80
    lengths: tuple[int, ...] = (32, 64, 128, 256, 512)
    plain_loop: PlainLoop | None = None
    weights: Weights | None = None
    only_way: tuple[str, Speedup] | None = None


@dataclass(frozen=True)
class Candidate:
    """One way to run one file.

    Attributes:
        label: the file's name, and how it is run where there are several ways.
        stride: of the windows.
        usual: whether `pixelfast score` would run the file this way.
        on_gpu: whether it is a plan, or weights that PyTorch runs on a GPU.
        elsewhere: why it is meant for other machines than this one, and so not tried; empty where it should run.
        way: precision and speedup, where PyTorch runs it on a GPU.
    """

    path: Path
    label: str
    kind: EngineKind
    stride: int
    open: Callable[[], Loaded]
    usual: bool = True
    on_gpu: bool = False
    elsewhere: str = ""
    way: tuple[str, Speedup] | None = None


@dataclass(frozen=True)
class Trial:
    """What came of trying an engine.

    Attributes:
        first: seconds from opening it to its first result: what is compiled at first use counts.
        agreement: with the reference; None where it does not run.
        rates: frames a second, by the inputs of a call.
        call_seconds: of a call, likewise.
        remark: why it does not run, or how it runs otherwise than was asked.
        compared: whether there was something to compare it with; it is not tried otherwise.
        full: whether it does not run because the GPU's memory is full now.
        own_length: the inputs of a call that keep the engine busy, as it says itself; 0 where any number does.
    """

    candidate: Candidate
    first: float = 0.0
    agreement: Agreement | None = None
    rates: dict[int, float] = field(default_factory=dict)
    call_seconds: dict[int, float] = field(default_factory=dict)
    remark: str = ""
    compared: bool = True
    full: bool = False
    own_length: int = 0

    @property
    def best(self) -> float:
        """Frames a second with the best length of call."""
        return max(self.rates.values(), default=0.0)

    @property
    def best_length(self) -> int:
        """The inputs of that call."""
        return max(self.rates, key=lambda length: self.rates[length], default=0)

    @property
    def passed(self) -> bool:
        """Whether it runs and agrees."""
        return self.agreement is not None and self.agreement.enough


def try_engine(candidate: Candidate, subject: Subject, expected: Array | None, seconds: float | None) -> Trial:
    """Opens, compares, measures and closes one engine; one that cannot run here gets a remark.

    Args:
        candidate: the engine.
        subject: what it is tried on.
        expected: what the reference makes of the first inputs, as many as engines of its kind are compared on.
        seconds: how long each length of call is measured, about; None measures no speed.
    """
    started = time.perf_counter()
    kind = candidate.kind
    try:
        with candidate.open() as engine:
            found = subject.run(engine, subject.inputs(kind.compared))
            first = time.perf_counter() - started
            agreement = subject.agreement(found, np.asarray(expected))
            fallback: str | None = getattr(engine, "fallback", None)
            said = [*([] if fallback is None else [fallback]), *engine.remarks]
            own = getattr(engine, "best", None) or 0
            trial = Trial(candidate, first, agreement, remark="; ".join(said), own_length=own)
            if seconds is not None:
                _measure(trial, engine, subject, kind.lengths, seconds)
    except (PixelfastError, ImportError, OSError) as error:  # the latter two: a library that does not load
        return Trial(candidate, remark=str(error), full=isinstance(error, GpuMemoryError))
    return trial


def _measure(trial: Trial, engine: Any, subject: Subject, lengths: Sequence[int], seconds: float) -> None:
    for length in dict.fromkeys((*filter(None, [trial.own_length]), *lengths)):
        inputs = subject.inputs(length)
        frames = len(subject.run(engine, inputs)) * subject.stride
        calls = calls_a_second(lambda: subject.run(engine, inputs), seconds)  # noqa: B023 - called at once
        trial.rates[length], trial.call_seconds[length] = frames * calls, 1 / calls
        if 1 / calls > 2 * seconds and length != trial.own_length:
            break  # longer calls would only take longer


def calls_a_second(call: Callable[[], object], seconds: float) -> float:
    """Measures how often a call can be made, over about so many seconds and at least twice."""
    started = time.perf_counter()
    done = 0
    while done < 2 or time.perf_counter() - started < seconds:
        call()
        done += 1
    return done / (time.perf_counter() - started)
