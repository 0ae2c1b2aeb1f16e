"""A long folder of frames in segments, each of which is scored alone, anywhere: cutting, and scoring one.

A segment takes so much of its neighbours that it comes to what the whole video comes to, as a rule; `joining` looks
whether it did. A video file is read forward only, and stays in one piece.
"""

from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeGuard

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.cleaning.stage import CleanStage
from pixelfast.flip.judge import Evidence
from pixelfast.machine.readahead import Readahead
from pixelfast.methods.base import Judged
from pixelfast.methods.overlap import Overlap
from pixelfast.pipeline.scoring import Stages
from pixelfast.pipeline.stretches import stretch_maps
from pixelfast.sources import Chunk, FolderVideo, Video

MOST_FRAMES: Final = 4096
"""Of a segment: a longer video is cut."""

LEAD: Final = 64
"""Frames beside those that the method needs, on both sides: for the stages before it to come to what they come to in
the whole video. They look 56 frames ahead (`NoiseJudge`, then `LOOK`)."""

Met = tuple[set[int], set[int], dict[int, int]]
"""What was met in the files of a video, by position: faults without harm, orientation, more pictures than one."""


@dataclass(frozen=True, eq=False)
class Segment:
    """Some neighbouring frames of a long video, and what they need of those around them.

    Attributes:
        video: all these frames, as a video of the same name.
        first: the position of its first frame in the whole video.
        start: the position of the first frame that is the segment's own.
        stop: the position after its last own frame.
        frames: those of the whole video.
    """

    video: FolderVideo
    first: int
    start: int
    stop: int
    frames: int

    @property
    def own(self) -> slice:
        """Returns where its own frames lie in `video`."""
        return slice(self.start - self.first, self.stop - self.first)


@dataclass(frozen=True, eq=False)
class SegmentScores:
    """What a segment comes to: m frames, of which n are its own.

    Attributes:
        segment: which frames these are; its video holds no names any more.
        raw: f32[n].
        maps: f16[n, h, w], the square roots of the error maps; None where they were not asked for.
        status: u8[m], how each frame was decoded.
        turned: bool[m], turned upright.
        usable: bool[m], used by optical flow.
        equal: bool[m], equal to the frame before.
        sigma: f32[m], how noisy.
        evidence: of the flip correction, before the first own frame and after the last one; None where there is none.
        digests: 32 bytes an own frame, of its file; none where parts are not kept.
        sizes: heights and widths of the frames, each with the first file of that size.
        remarks: what the method says aloud of the whole video.
        met: in the files of own frames, by position in the whole video.
    """

    segment: Segment
    raw: NDArray[np.float32]
    maps: NDArray[np.float16] | None
    status: NDArray[np.uint8]
    turned: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    equal: NDArray[np.bool_]
    sigma: NDArray[np.float32]
    evidence: tuple[Evidence, Evidence] | None
    digests: bytes
    sizes: dict[tuple[int, int], str]
    remarks: list[str]
    met: Met


def is_cut(video: Video, most: int) -> TypeGuard[FolderVideo]:
    """Says whether a video is cut into segments of so many frames at most, where the method bears that."""
    return isinstance(video, FolderVideo) and video.length > most


def cut(video: FolderVideo, overlap: Overlap, most: int) -> Iterator[Segment]:
    """Yields the segments of a video, of `most` own frames each, fewer at the end."""
    for start in range(0, video.length, most):
        stop = min(start + most, video.length)
        first = max(0, start - overlap.before - LEAD)
        begun = bisect(video.starts, first)
        stretch = video.starts[begun - 1] if begun else 0
        first -= (first - stretch) % overlap.step
        last = min(video.length, stop + overlap.after + LEAD)
        yield Segment(video.segment(first, last), first, start, stop, video.length)


def score_segment(segment: Segment, stages: Stages, *, digests: bool) -> SegmentScores:
    """Scores a segment; with `digests`, what tells its files is gathered.

    Raises:
        PixelfastError: as `score_videos`, of these frames alone.
    """
    video, decode = segment.video, stages.decode
    # A frame is judged alike; whether the correction stands, all segments tell together.
    stage = CleanStage(video, stages.clean, "always" if stages.flip == "auto" else stages.flip)
    stage.sigmas, seen, usable, hashed = [], list[Evidence](), list[NDArray[np.bool_]](), list[bytes]()

    def watched(some: Iterable[Cleaned]) -> Iterator[Cleaned]:
        for cleaned in some:
            usable.append(cleaned.usable)
            yield cleaned

    def chunks() -> Iterator[Chunk]:
        for chunk in decode.chunks(video, digests=digests):
            hashed.append(chunk.digests)
            yield chunk

    with (
        Readahead(chunks, decode.depth) as decoded,
        Readahead(lambda: stage.run(_cut_at_own(segment, decoded, stage, seen)), decode.depth) as cleaned,
    ):
        raw, maps = _raw(segment, watched(cleaned), stages)
    corrected, own = stages.clean.flip_engine is not None and stages.flip != "never", segment.own
    shift, of_files = segment.first, b"".join(hashed)
    each = len(of_files) // video.length
    return SegmentScores(
        segment=Segment(video.segment(0, 1), segment.first, segment.start, segment.stop, segment.frames),
        raw=raw,
        maps=maps,
        status=stage.status(),
        turned=stage.record().flipped,
        usable=np.concatenate(usable),
        equal=stage.equal(),
        sigma=np.concatenate(stage.sigmas),
        evidence=(seen[0], seen[1]) if corrected else None,
        digests=of_files[own.start * each : own.stop * each],
        sizes=video.sizes,
        remarks=stages.method.remarks(video, segment.frames),
        met=(
            {shift + at for at in video.harmless if own.start <= at < own.stop},
            {shift + at for at in video.turned if own.start <= at < own.stop},
            {shift + at: count for at, count in video.several.items() if own.start <= at < own.stop},
        ),
    )


def _cut_at_own(segment: Segment, chunks: Iterable[Chunk], stage: CleanStage, seen: list[Evidence]) -> Iterator[Chunk]:
    """The same frames, cut where the segment's own begin and end; `seen` gets the evidence at both places."""
    done, ends = 0, (segment.own.start, segment.own.stop)
    for chunk in chunks:
        end = done + len(chunk.status)
        for first, last in pairwise((done, *(at for at in ends if done < at < end), end)):
            if first in ends:
                seen.append(stage.evidence())
            yield chunk.cut(first - done, last - done)
        done = end
    if done in ends:
        seen.append(stage.evidence())


def _raw(
    segment: Segment, cleaned: Iterable[Cleaned], stages: Stages
) -> tuple[NDArray[np.float32], NDArray[np.float16] | None]:
    """Raw scores f32[n] of the segment's own frames, and the square roots f16[n, h, w] of their maps where wanted."""
    raw, kept = list[NDArray[np.float32]](), list[NDArray[np.float16]]()
    for maps in stretch_maps(stages.method, segment.video, cleaned):
        assert not isinstance(maps, Judged), "a method that judges frames by itself says where it needs no more of them"
        with stages.clean.stopwatch.phase("aggregate"):
            raw.append(stages.raw(maps))
        if stages.maps:
            kept.append(np.sqrt(maps).astype(np.float16))
    return np.concatenate(raw)[segment.own], np.concatenate(kept)[segment.own] if kept else None
