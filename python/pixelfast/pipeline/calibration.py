"""Calibrates an engine: the pipeline's own raw scores on held-out normal frames, smoothed, as quantiles."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.calibration import Calibration
from pixelfast.engines import load_motion_engine, load_window_engine
from pixelfast.manifest import MotionFacts
from pixelfast.pipeline.method import Cleaned, Maps, find_pass
from pixelfast.pipeline.motion import Motion
from pixelfast.pipeline.reconstruction import Reconstruction
from pixelfast.pipeline.settings import Pool, Settings
from pixelfast.pipeline.stopwatch import Stopwatch
from pixelfast.sources import READ, Chunk, Color, Threads

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
        threads: Threads = None,
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
    """The calibrations of an autoencoder's file for mean and worst cells, averaged over windows; none without frames.

    Args:
        engine: the `.onnx` file, under the name that it has in the model.
        held_out: name and frames u8[n, H, W] of each stretch of held-out frames.
        stride: frames between the starts of windows.
        threads: threads of the engine and the numeric stages.
    """
    return measure_calibrations(engine.name, PRECISION, stride, raw_scores(engine, held_out, stride, threads))


def raw_scores(
    engine: Path, held_out: Iterable[tuple[str, NDArray[np.uint8]]], stride: int, threads: int
) -> dict[Pool, list[NDArray[np.float32]]]:
    """The raw scores f32[n] of each stretch of held-out frames, for mean and worst cells; arguments as `calibrate`."""
    loaded = load_window_engine(engine, threads)
    videos = [ArrayVideo(name, np.ascontiguousarray(frames)) for name, frames in held_out]

    def method(pool: Pool) -> Reconstruction:
        return Reconstruction(loaded, Settings(stride=stride, pool=pool), stride, Stopwatch())

    cleaned = [Cleaned(video.frames, np.ones(video.length, np.bool_)) for video in videos]
    maps = [_joined(method("mean").maps(video).run([some])) for video, some in zip(videos, cleaned, strict=True)]
    return {pool: [method(pool).raw(some) for some in maps] for pool in POOLS}


def measure_calibrations(
    engine: str, precision: str, stride: int, raws: Mapping[Pool, Sequence[NDArray[np.float32]]]
) -> list[Calibration]:
    """The calibrations of an autoencoder's file from `raw_scores`; none without frames.

    Args:
        engine: the file's name in the model.
        precision: what it computes in.
        stride: frames between the starts of windows.
        raws: raw scores of each stretch of held-out frames, by pooling.
    """
    return _measure(engine, precision, stride, find_pass("reconstruction").smooth, raws)


def calibrate_motion(
    engine: Path, known: MotionFacts, held_out: Iterable[tuple[str, NDArray[np.float16]]], threads: int
) -> list[Calibration]:
    """The calibrations of a motion engine for all and for the worst cells; none without flows.

    Args:
        engine: the `.onnx` file, under the name that it has in the model.
        known: what the model will say about it.
        held_out: name and flows f16[n, 2, 64, 64] of each stretch of held-out frames.
        threads: threads of the engine and the numeric stages.
    """
    loaded = load_motion_engine(engine, threads)

    def method(pool: Pool) -> Motion:
        return Motion(NoFlow(), loaded, known, Settings(pool=pool), Stopwatch())

    maps = []
    for name, flows in held_out:
        video = ArrayVideo(name, np.zeros((len(flows) + 1, 1, 1), np.uint8))
        maps.append(_joined(method("mean").maps(video).predict([flows.astype(np.float32)])))
    raws = {pool: [method(pool).raw(some) for some in maps] for pool in POOLS}
    return _measure(engine.name, PRECISION, 1, find_pass("motion").smooth, raws)


class NoFlow:
    """Stands where flows are there already."""

    color: Final = "grey"
    frame_bytes: Final = 1

    def size(self, height: int, width: int) -> tuple[int, int]:
        """As they are."""
        return height, width

    def flow(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """There are no frames."""
        raise NotImplementedError(f"flow of {len(frames)} frames was asked for where only flows are scored")


def _joined(maps: Iterable[Maps]) -> Maps:
    return np.concatenate(list(maps))


def _measure(
    engine: str, precision: str, stride: int, smooth: int, raws: Mapping[Pool, Sequence[NDArray[np.float32]]]
) -> list[Calibration]:
    calibrations = []
    for pool, raw in raws.items():
        if not raw:
            return []
        lengths = np.array([len(some) for some in raw], np.int64)
        values = _core.smooth(np.concatenate(raw), lengths, smooth)
        calibrations.append(
            Calibration.measure(
                values, engine=engine, precision=precision, stride=stride, how="mean", pool=pool, smooth=smooth
            )
        )
    return calibrations
