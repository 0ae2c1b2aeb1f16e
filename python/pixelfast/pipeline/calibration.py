"""Calibrates an engine: the pipeline's own raw scores on held-out normal frames, smoothed, as quantiles."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.calibration import Calibration
from pixelfast.engines import load_window_engine
from pixelfast.pipeline.reconstruction import ErrorMaps, Stages
from pixelfast.pipeline.settings import SMOOTH, Pool, Settings
from pixelfast.pipeline.stopwatch import Stopwatch
from pixelfast.sources import READ, Chunk, Color

POOLS: tuple[Pool, ...] = ("mean", "worst")
PRECISION = "fp32"


class ArrayVideo:
    """A video whose frames are in memory (or mapped into it), of the engine's size already.

    Attributes:
        name: for messages.
        frames: u8[N, H, W].
    """

    def __init__(self, name: str, frames: NDArray[np.uint8]) -> None:
        self.name = name
        self.frames = frames

    @property
    def length(self) -> int:
        """N."""
        return len(self.frames)

    def chunks(
        self,
        height: int | None,
        width: int | None,
        color: Color = "grey",
        chunk: int = 64,
        threads: int | None = None,
    ) -> Iterator[Chunk]:
        """The frames as they are, all of them readable; see `Video.chunks`."""
        del color, threads
        if (height or self.size()[0], width or self.size()[1]) != self.size():
            raise ValueError(f"frames in memory keep their size, {self.size()}")
        for start in range(0, self.length, chunk):
            some = self.frames[start : start + chunk]
            ids = np.arange(start, start + len(some), dtype=np.int64)
            yield Chunk(ids, some, np.full(len(some), READ, np.uint8))

    def describe(self, index: int) -> str:
        """The frame's position."""
        return f"{index} of video {self.name}"

    def explain(self, index: int) -> str:
        """Nothing is wrong with frames in memory."""
        del index
        return "is readable"

    def fingerprint(self) -> bytes:
        """32 bytes over all pixels."""
        return hashlib.sha256(self.frames.tobytes()).digest()

    def size(self) -> tuple[int, int]:
        """H and W."""
        return self.frames.shape[1], self.frames.shape[2]


def calibrate(
    engine: Path, held_out: Iterable[tuple[str, NDArray[np.uint8]]], stride: int, threads: int
) -> list[Calibration]:
    """The calibrations of an engine file for mean and worst cells, averaged over windows; none without frames.

    Args:
        engine: the `.onnx` file, under the name that it has in the model.
        held_out: name and frames u8[n, H, W] of each stretch of held-out frames.
        stride: frames between the starts of windows.
        threads: threads of the engine and the numeric stages.
    """
    stages = Stages(load_window_engine(engine, threads), None, Settings(stride=stride), stride, threads, Stopwatch())
    maps = [_maps(ArrayVideo(name, frames), stages) for name, frames in held_out]
    if not maps:
        return []
    lengths = np.array([len(some) for some in maps], np.int64)
    joined = np.concatenate(maps)
    return [_measure(engine.name, stride, pool, _core.pool(joined, pool, threads), lengths) for pool in POOLS]


def _maps(video: ArrayVideo, stages: Stages) -> NDArray[np.float32]:
    return np.concatenate(list(ErrorMaps(stages, video).run([np.ascontiguousarray(video.frames)])))


def _measure(engine: str, stride: int, pool: Pool, raw: NDArray[np.float32], lengths: NDArray[np.int64]) -> Calibration:
    values = _core.smooth(raw, lengths, SMOOTH)
    return Calibration.measure(
        values, engine=engine, precision=PRECISION, stride=stride, how="mean", pool=pool, smooth=SMOOTH
    )
