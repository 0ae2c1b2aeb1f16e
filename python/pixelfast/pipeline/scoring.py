"""Raw scores of many videos: decoding and cleaning run ahead, the engine follows, each video leaves a part."""

from collections.abc import Iterator, Sequence

from pixelfast.pipeline.aloud import Notes
from pixelfast.pipeline.clean import CleanStage, CorrectionRefused
from pixelfast.pipeline.cleaning import Cleaner, Event, Start, until_stop
from pixelfast.pipeline.decoding import DecodePlan, Decoder
from pixelfast.pipeline.flip import FlipMode
from pixelfast.pipeline.parts import Part, PartStore
from pixelfast.pipeline.readahead import Readahead
from pixelfast.pipeline.video import Stages, VideoResult, score_video
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import Video


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
