"""One video through engine and aggregation: cleaned frames in, raw scores out. The same for every method."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelfast.pipeline.clean import CleanPlan, CleanStage, FrameRecord
from pixelfast.pipeline.method import Cleaned, Method
from pixelfast.pipeline.settings import Settings
from pixelfast.sources import Video


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
    video: Video, cleaned: Iterable[Cleaned], clean: CleanStage, stages: Stages, tell: Callable[[int], None]
) -> VideoResult:
    """Scores one video from its cleaned frames.

    Args:
        video: for messages.
        cleaned: all its frames, as the method wants them.
        clean: what cleaned them; its record is complete once they are through.
        stages: engines and settings.
        tell: called now and then with the number of frames done since the last call.

    Raises:
        EngineError: the engine fails or returns a value that is not finite.
        PixelfastError: whatever `cleaned` raises, `CorrectionRefused` too.
    """
    raw: list[NDArray[np.float32]] = []
    kept: list[NDArray[np.float16]] = []
    for maps in stages.method.maps(video).run(cleaned):
        with stages.clean.stopwatch.phase("aggregate"):
            raw.append(stages.method.raw(maps))
        if stages.settings.maps:
            kept.append(np.sqrt(maps).astype(np.float16))
        tell(len(maps))
    record = clean.record()
    notes = clean.notes() + stages.method.remarks(video, len(record.frame))
    return VideoResult(np.concatenate(raw), np.concatenate(kept) if kept else None, record, notes)
