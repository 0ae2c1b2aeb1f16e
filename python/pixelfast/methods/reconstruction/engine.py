"""Engines of the reconstruction method: frames in, the errors of every window out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import EngineError
from pixelfast.geometry import FRAME_SIZE, GRID, WINDOW
from pixelfast.methods.reconstruction.facts import WindowFacts, window_facts
from pixelfast.methods.reconstruction.foreign import FLOATS, UNTOLD, CuboidFormat, Told, checked_ranges
from pixelfast.runtime.onnx import OnnxRunner, onnxruntime_on_gpu
from pixelfast.runtime.opening import open_runner
from pixelfast.runtime.openvino import OpenVinoFrames, OpenVinoGraph, openvino_installed
from pixelfast.runtime.pieces import Ports, Span, buckets
from pixelfast.runtime.runner import Runner, RunnerEngine, Tensor, check_file
from pixelfast.runtime.tensorrt.check import PlanOrigin
from pixelfast.runtime.torch.choice import TorchWish
from pixelfast.runtime.torch.runner import LoadedWeights, TorchRunner, Weights
from pixelfast.runtime.trial import Agreement, EngineKind, Footage, Subject
from pixelfast.scores.agreement import agreement_in_order

# Windows a call of an engine of cuboids: 16 of 16x128x128 float32 are 16 MiB; more is not faster on a CPU.
CUBOID_BATCH = 16

_Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class FrameEngine(RunnerEngine[Runner | OpenVinoFrames]):
    """Our own engines: unfolding, scaling and the error reduction are inside the graph."""

    def __init__(self, runner: Runner | OpenVinoFrames, facts: WindowFacts) -> None:
        super().__init__(runner.path, runner)
        self.facts = facts

    @property
    def best(self) -> int | None:
        """The frames of a call that keep the engine busy; None where any number does."""
        return self.facts.best

    def errors(self, frames: NDArray[np.uint8], stride: int) -> NDArray[np.float32]:
        """f32[(N-T)//stride+1, T, G, G]: the mean squared error a cell of each window of `frames` u8[N, H, W].

        A stride that is not the engine's own is fed one window at a time.

        Raises:
            EngineError: the engine fails or returns another shape.
        """
        window = self.facts.window
        starts = range(0, len(frames) - window + 1, stride)
        if isinstance(self._run, TorchRunner):
            return self._checked(self._run.at_stride(stride), frames, len(starts))
        if stride == self.facts.stride and self.facts.batch is None:
            return self._checked(self._run, frames, len(starts))
        return np.concatenate([self._checked(self._run, frames[start : start + window], 1) for start in starts])

    def _checked(self, run: _Run, frames: NDArray[np.uint8], windows: int) -> NDArray[np.float32]:
        result = run(frames)
        shape = (windows, self.facts.window, self.facts.grid, self.facts.grid)
        if result.shape != shape or result.dtype != np.float32:
            found = f"{result.dtype} {list(result.shape)}"
            raise EngineError(f"{self.path}: {len(frames)} frames give {found}, not float32 {list(shape)}")
        return result


class CuboidEngine(RunnerEngine[Runner]):
    """Anybody's autoencoder: cuboids are assembled and errors reduced in the Rust core."""

    def __init__(self, runner: Runner, facts: WindowFacts, threads: int) -> None:
        super().__init__(runner.path, runner)
        self.facts = facts
        self._threads = threads
        self._format = facts.cuboids or CuboidFormat()
        shape = (facts.batch or facts.best or CUBOID_BATCH, facts.window, facts.height, facts.width)
        self._cuboids = np.empty(shape, np.float32)

    @property
    def best(self) -> int | None:
        """The frames of a call that keep the engine busy; None where any number does."""
        return None if self.facts.best is None else self.facts.best + self.facts.window - 1

    def errors(self, frames: NDArray[np.uint8], stride: int) -> NDArray[np.float32]:
        """See `FrameEngine.errors`; any stride costs what its windows cost."""
        starts = np.arange(0, len(frames) - self.facts.window + 1, stride, dtype=np.int64)
        batch = len(self._cuboids)
        parts = [self._batch(frames, starts[first : first + batch]) for first in range(0, len(starts), batch)]
        return np.concatenate(parts)

    def _batch(self, frames: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.float32]:
        fed = len(starts) if self.facts.batch is None else self.facts.batch
        # An engine with a fixed batch gets its last window again until the batch is full.
        filled = np.concatenate([starts, np.repeat(starts[-1:], fed - len(starts))])
        cuboids = self._cuboids[:fed]
        _core.assemble_cuboids(frames, filled, cuboids, threads=self._threads)
        reconstruction = self._reconstruct(self._format, cuboids)
        errors = _core.cuboid_errors(cuboids, reconstruction, self.facts.grid, self._threads)
        return errors[: len(starts)]

    def check_ranges(self) -> None:
        """Finds out, on a cuboid that is drawn, which values the engine takes and gives.

        Raises:
            EngineError: they are no pixels in 0..1, and nobody said which they are.
        """

        def run(form: CuboidFormat, cuboids: NDArray[np.float32]) -> NDArray[np.float32]:
            return self._reconstruct(form, np.repeat(cuboids, self.facts.batch or 1, axis=0))[:1]

        size = (self.facts.window, self.facts.height, self.facts.width)
        self._format = checked_ranges(self._run, self._format, size, run)
        self.facts = replace(self.facts, cuboids=self._format)

    def _reconstruct(self, form: CuboidFormat, cuboids: NDArray[np.float32]) -> NDArray[np.float32]:
        fed = form.feed(cuboids)
        found = self._run(fed)
        if found.shape != fed.shape or found.dtype not in FLOATS:
            what = f"{found.dtype} {list(found.shape)}"
            raise EngineError(f"{self.path}: cuboids {fed.dtype} {list(fed.shape)} give {what}, no reconstruction")
        return form.read(found)


WindowEngine = FrameEngine | CuboidEngine
"""Turns frames into window errors."""


def _load(path: Path, device: str) -> LoadedWeights:
    from pixelfast.methods.reconstruction.network import ReconstructionGraph, load_autoencoder

    network = load_autoencoder(path)
    frames = Tensor("frames", "uint8", (None, FRAME_SIZE, FRAME_SIZE))
    return LoadedWeights(
        Ports(Span(WINDOW), frames, Tensor("window_errors", "float32", (None, WINDOW, GRID, GRID))),
        # Few windows on a CPU, whose activations stay in the cache; many on a GPU, to fill it.
        buckets(8) if device == "cpu" else buckets(256, least=16),
        lambda dtype, stride: ReconstructionGraph(network, stride, dtype),
        {"kind": "ae"},
    )


AUTOENCODER: Final = Weights("ae", _load)
"""An `ae.safetensors`, as PyTorch runs it; scaling and the error stay float32 at any precision."""


def load_window_engine(
    path: Path, threads: int, origin: PlanOrigin | None = None, wish: TorchWish | None = None, told: Told = UNTOLD
) -> WindowEngine:
    """Loads an engine of the reconstruction method and tries it on blank frames.

    The file is an `.onnx`, a `.plan`, of which `origin` is what its model knows, or a `.safetensors`, of which `wish`
    says where and how PyTorch shall compute; `threads` are for one call on a CPU; `told` is known of one of cuboids.

    Raises:
        EngineError: the file is missing, damaged, no engine of this method, or cannot be run on this machine.
    """
    if path.suffix.lower() == ".onnx" and told == UNTOLD and (engine := _openvino_engine(path, threads)):
        return _tried(engine)
    return window_engine(open_runner(path, threads, AUTOENCODER, origin, wish), threads, told)


def window_engine(runner: Runner, threads: int, told: Told = UNTOLD) -> WindowEngine:
    """The window engine that a runner's file is, tried on blank frames, and one of cuboids on drawn ones.

    Raises:
        EngineError: the file is no engine of this method.
    """
    facts = window_facts(runner, told)
    if facts.kind == "cuboids":
        engine: WindowEngine = CuboidEngine(runner, facts, threads)
    elif facts.batch in (None, facts.window):
        # PyTorch runs any stride.
        engine = FrameEngine(runner, replace(facts, stride=None) if isinstance(runner, TorchRunner) else facts)
    else:
        raise EngineError(
            f"{runner.path} takes exactly {facts.batch} frames; export it with a dynamic number of frames"
        )
    return _tried(engine)


def _tried(engine: WindowEngine) -> WindowEngine:
    """The engine, after two windows: one alone would not show that the stride in the metadata is wrong."""
    facts, stride = engine.facts, engine.facts.stride or 1
    engine.errors(np.zeros((facts.window + stride, facts.height, facts.width), np.uint8), stride)
    if isinstance(engine, CuboidEngine):
        engine.check_ranges()
    return engine


def _openvino_engine(path: Path, threads: int) -> FrameEngine | None:
    """The engine of frames by OpenVINO; None where ONNX Runtime takes the file, or says what is wrong with it.

    It does so on a GPU, where OpenVINO is missing, and for engines of one window at a time, which gain nothing.
    """
    if not openvino_installed() or onnxruntime_on_gpu():
        return None
    try:
        check_file(path)
        graph = OpenVinoGraph(path)
        facts = window_facts(graph)
    except EngineError:
        return None
    if facts.kind != "frames" or facts.batch is not None:
        return None
    faster = OpenVinoFrames(graph, Span(facts.window, facts.stride or 1), facts.precision, threads)
    return FrameEngine(faster, replace(facts, best=faster.best, least=faster.least))


def _reference(path: Path, threads: int) -> WindowEngine:
    runner = OnnxRunner(path, threads)
    facts = window_facts(runner)
    return CuboidEngine(runner, facts, threads) if facts.kind == "cuboids" else FrameEngine(runner, facts)


def _subject(footage: Footage, reference: WindowEngine, stride: int) -> Subject:
    """Neighbouring frames, compared by the errors of the frames of each window."""
    frames = footage.frames(max(AE.lengths), reference.facts.height, reference.facts.width, "grey")

    def agreement(found: NDArray[Any], expected: NDArray[Any]) -> Agreement:
        return agreement_in_order(found.mean(axis=(2, 3)), expected.mean(axis=(2, 3)))

    return Subject(frames, lambda engine, some: engine.errors(some, stride), agreement, stride)


def _plain_loop(
    weights: Path, device: str, frames: NDArray[np.uint8], files: Sequence[Path], seconds: float
) -> tuple[float, float]:
    from pixelfast.methods.reconstruction.plain_loop import measure_plain_loop

    return measure_plain_loop(weights, device, frames, files, seconds)


AE: Final = EngineKind("ae", load_window_engine, _reference, _subject, plain_loop=_plain_loop, weights=AUTOENCODER)
"""Autoencoders on trial: what their engines are tried on, and when one is right."""
