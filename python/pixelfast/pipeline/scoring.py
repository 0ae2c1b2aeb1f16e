"""Raw scores of many videos: decoding and cleaning run ahead, the engine follows, each video leaves a part."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.cleaning.stage import CleanPlan, CleanStage, CorrectionRefused, FrameRecord
from pixelfast.machine.readahead import Readahead
from pixelfast.methods.base import Method, MethodSpec
from pixelfast.methods.settings import Settings
from pixelfast.notes import Notes
from pixelfast.options import FlipMode
from pixelfast.pipeline.clean import Cleaner, Event, Start, until_stop
from pixelfast.pipeline.decode import Decoder
from pixelfast.pipeline.parts import Part, PartStore
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import Video
from pixelfast.sources.decoding import DecodePlan


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
        spec: the method.
        method: the same, opened: with its engines.
        clean: how frames are cleaned before.
        settings: as asked for.
    """

    spec: MethodSpec
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
            raw.append(stages.spec.raw(maps, stages.settings.pool))
        if stages.settings.maps:
            kept.append(np.sqrt(maps).astype(np.float16))
        tell(len(maps))
    record = clean.record()
    notes = clean.notes() + stages.method.remarks(video, len(record.frame))
    return VideoResult(np.concatenate(raw), np.concatenate(kept) if kept else None, record, notes)


class FrameCount:
    """Tells the caller how many frames are done."""

    def __init__(self, videos: Sequence[Video], progress: ProgressCallback | None) -> None:
        lengths = [video.length for video in videos]
        self._total = None if None in lengths else sum(length for length in lengths if length is not None)
        self._progress = progress
        self._done = 0

    def add(self, frames: int, video: str) -> None:
        """Counts `frames` more of `video` as done; fewer than none where a video starts again."""
        self._done += frames
        if self._progress is not None:
            self._progress(Progress("score", self._done, self._total, f"video {video}"))


class Scoring:
    """Computes the parts of a run.

    Args:
        stages: engines and settings.
        flip: how flipped frames are dealt with.
        store: where parts are kept.
        plan: how frames are decoded.
        notes: what is said aloud.
    """

    def __init__(self, stages: Stages, flip: FlipMode, store: PartStore, plan: DecodePlan, notes: Notes) -> None:
        self._stages = stages
        self._flip = flip
        self._store = store
        self._plan = plan
        self._notes = notes

    def run(self, videos: Sequence[Video], progress: ProgressCallback | None) -> list[Part]:
        """The parts of `videos`, in order; those that are there already are only read.

        Raises:
            DecodeError, EngineError, OutputError: see `score_video` and `PartStore.keep`.
        """
        count = FrameCount(videos, progress)
        decoder = Decoder(videos, self._store, self._plan)
        cleaner = Cleaner(videos, decoder, self._plan.depth, self._stages.clean, self._flip)
        parts = []
        with Readahead(cleaner.events, self._plan.depth) as ahead:
            events = self._stages.clean.stopwatch.waits(ahead)
            for event in events:
                if isinstance(event, Part):
                    parts.append(self._found(event, count))
                elif isinstance(event, Start):
                    parts.append(self._score(videos[event.index], event, events, count))
        return parts

    def _found(self, part: Part, count: FrameCount) -> Part:
        for note in part.notes:
            self._notes.say(note)
        count.add(len(part.raw), part.video)
        return part

    def _score(self, video: Video, start: Start, events: Iterator[Event], count: FrameCount) -> Part:
        done = 0

        def tell(frames: int) -> None:
            nonlocal done
            done += frames
            count.add(frames, video.name)

        notes = []
        try:
            result = score_video(video, until_stop(events), start.stage, self._stages, tell)
        except CorrectionRefused as refusal:
            notes.append(refusal.sentence(video))
            count.add(-done, video.name)
            result = self._score_uncorrected(video, count)
        part = self._part(video, start.footage, result, notes)
        self._store.keep(part)
        for note in part.notes:
            self._notes.say(note)
        return part

    def _score_uncorrected(self, video: Video, count: FrameCount) -> VideoResult:
        clean = CleanStage(video, self._stages.clean, "never")
        with (
            Readahead(lambda: self._plan.chunks(video), self._plan.depth) as chunks,
            Readahead(lambda: clean.run(chunks), self._plan.depth) as ahead,
        ):
            cleaned = self._stages.clean.stopwatch.waits(ahead)
            return score_video(video, cleaned, clean, self._stages, lambda n: count.add(n, video.name))

    def _part(self, video: Video, footage: str, result: VideoResult, notes: list[str]) -> Part:
        return Part(video.name, footage, result.raw, result.record, result.maps, self._store.job, notes + result.notes)
