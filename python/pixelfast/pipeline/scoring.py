"""Raw scores of many videos: decoding and cleaning run ahead, the engine follows, each video leaves a part."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.cleaning.stage import CleanSettings, CleanStage, clean_video
from pixelfast.errors import LostFootageError
from pixelfast.machine.readahead import Readahead
from pixelfast.methods.base import Judged, Maps, Method, MethodSpec
from pixelfast.methods.calibrating import raw_of
from pixelfast.methods.settings import Settings
from pixelfast.notes import Notes
from pixelfast.options import FlipMode
from pixelfast.pipeline.parts import Part, PartStore
from pixelfast.pipeline.spreading import spread
from pixelfast.pipeline.stretches import stretch_maps
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.scores.why import Why
from pixelfast.sources import Chunk, FolderVideo, PictureFile, Video, VideoFile
from pixelfast.sources.clock import Timeline
from pixelfast.sources.decoding import DecodeSettings
from pixelfast.sources.folder import gap_notes
from pixelfast.sources.several import in_turn
from pixelfast.sources.video_file import about_frames


@dataclass(frozen=True)
class Stages:
    """What every video of a run goes through.

    Attributes:
        spec: the method.
        method: the same, opened: with its engines.
        decode: how frames are decoded.
        clean: how they are cleaned.
        flip: how flipped frames are dealt with.
        settings: as asked for.
        cells: f64[cells, 9], the quantiles of each cell's error, where they are needed.
        maps: whether error maps are kept.
    """

    spec: MethodSpec
    method: Method
    decode: DecodeSettings
    clean: CleanSettings
    flip: FlipMode
    settings: Settings
    cells: NDArray[np.float64] | None = None
    maps: bool = False

    def raw(self, said: Maps | Judged) -> NDArray[np.float32]:
        """Returns the raw scores f32[n] of maps, or those that the method itself gave."""
        if isinstance(said, Judged):
            return said.raw
        return raw_of(self.spec, said, self.settings.pool, self.cells)


class Step(NamedTuple):
    """What one stage of the line hands to the next: a video is a run of steps with one number, in order.

    Attributes:
        video: its position in the run.
        part: what was there already, and is all there is of this video.
        chunk: decoded frames, from the decoder.
        cleaned: the same made ready, from the cleaner.
        stage: what cleaned them, and has the record of them once the video is through; frames of an earlier stage of
            the same video are void.
        lost: why the video cannot be scored.
    """

    video: int
    part: Part | None = None
    chunk: Chunk | None = None
    cleaned: Cleaned | None = None
    stage: CleanStage | None = None
    lost: LostFootageError | None = None

    @property
    def run(self) -> int:
        """The video's position; -1 for the step after its last, by which it is known that the video is through."""
        return -1 if (self.part, self.chunk, self.stage, self.lost) == (None, None, None, None) else self.video


def _decoded(videos: Sequence[Video], decode: DecodeSettings, store: PartStore, left: set[int]) -> Iterator[Step]:
    """The steps of each video, and one more after it: its part, where it is there already, or its chunks.

    For one thread, by a `Readahead`. The chunks of a video that gets into `left` meanwhile are left out.
    """
    digests = store.folder is not None

    def found() -> Iterator[tuple[int, Part | None]]:
        for index, video in enumerate(videos):
            yield index, _part_there(video, decode, store)

    def chunks(item: tuple[int, Part | None]) -> Iterator[Chunk]:
        return decode.chunks(videos[item[0]], digests=digests)

    turns = in_turn(
        found(), chunks, lambda item: None if item[1] else videos[item[0]],
        threads=decode.threads, chunk_bytes=decode.piece * decode.frame_bytes,
    )  # fmt: skip
    with closing(turns):
        for (index, part), decoded in turns:
            if part is not None:
                yield Step(index, part=part)
                continue
            try:
                for chunk in decoded:
                    if index in left:
                        break
                    yield Step(index, chunk=chunk)
            except LostFootageError as error:
                yield Step(index, lost=error)
            yield Step(index)


def _part_there(video: Video, decode: DecodeSettings, store: PartStore) -> Part | None:
    """The part of a video, where it is there already, and is of as many frames."""
    with decode.stopwatch.phase("fingerprint"):
        part = store.find(video)
    timeline: Timeline | None = getattr(video, "timeline", None)
    frames = video.length if timeline is None else len(timeline.seconds)
    return part if part is not None and frames in (None, len(part.raw)) else None


def _cleaned(videos: Sequence[Video], stages: Stages, store: PartStore) -> Generator[Step, None, None]:
    """The same steps with their frames cleaned; for one thread, by a `Readahead`."""
    decode, left = stages.decode, set[int]()

    def again(index: int) -> Iterator[Chunk]:
        """Decodes a video from its start, on the calling thread."""
        left.add(index)
        return decode.stopwatch.waits(decode.chunks(videos[index], digests=store.folder is not None))

    with Readahead(lambda: _decoded(videos, decode, store, left), decode.depth) as ahead:
        for index, steps in groupby(decode.stopwatch.waits(ahead), attrgetter("run")):
            first = next(steps)
            if index < 0 or first.part is not None or first.lost is not None:
                yield first
                continue
            chunks = (step.chunk for step in chain([first], steps) if step.chunk is not None)
            try:
                for stage, cleaned in clean_video(
                    videos[index], stages.clean, stages.flip, chunks, partial(again, index)
                ):
                    yield first._replace(chunk=None, cleaned=cleaned, stage=stage)
            except LostFootageError as error:
                left.add(index)
                yield first._replace(chunk=None, lost=error)


class _FrameCount:
    """Tells the caller how many frames are done, and how many there are, of files as their headers say."""

    def __init__(self, videos: Sequence[Video], progress: ProgressCallback | None) -> None:
        self._progress = progress
        self._done = self._before = 0
        lengths = [about_frames(video) for video in videos] if progress is not None else [None]
        known = [length for length in lengths if length is not None]
        # Of each video, the frames of it and of those after it.
        self._left = np.cumsum(known[::-1])[::-1].tolist() if len(known) == len(lengths) else None
        self._total: int | None = None

    def begin(self, index: int) -> None:
        """The frames counted from now on are of the video at this position."""
        self._before = self._done
        self._total = None if self._left is None else self._done + self._left[index]

    def pass_over(self, video: Video) -> None:
        """Counts what is left of a lost video: there is nothing more to wait for."""
        if video.length is not None:
            self.add(self._before + video.length - self._done, video.name)

    def add(self, frames: int, video: str) -> None:
        """Counts `frames` more of `video` as done; fewer than none where a video starts again."""
        self._done += frames
        if self._progress is not None:
            total = None if self._total is None else max(self._done, self._total)
            self._progress(Progress("score", self._done, total, f"video {video}"))


def score_videos(
    videos: Sequence[Video],
    stages: Stages,
    store: PartStore,
    notes: Notes,
    progress: ProgressCallback | None,
    *,
    lost: list[LostFootageError] | None = None,
) -> list[Part]:
    """Computes the parts of videos, in order; those that are there already are only read.

    Args:
        videos: in the order of the run.
        stages: what they go through.
        store: where parts are kept.
        notes: what is said aloud.
        progress: told as frames are done.
        lost: gets the errors of the videos too much of which cannot be read, while the others go on; None raises them.

    Raises:
        DecodeError, EngineError, SourceError, OutputError: frames cannot be read, the engine fails or returns a value
            that is not finite, a video means nothing to the method, or a part cannot be written.
    """
    count, parts = _FrameCount(videos, progress), list[Part]()
    watch = stages.clean.stopwatch
    with Readahead(lambda: watch.works("clean", _cleaned(videos, stages, store)), stages.decode.depth) as ahead:
        for index, steps in groupby(watch.waits(ahead), attrgetter("run")):
            if index < 0:
                continue
            count.begin(index)
            try:
                part = _part(videos[index], steps, stages, store, count)
            except LostFootageError as error:
                if lost is None:
                    raise
                lost.append(error)
                notes.say(str(error))
                count.pass_over(videos[index])
                continue
            notes.say(*part.notes)
            parts.append(part)
    return parts


def _part(video: Video, steps: Iterator[Step], stages: Stages, store: PartStore, count: _FrameCount) -> Part:
    """The part of one video: the one that is there, or a new one, which is kept."""
    first = next(steps)
    if first.part is not None:
        count.add(len(first.part.raw), first.part.video)
        return first.part
    return _score(video, chain([first], steps), stages, store, count)


def _score(video: Video, steps: Iterable[Step], stages: Stages, store: PartStore, count: _FrameCount) -> Part:
    """The part of one video: only the frames of the last stage of cleaning count."""
    void = 0
    for stage, some in groupby(_not_lost(steps), attrgetter("stage")):
        count.add(-void, video.name)
        raw, maps, why = _raw(video, some, stages, count)
        void, last = len(raw), stage
    record, footage = last.record(), store.footage(video, last.files())
    scored = len(raw)
    if (timeline := getattr(video, "timeline", None)) is not None:
        record, raw, maps, why = spread(timeline, record, raw, maps, why)
        count.add(len(raw) - scored, video.name)
    met = video.notes if isinstance(video, VideoFile) else gap_notes([video])
    notes = met + last.notes() + stages.method.remarks(video, scored)
    place, source = store.place(video.name), _place(video)
    part = Part(video.name, footage, raw, record, maps, store.job, notes, len(raw), place, source, why)
    if last.came_back():
        notes.append(f"video {video.name} changed while it was read, so its part is not kept: score it again")
    else:
        store.keep(part)
    return part


def _place(video: Video) -> str:
    """The folder or file of a video, for messages; "" where it has none."""
    if isinstance(video, FolderVideo):
        return str(video.folder.absolute())
    return str(video.path.absolute()) if isinstance(video, PictureFile | VideoFile) else ""


def _raw(
    video: Video, steps: Iterable[Step], stages: Stages, count: _FrameCount
) -> tuple[NDArray[np.float32], NDArray[np.float16] | None, Why | None]:
    """Raw scores f32[N] of cleaned frames, the square roots f16[N, h, w] of the maps where asked for, and why."""
    raw: list[NDArray[np.float32]] = []
    kept: list[NDArray[np.float16]] = []
    judged: list[Judged] = []
    cleaned = (step.cleaned for step in steps if step.cleaned is not None)
    for said in stretch_maps(stages.method, video, cleaned):
        maps = said.maps if isinstance(said, Judged) else said
        if isinstance(said, Judged):
            judged.append(said._replace(maps=maps[:1]))
        with stages.clean.stopwatch.phase("aggregate"):
            raw.append(stages.raw(said))
        if stages.maps:
            kept.append(np.sqrt(maps).astype(np.float16))
        count.add(len(maps), video.name)
    return np.concatenate(raw), np.concatenate(kept) if kept else None, _why(judged, stages.spec)


def _why(judged: Sequence[Judged], spec: MethodSpec) -> Why | None:
    """Where and why, of what a method said of a whole video; None where it says nothing."""
    if not judged:
        return None
    rows, columns = judged[0].maps.shape[1:]
    cell, stream = (np.concatenate([getattr(one, name) for one in judged]) for name in ("cell", "stream"))
    reasons = [reason for one in judged for reason in one.reasons]
    return Why.of(cell, stream, reasons, (rows, columns), spec.streams)


def _not_lost(steps: Iterable[Step]) -> Iterator[Step]:
    """The same steps; raises the error of a video that is lost."""
    for step in steps:
        if step.lost is not None:
            raise step.lost
        yield step
