"""The engine that tells whether a frame is upside down."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import EngineError
from pixelfast.geometry import FRAME_SIZE
from pixelfast.runtime.opening import open_runner
from pixelfast.runtime.pieces import Ports, Span, buckets
from pixelfast.runtime.runner import Runner, RunnerEngine, Tensor
from pixelfast.runtime.tensorrt.check import PlanOrigin
from pixelfast.runtime.torch.choice import Speedup, TorchWish
from pixelfast.runtime.torch.runner import LoadedWeights, Weights


class FlipEngine(RunnerEngine[Runner]):
    """The flip classifier: grey frames u8[N, H, W] to flip probabilities f32[N]; it resizes what is not of its size."""

    def __init__(self, runner: Runner, height: int, width: int, threads: int) -> None:
        super().__init__(runner.path, runner)
        self._size = (height, width)
        self._threads = threads

    def probabilities(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """f32[N]: the probability that each frame of u8[N, H, W] is upside down.

        Raises:
            EngineError: the engine fails, or returns something else than N probabilities.
        """
        if frames.shape[1:] != self._size:
            frames = _core.resize_frames(np.ascontiguousarray(frames), *self._size, self._threads)
        result = self._run(frames)
        if result.shape != (len(frames),) or not np.isfinite(result).all():
            found = f"{result.dtype} {list(result.shape)}"
            raise EngineError(f"{self.path}: {len(frames)} frames give {found}, not as many finite flip probabilities")
        return result


def _load(path: Path, _device: str) -> LoadedWeights:
    from pixelfast.flip.network import FlipGraph, load_flip_classifier

    graph = FlipGraph(load_flip_classifier(path))
    frames = Tensor("frames", "uint8", (None, FRAME_SIZE, FRAME_SIZE))
    ports = Ports(Span(1), frames, Tensor("flip_probability", "float32", (None,)))
    return LoadedWeights(ports, buckets(256, least=16), lambda *_: graph, {"kind": "flip"})


CLASSIFIER: Final = Weights("flip", _load)
"""A `flip.safetensors`, as PyTorch runs it."""

ONLY_WAY: Final[tuple[str, Speedup]] = "fp32", "graph"
"""How PyTorch runs it, as its threshold is one for all; on a GPU where there is one: the CPU is the decoder's then."""


def load_flip_engine(
    path: Path,
    height: int,
    width: int,
    threads: int,
    origin: PlanOrigin | None = None,
    *,
    wish: TorchWish | None = None,
) -> FlipEngine:
    """Loads a flip classifier, `.onnx`, `.plan` or `.safetensors`, and tries it on one blank frame.

    Height and width are those of the autoencoder's frames in pixels, `threads` those of a call on a CPU, `origin` is
    what a model knows about its plan, and `wish` where and how PyTorch shall compute; None is as scoring does.

    Raises:
        EngineError: the file is missing, damaged, no flip classifier, or made for frames of another size.
    """
    precision, speedup = ONLY_WAY
    runner = open_runner(path, threads, CLASSIFIER, origin, wish or TorchWish(None, precision, speedup))
    _check(runner, (height, width))
    engine = FlipEngine(runner, height, width, threads)
    engine.probabilities(np.zeros((1, height, width), np.uint8))
    return engine


def _check(runner: Runner, size: tuple[int, int]) -> None:
    kind = runner.metadata.get("pixelfast.kind", "flip")
    if kind != "flip" or [(one.dtype, len(one.shape)) for one in runner.inputs] != [("uint8", 3)]:
        raise EngineError(
            f"{runner.path} is no flip classifier: it has {runner.describe()}; expected frames uint8 [N, H, W]"
        )
    found = runner.inputs[0].shape[1:]
    if any(size not in (None, wanted) for size, wanted in zip(found, size, strict=True)):
        sizes = "x".join("?" if size is None else str(size) for size in found)
        raise EngineError(
            f"{runner.path} takes frames of {sizes} pixels, the autoencoder beside it {size[0]}x{size[1]}"
        )
