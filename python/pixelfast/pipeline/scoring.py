"""Raw scores of many videos: the decoder runs ahead, the engine follows, each video leaves a part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pixelfast.pipeline.aloud import Notes
from pixelfast.pipeline.clean import CorrectionRefused
from pixelfast.pipeline.decoding import Begin, DecodePlan, Decoder, until_end
from pixelfast.pipeline.flip import FlipMode
from pixelfast.pipeline.parts import Part, PartStore
from pixelfast.pipeline.readahead import Readahead
from pixelfast.pipeline.video import Stages, VideoResult, score_video
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import Chunk, Video


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
        parts = []
        with Readahead(decoder.events, self._plan.depth) as events:
            for event in events:
                if isinstance(event, Part):
                    parts.append(self._found(event, count))
                elif isinstance(event, Begin):
                    chunks = VideoChunks(event.index, until_end(events), decoder)
                    parts.append(self._score(videos[event.index], event.footage, chunks, count))
        return parts

    def _found(self, part: Part, count: FrameCount) -> Part:
        for note in part.notes:
            self._notes.say(note)
        count.add(len(part.raw), part.video)
        return part

    def _score(self, video: Video, footage: str, chunks: "VideoChunks", count: FrameCount) -> Part:
        done = 0

        def tell(frames: int) -> None:
            nonlocal done
            done += frames
            count.add(frames, video.name)

        notes = []
        try:
            result = score_video(video, chunks.chunks, self._stages, self._flip, tell)
        except CorrectionRefused as refusal:
            chunks.abandon()
            notes.append(refusal.sentence(video))
            count.add(-done, video.name)
            result = self._score_uncorrected(video, count)
        part = self._part(video, footage, result, notes)
        self._store.keep(part)
        for note in part.notes:
            self._notes.say(note)
        return part

    def _score_uncorrected(self, video: Video, count: FrameCount) -> VideoResult:
        with Readahead(lambda: self._plan.chunks(video), self._plan.depth) as chunks:
            return score_video(video, chunks, self._stages, "never", lambda n: count.add(n, video.name))

    def _part(self, video: Video, footage: str, result: VideoResult, notes: list[str]) -> Part:
        return Part(video.name, footage, result.raw, result.record, result.maps, self._store.job, notes + result.notes)


@dataclass(frozen=True)
class VideoChunks:
    """The chunks of one video as they come from the decoder."""

    index: int
    chunks: Iterator[Chunk]
    decoder: Decoder

    def abandon(self) -> None:
        """Takes what is left without use, and spares the decoder the work."""
        self.decoder.skip(self.index)
        for _ in self.chunks:
            pass
