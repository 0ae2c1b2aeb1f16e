"""The segments of a video back together: its part, where they come to what one run over the whole video comes to.

What depends on the whole video (noise, frozen frames, whether flip correction stands, how much may be lost) is decided
here, of what each segment measured; then it is seen whether each segment went by the same. Where one did not, the video
must be scored in one piece: a segment is never nearly right.
"""

import hashlib
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.frozen import FROZEN_FRAMES, frozen_runs, frozen_sentence
from pixelfast.cleaning.noise import Gaps, NoiseJudge
from pixelfast.cleaning.stage import FrameRecord, usable_frames
from pixelfast.errors import LostFootageError
from pixelfast.flip.judge import Evidence
from pixelfast.methods.overlap import Overlap
from pixelfast.options import FlipMode, OnError
from pixelfast.pipeline.parts import Part, PartStore
from pixelfast.pipeline.segments import LEAD, Met, SegmentScores
from pixelfast.pipeline.spreading import spread
from pixelfast.sources import READ, UNREADABLE, Chunk, FolderVideo, LossGuard, Repair
from pixelfast.sources.folder import gap_notes

Truths = NDArray[np.bool_]

_LOOK: Final = LEAD // 2
"""Frames on both sides of what the method needs, in which a segment must have gone by what the whole video says."""


class NotAsOneError(Exception):
    """Segments do not come to what one run comes to; the message says why."""


@dataclass(frozen=True)
class Cutting:
    """What all segments of a run share.

    Attributes:
        overlap: what the method needs.
        most: own frames of a segment.
        bridges: whether unusable frames are leapt over.
        flip: how flipped frames are dealt with.
        on_error: what is done about unreadable frames.
    """

    overlap: Overlap
    most: int
    bridges: bool
    flip: FlipMode
    on_error: OnError


def join(video: FolderVideo, scored: Sequence[SegmentScores], cutting: Cutting, store: PartStore) -> Part:
    """Makes the part of a video of all its segments, in order, and keeps it.

    Raises:
        NotAsOneError: the video must be scored in one piece.
        OutputError: the part cannot be written.
    """
    status = np.concatenate([one.status[one.segment.own] for one in scored])
    turned = np.concatenate([one.turned[one.segment.own] for one in scored])
    equal = np.concatenate([one.equal[one.segment.own] for one in scored])
    noisy = _noisy([one.sigma[one.segment.own] for one in scored])
    usable = usable_frames(Gaps(), status != READ, noisy, equal, 0) if cutting.bridges else np.ones_like(noisy)
    _check_flips(scored, cutting.flip)
    repair = _check_losses(video, status, cutting.on_error)
    if len(dict(chain.from_iterable(one.sizes.items() for one in scored))) > 1:
        raise NotAsOneError("its frames have several sizes")
    for one in scored:
        _check(one, video, turned, usable, cutting)
    for one in scored:
        take_met(video, one.met)
    seconds, digests = video.seconds, b"".join(one.digests for one in scored)
    files = hashlib.sha256(digests).digest()
    runs = frozen_runs(equal, status == UNREADABLE, seconds)
    frozen = np.zeros(len(status), np.bool_)
    for start, stop in runs:
        frozen[start:stop] = True
    record = FrameRecord(video.frame_ids, turned, status != READ, noisy, seconds, frozen)
    raw = np.concatenate([one.raw for one in scored])
    maps = [one.maps for one in scored if one.maps is not None]
    kept = np.concatenate(maps) if maps else None
    said = [repair.sentence(), frozen_sentence(video.name, video.frame_ids, runs)]
    notes = gap_notes([video]) + [one for one in said if one is not None] + scored[0].remarks
    if video.timeline is not None:
        record, raw, kept, _ = spread(video.timeline, record, raw, kept, None)
    if digests and not np.any(status == UNREADABLE):
        video.remember(files)
    footage, place = store.footage(video, files), store.place(video.name)
    source = str(video.folder.absolute())
    part = Part(video.name, footage, raw, record, kept, store.job, notes, len(raw), place, source)
    store.keep(part)
    return part


def take_met(video: FolderVideo, met: Met) -> None:
    """Lets a video know what was met in its files elsewhere."""
    harmless, turned, several = met
    video.harmless |= harmless
    video.turned |= turned
    video.several |= several


def _noisy(sigmas: Sequence[NDArray[np.float32]]) -> Truths:
    judge = NoiseJudge()
    return np.concatenate([*(judge.push(some) for some in sigmas), judge.finish()])


def _check_flips(scored: Sequence[SegmentScores], flip: FlipMode) -> None:
    """Refuses segments of a video whose flip correction must not stand."""
    total = Evidence()
    for one in scored:
        if one.evidence is None:
            continue
        own, (before, after) = one.segment.own, one.evidence
        if (before.frames, after.frames) != (own.start, own.stop):
            raise NotAsOneError("it begins with frames of which the flip classifier is unsure")
        for name in vars(total):
            setattr(total, name, getattr(total, name) + getattr(after, name) - getattr(before, name))
    if flip == "auto" and (reason := total.refusal()) is not None:
        raise NotAsOneError(f"its flip correction is refused ({reason})")


def _check_losses(video: FolderVideo, status: NDArray[np.uint8], on_error: OnError) -> Repair:
    """Refuses segments of a video that is lost, or came back meanwhile; else returns what knows the repairs."""
    guard, repair = LossGuard(video, on_error), Repair(video, on_error)
    try:
        list(guard.run([Chunk(video.frame_ids, np.zeros((0, 1, 1), np.uint8), status)]))
    except LostFootageError as error:
        raise NotAsOneError(str(error)) from error
    if guard.came_back():
        raise NotAsOneError("it changed while it was read")
    repair.count(status)
    return repair


def _check(one: SegmentScores, video: FolderVideo, turned: Truths, usable: Truths, cutting: Cutting) -> None:
    """Refuses a segment that went by other things than the whole video says."""
    segment, overlap, stop = one.segment, cutting.overlap, one.segment.first + len(one.status)
    begins, ends = segment.first == 0, stop == video.length
    start = 0 if begins else segment.start - overlap.before - _LOOK
    last = stop if ends else segment.stop + overlap.after + _LOOK
    here, there = slice(start - segment.first, last - segment.first), slice(start, last)
    if (not begins and one.status[0] == UNREADABLE) or (not ends and one.status[-1] == UNREADABLE):
        raise NotAsOneError(f"a frame that cannot be read lies where a segment begins or ends ({segment.first})")
    if not np.array_equal(one.turned[here], turned[there]):
        raise NotAsOneError(f"frames before {segment.start} leave open which are flipped")
    if not np.array_equal(one.usable[here], usable[there]):
        raise NotAsOneError(f"frames before {segment.start} leave open which are noisy")
    if not begins and bisect(video.starts, start) == bisect(video.starts, segment.start):
        # From one flow between usable frames on, all flows are those of the whole video.
        known = start + np.flatnonzero(usable[start : segment.start - overlap.before])
        if not np.any(np.diff(known) <= FROZEN_FRAMES):
            raise NotAsOneError(f"frames before {segment.start} show no motion")
    if not ends and not usable[segment.stop - 1 : last].any():
        raise NotAsOneError(f"frames after {segment.stop - 1} show no motion")
