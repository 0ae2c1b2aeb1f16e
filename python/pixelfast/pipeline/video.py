"""One video through all stages: decoded chunks in, raw scores out. The same for every method."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.pipeline.clean import CleanPlan, CleanStage, FrameRecord
from pixelfast.pipeline.flip import FlipMode
from pixelfast.pipeline.method import Method
from pixelfast.pipeline.readahead import Readahead
from pixelfast.pipeline.settings import Settings
from pixelfast.sources import Chunk, Video

CLEANED_AHEAD: Final = 32
"""Chunks that wait cleaned at most, besides those that wait to be cleaned (`pipeline.decoding`)."""


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
    """What every video of a run goes through.

    Attributes:
        method: the method with its engines.
        clean: how frames are cleaned before.
        settings: as asked for.
    """

    method: Method
    clean: CleanPlan
    settings: Settings


def score_video(
    video: Video, chunks: Iterable[Chunk], stages: Stages, flip: FlipMode, tell: Callable[[int], None]
) -> VideoResult:
    """Scores one video from its decoded chunks.

    Args:
        video: for messages and its length.
        chunks: all its frames, as the method wants them.
        stages: engines and settings.
        flip: how flipped frames are dealt with in this video.
        tell: called now and then with the number of frames done since the last call.

    Raises:
        CorrectionRefused: the video must be scored again with `flip="never"`.
        DecodeError: no frame can be read, or one cannot and `on_error="raise"`.
        EngineError: the engine fails or returns a value that is not finite.
    """
    clean, watch = CleanStage(video, stages.clean, flip), stages.clean.stopwatch
    raw: list[NDArray[np.float32]] = []
    kept: list[NDArray[np.float16]] = []
    with Readahead(lambda: clean.run(chunks), CLEANED_AHEAD) as cleaned:
        for maps in stages.method.maps(video).run(watch.waits(cleaned)):
            with watch.phase("aggregate"):
                raw.append(stages.method.raw(maps))
            if stages.settings.maps:
                kept.append(np.sqrt(maps).astype(np.float16))
            tell(len(maps))
    record = clean.record()
    notes = clean.notes() + stages.method.remarks(video, len(record.frame))
    return VideoResult(np.concatenate(raw), np.concatenate(kept) if kept else None, record, notes)
