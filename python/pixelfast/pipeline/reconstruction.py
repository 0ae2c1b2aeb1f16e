"""The reconstruction method on one video: decoded chunks in, raw scores out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.engines import FlipEngine, WindowEngine
from pixelfast.errors import EngineError
from pixelfast.pipeline.clean import CleanStage, FrameRecord
from pixelfast.pipeline.flip import FlipMode
from pixelfast.pipeline.settings import Settings
from pixelfast.pipeline.stopwatch import Stopwatch
from pixelfast.pipeline.windows import WindowCutter, WindowEnd
from pixelfast.sources import Chunk, Video

Maps = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class VideoResult:
    """The raw scores of one video.

    Attributes:
        raw: f32[N].
        maps: f16[N, G, G], the square roots of the error maps, where asked for.
        record: what else is known of each frame.
        notes: what should be said aloud.
    """

    raw: NDArray[np.float32]
    maps: NDArray[np.float16] | None
    record: FrameRecord
    notes: list[str]


@dataclass(frozen=True)
class Stages:
    """The engines and settings that every video of a run goes through.

    Attributes:
        engine: the window engine.
        flip_engine: the flip classifier, None where none is used.
        settings: as asked for.
        stride: the window stride, settled.
        threads: threads of the numeric stages.
        stopwatch: where their times go.
    """

    engine: WindowEngine
    flip_engine: FlipEngine | None
    settings: Settings
    stride: int
    threads: int
    stopwatch: Stopwatch


def score_video(
    video: Video, chunks: Iterable[Chunk], stages: Stages, flip: FlipMode, tell: Callable[[int], None]
) -> VideoResult:
    """Scores one video from its decoded chunks.

    Args:
        video: for messages and its length.
        chunks: all its frames, of the engine's size.
        stages: engines and settings.
        flip: how flipped frames are dealt with in this video.
        tell: called now and then with the number of frames done since the last call.

    Raises:
        CorrectionRefused: the video must be scored again with `flip="never"`.
        DecodeError: no frame can be read, or one cannot and `on_error="raise"`.
        EngineError: the engine fails or returns a value that is not finite.
    """
    settings = stages.settings
    clean = CleanStage(
        video,
        stages.flip_engine,
        flip=flip,
        on_error=settings.on_error,
        threads=stages.threads,
        stopwatch=stages.stopwatch,
    )
    raw: list[NDArray[np.float32]] = []
    kept: list[NDArray[np.float16]] = []
    for maps in ErrorMaps(stages, video).run(clean.run(chunks)):
        with stages.stopwatch.phase("aggregate"):
            raw.append(_core.pool(maps, settings.pool, stages.threads))
        if settings.maps:
            kept.append(np.sqrt(maps).astype(np.float16))
        tell(len(maps))
    record = clean.record()
    notes = clean.notes() + _short(video, len(record.frame), stages.engine.facts.window)
    return VideoResult(np.concatenate(raw), np.concatenate(kept) if kept else None, record, notes)


class ErrorMaps:
    """Engine and aggregation: from the frames of one video to its error maps, streaming."""

    def __init__(self, stages: Stages, video: Video) -> None:
        self._engine = stages.engine
        self._stride = stages.stride
        self._video = video
        self._watch = stages.stopwatch
        self._cutter = WindowCutter(stages.engine, stages.stride, stages.settings.chunk, stages.stopwatch)
        self._aggregator = _core.OverlapAggregator(stages.engine.facts.window, stages.stride, stages.settings.how)
        self._start = 0

    def run(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[Maps]:
        """Yields the maps f32[m, G, G] of the frames u8[n, H, W] of a whole video, in order, as they are finished."""
        for some in frames:
            for errors in self._cutter.push(some):
                yield self._push(errors)
        yield self._finish(self._cutter.finish())

    def _push(self, errors: Maps) -> Maps:
        self._check_finite(errors, self._start)
        self._start += len(errors) * self._stride
        with self._watch.phase("aggregate"):
            return self._aggregator.push(errors)

    def _finish(self, end: WindowEnd) -> Maps:
        maps = [self._push(end.errors)]
        if end.anchored is not None:
            self._check_finite(end.anchored, end.frames - self._engine.facts.window)
        with self._watch.phase("aggregate"):
            maps.append(self._aggregator.finish(end.anchored, end.padded))
        joined = np.concatenate(maps)
        return joined[: len(joined) - (end.padded - end.frames)]

    def _check_finite(self, errors: Maps, start: int) -> None:
        """Refuses a value that is not finite; `start` is the index of the first window's first frame."""
        if np.isfinite(errors).all():
            return
        window, offset = np.argwhere(~np.isfinite(errors))[0, :2]
        index = start + int(window) * self._stride + int(offset)
        raise EngineError(
            f"{self._engine.path} gives an error that is not finite in video {self._video.name}, frame "
            f"{self._video.describe(index)}: the engine is damaged or was exported at too low a precision; "
            "export it again"
        )


def _short(video: Video, frames: int, window: int) -> list[str]:
    if frames >= window:
        return []
    return [f"video {video.name} has {frames} frames, fewer than the engine's {window}: padded by its last frame"]
