"""Raw scores of many videos: decoding and cleaning run ahead, the engine follows, each video leaves a part."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.stage import CleanSettings
from pixelfast.machine.readahead import Readahead
from pixelfast.methods.base import Method, MethodSpec
from pixelfast.methods.settings import Settings
from pixelfast.notes import Notes
from pixelfast.options import FlipMode
from pixelfast.pipeline.clean import cleaned_steps
from pixelfast.pipeline.decode import Decoder, Step
from pixelfast.pipeline.parts import Part, PartStore
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import Video
from pixelfast.sources.decoding import DecodeSettings


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
    """

    spec: MethodSpec
    method: Method
    decode: DecodeSettings
    clean: CleanSettings
    flip: FlipMode
    settings: Settings


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


def score_videos(
    videos: Sequence[Video], stages: Stages, store: PartStore, notes: Notes, progress: ProgressCallback | None
) -> list[Part]:
    """Computes the parts of videos, in order; those that are there already are only read.

    Args:
        videos: in the order of the run.
        stages: what they go through.
        store: where parts are kept.
        notes: what is said aloud.
        progress: told as frames are done.

    Raises:
        DecodeError, EngineError, SourceError, OutputError: frames cannot be read, the engine fails or returns a value
            that is not finite, a video means nothing to the method, or a part cannot be written.
    """
    count, parts = FrameCount(videos, progress), list[Part]()
    decoder = Decoder(videos, store, stages.decode)
    with Readahead(lambda: cleaned_steps(videos, decoder, stages.clean, stages.flip), stages.decode.depth) as ahead:
        for index, steps in groupby(stages.clean.stopwatch.waits(ahead), attrgetter("run")):
            if index < 0:
                continue
            first = next(steps)
            part = first.part
            if part is None:
                part = _score(videos[index], chain([first], steps), stages, store, count)  # noqa: B031 - the rest of its steps
                store.keep(part)
            else:
                count.add(len(part.raw), part.video)
            for note in part.notes:
                notes.say(note)
            parts.append(part)
    return parts


def _score(video: Video, steps: Iterable[Step], stages: Stages, store: PartStore, count: FrameCount) -> Part:
    """The part of one video: only the frames of the last stage of cleaning count."""
    void = 0
    for stage, some in groupby(steps, attrgetter("stage")):
        count.add(-void, video.name)
        first = next(some)
        raw, maps = _raw(video, chain([first], some), stages, count)  # noqa: B031 - the rest of its steps
        void, last, footage = len(raw), stage, first.footage
    record = last.record()
    notes = last.notes() + stages.method.remarks(video, len(record.frame))
    return Part(video.name, footage, raw, record, maps, store.job, notes)


def _raw(
    video: Video, steps: Iterable[Step], stages: Stages, count: FrameCount
) -> tuple[NDArray[np.float32], NDArray[np.float16] | None]:
    """Raw scores f32[N] of cleaned frames, and the square roots f16[N, G, G] of the error maps where asked for."""
    raw: list[NDArray[np.float32]] = []
    kept: list[NDArray[np.float16]] = []
    cleaned = (step.cleaned for step in steps if step.cleaned is not None)
    for maps in stages.method.maps(video).run(cleaned):
        with stages.clean.stopwatch.phase("aggregate"):
            raw.append(stages.spec.raw(maps, stages.settings.pool))
        if stages.settings.maps:
            kept.append(np.sqrt(maps).astype(np.float16))
        count.add(len(maps), video.name)
    return np.concatenate(raw), np.concatenate(kept) if kept else None
