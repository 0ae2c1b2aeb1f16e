"""The clean stage of one video, streaming: broken frames replaced, flipped frames turned, noisy frames found."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.cleaning.cleaned import Cleaned, Frames
from pixelfast.cleaning.frozen import LOOK, doubled_frames, equal_frames, frozen_runs, frozen_sentence
from pixelfast.cleaning.marks import Marks, StandingStill
from pixelfast.cleaning.noise import Gaps, NoiseJudge
from pixelfast.errors import SourceError
from pixelfast.flip.engine import FlipEngine
from pixelfast.flip.judge import Evidence, FlipJudge
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.options import FlipMode, OnError
from pixelfast.sources import READ, UNREADABLE, Chunk, LossGuard, Repair, Video
from pixelfast.sources.masking import painted
from pixelfast.sources.video import joined

CLEANING_THREADS = 1
"""Cleaning costs little beside decoding and the engine, and runs beside both: see `CleanSettings`."""

_APART: Final = 64
"""Chunks whose records are kept apart, at most."""


class CorrectionRefused(Exception):  # noqa: N818 (not an error: the video is read again without correction)
    """The flip correction of this video must not stand; the message says why."""


@dataclass(frozen=True, eq=False)
class FrameRecord:
    """What is known of each frame of a video besides its score.

    Attributes:
        frame: i64[N], frame numbers.
        flipped: bool[N], turned upright before scoring.
        repaired: bool[N], truncated or replaced.
        noisy: bool[N], noise far above the video's.
        seconds: f64[N], times since the start of the video, where known.
        frozen: bool[N], part of a long run of equal frames; left out, none is.
    """

    frame: NDArray[np.int64]
    flipped: NDArray[np.bool_]
    repaired: NDArray[np.bool_]
    noisy: NDArray[np.bool_]
    seconds: NDArray[np.float64] | None
    frozen: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        if not len(self.frozen):
            object.__setattr__(self, "frozen", np.zeros(len(self.frame), np.bool_))


@dataclass(frozen=True)
class CleanSettings:
    """How the frames of every video of a run are cleaned.

    Attributes:
        flip_engine: the flip classifier; None where no video can or shall be corrected.
        on_error: passed on to the repair.
        bridge_noisy: whether noisy, damaged and doubled frames are told from usable ones, or only marked.
        stopwatch: gets the times of the `flip` and `noise` phases.
        mask: what is painted over once frames are upright; None leaves all as it is.
    """

    flip_engine: FlipEngine | None
    on_error: OnError
    bridge_noisy: bool
    stopwatch: Stopwatch
    mask: str | None = None


class CleanStage:
    """Turns decoded chunks into frames for the engine and keeps the record of each frame.

    `never` leaves all frames as they lie, `auto` may refuse (see `flip.judge`), `always` insists; `refusal` is the
    sentence by which correction was refused before, None where it was not.
    """

    def __init__(self, video: Video, settings: CleanSettings, flip: FlipMode, refusal: str | None = None) -> None:
        self.refusal = refusal
        self._video = video
        self._settings = settings
        self._loss = LossGuard(video, settings.on_error)
        self._repair = Repair(video, settings.on_error)
        self._flips = None if settings.flip_engine is None or flip == "never" else FlipJudge(flip, video.length)
        self._noise = NoiseJudge()
        self.sigmas: list[NDArray[np.float32]] | None = None  # of all frames, where a list stands here
        self._gaps = Gaps() if settings.bridge_noisy else None
        self._chunks: list[Chunk] = []  # without their pixels: the record must not hold the video
        self._apart = 0  # chunks since some were joined
        self._files = hashlib.sha256()
        self._turned, self._noisy, self._damaged, self._equal = Marks(), Marks(), Marks(), Marks()
        self._taken, self._still = 0, StandingStill()
        self._before: Frames | None = None  # the last frame, grey, u8[H, W]
        self._waiting: deque[Frames] = deque()
        self._released = 0  # frames that wait no more

    def run(self, chunks: Iterable[Chunk]) -> Iterator[Cleaned]:
        """Yields the frames of a whole video, readable and upright.

        Raises:
            CorrectionRefused: as soon as it is certain that the video must be left as it is.
            DecodeError, LostFootageError: see `Repair` and `LossGuard`.
            SourceError: the video holds no frames.
        """
        for chunk in self._repair.run(self._loss.run(chunks)):
            grey = grey_frames(chunk.frames)
            with self._settings.stopwatch.phase("noise", grey.nbytes):
                sigma = _core.noise_sigma(grey, CLEANING_THREADS)
            if self.sigmas is not None:
                self.sigmas.append(sigma)
            self._noisy.add(self._noise.push(sigma))
            self._equal.add(equal_frames(grey, self._before))
            self._before = grey[-1].copy()
            self._damaged.add(chunk.status != READ)
            self._judge_flips(grey)
            self._files.update(chunk.digests)
            self._keep(replace(chunk, frames=chunk.frames[:0].copy(), digests=b""))
            self._waiting.append(chunk.frames)
            yield from self._release()
        if not self._chunks:
            raise SourceError(f"video {self._video.name} holds no frames: leave it out")
        self._noisy.add(self._noise.finish())
        if self._flips is not None:
            self._turned.add(self._flips.finish())
            _refuse(self._flips.refusal(ended=True))
        yield from self._release(ended=True)

    def status(self) -> NDArray[np.uint8]:
        """u8[N]: how each frame was decoded (`READ`, `TRUNCATED`, `UNREADABLE`); after `run` has ended."""
        return np.concatenate([chunk.status for chunk in self._chunks])

    def files(self) -> bytes:
        """Returns the SHA-256 of the digests of the frames' files, in order; after `run` has ended."""
        return self._files.digest()

    def record(self) -> FrameRecord:
        """What was done to each frame; after `run` has ended."""
        frame, seconds = self._frame(), self._seconds()
        frozen = np.zeros(len(frame), np.bool_)
        for start, stop in self._frozen_runs():
            frozen[start:stop] = True
        return FrameRecord(
            frame=frame,
            flipped=self._turned[:],
            repaired=self._damaged[:],
            noisy=self._noisy[:],
            seconds=seconds,
            frozen=frozen,
        )

    def known(self) -> int:
        """Returns of how many frames everything is known so far but whether they are frozen."""
        return min(len(self._turned), len(self._noisy))

    def take(self, count: int) -> FrameRecord:
        """Returns the record of the next frames, which must be known, and lets go of it, as footage without end needs.

        A frame counts as frozen if it and the equal ones before it are already too long a run.
        """
        now, chunks = slice(self._taken, self._taken + count), list[Chunk]()
        while count:
            chunk = self._chunks.pop(0)
            if len(chunk.status) > count:
                self._chunks.insert(0, chunk.cut(count, len(chunk.status)))
                chunk = chunk.cut(0, count)
            chunks.append(chunk)
            count -= len(chunk.status)
        seconds = [np.full(len(one.status), np.nan) if one.seconds is None else one.seconds for one in chunks]
        times = np.concatenate([np.zeros(0), *seconds])
        frame = np.concatenate([np.zeros(0, np.int64), *(chunk.frame_ids for chunk in chunks)])
        frozen = self._still.frozen(self._equal[now], times)
        record = FrameRecord(frame, self._turned[now], self._damaged[now], self._noisy[now], times, frozen)
        self._taken = now.stop
        for marks in (self._turned, self._noisy, self._damaged, self._equal):
            marks.forget(min(self._taken, self._released) - LOOK)
        return record

    def equal(self) -> NDArray[np.bool_]:
        """Returns bool[N]: which frames equal the one before; after `run` has ended."""
        return self._equal[:]

    def evidence(self) -> Evidence:
        """Returns what speaks for and against the flip correction of the frames so far."""
        return Evidence() if self._flips is None else replace(self._flips.evidence)

    def doubts(self) -> str | None:
        """Says why the flip correction of the frames so far should not stand; None where it may."""
        return None if self._flips is None else self._flips.evidence.refusal()

    def notes(self) -> list[str]:
        """Returns sentences about what was refused and repaired, and what stands still."""
        runs = self._frozen_runs()
        frozen = frozen_sentence(self._video.name, self._frame(), runs) if runs else None
        return [said for said in (self.refusal, self._repair.sentence(), frozen) if said is not None]

    def _keep(self, chunk: Chunk) -> None:
        """Keeps what is known of a chunk; joins the latest now and then, as small arrays take more than they hold."""
        self._chunks.append(chunk)
        self._apart += 1
        if self._apart == _APART:
            self._chunks[-_APART:], self._apart = [joined(self._chunks[-_APART:])], 0

    def _frame(self) -> NDArray[np.int64]:
        return np.concatenate([chunk.frame_ids for chunk in self._chunks])

    def _seconds(self) -> NDArray[np.float64] | None:
        seconds = [chunk.seconds for chunk in self._chunks if chunk.seconds is not None]
        return np.concatenate(seconds) if len(seconds) == len(self._chunks) else None

    def _frozen_runs(self) -> list[tuple[int, int]]:
        return frozen_runs(self._equal[:], self.status() == UNREADABLE, self._seconds())

    def came_back(self) -> bool:
        """Whether what could not be read can be read now, so that the footage's fingerprint may not be that of it."""
        return self._loss.came_back()

    def _judge_flips(self, grey: Frames) -> None:
        if self._flips is None or self._settings.flip_engine is None:
            self._turned.add(np.zeros(len(grey), np.bool_))
            return
        with self._settings.stopwatch.phase("flip", grey.nbytes):
            self._turned.add(self._flips.push(grey, self._settings.flip_engine.probabilities(grey)))
        _refuse(self._flips.refusal(ended=False))

    def _release(self, *, ended: bool = False) -> Iterator[Cleaned]:
        """The waiting frames that are judged by now, upright."""
        judged = len(self._turned)
        if self._gaps is not None:
            judged = min(judged, len(self._noisy), len(self._equal) - (0 if ended else LOOK))
        while self._released < judged:
            frames, first = self._waiting.popleft(), self._released
            self._released = min(judged, first + len(frames))
            count = self._released - first
            if count < len(frames):
                self._waiting.appendleft(frames[count:])
            now = slice(first, self._released)
            usable = np.ones(count, np.bool_)
            if self._gaps is not None:
                before = max(0, first - LOOK)
                equal = self._equal[before : self._released + LOOK]
                usable = usable_frames(self._gaps, self._damaged[now], self._noisy[now], equal, first - before)
            upright = _upright(frames[:count], self._turned[now])
            yield Cleaned(painted(upright, self._settings.mask), usable)


def clean_video(
    video: Video, settings: CleanSettings, flip: FlipMode, chunks: Iterable[Chunk], again: Callable[[], Iterable[Chunk]]
) -> Iterator[tuple[CleanStage, Cleaned]]:
    """Yields the frames of a whole video, each with the stage that cleaned them.

    Where its flip correction is refused, `again` gives the chunks once more from the start: then another stage comes
    with all frames, uncorrected, and those of the stage before are void.

    Raises:
        DecodeError, LostFootageError: see `Repair` and `LossGuard`.
        SourceError: the video holds no frames.
    """
    stage = CleanStage(video, settings, flip)
    try:
        for cleaned in stage.run(chunks):
            yield stage, cleaned
        return
    except CorrectionRefused as refusal:
        said = f"video {video.name} is left as it is, without flip correction: {refusal}; flip='always' insists"
    stage = CleanStage(video, settings, "never", said)
    for cleaned in stage.run(again()):
        yield stage, cleaned


def usable_frames(
    gaps: Gaps, damaged: NDArray[np.bool_], noisy: NDArray[np.bool_], equal: NDArray[np.bool_], first: int
) -> NDArray[np.bool_]:
    """Returns bool[n]: which of the next frames optical flow may use.

    Args:
        gaps: of this video, told of all frames before.
        damaged: bool[n], the frame was not read in full.
        noisy: bool[n], it is noisy.
        equal: bool[N], frames that equal the one before, among them those before and after that `doubled_frames` needs.
        first: the position of the first of the n frames in `equal`.
    """
    usable = gaps.usable(damaged | noisy)
    # A doubled frame shows no motion.
    usable &= ~doubled_frames(equal, first, first + len(damaged)) | damaged
    return usable


def _refuse(reason: str | None) -> None:
    if reason is not None:
        raise CorrectionRefused(reason)


def grey_frames(frames: Frames) -> Frames:
    """Grey frames u8[n, H, W] as they are; of RGB frames u8[n, H, W, 3] their BT.601 luma."""
    if frames.ndim == 3:
        return frames
    import cv2

    grey = np.empty(frames.shape[:3], np.uint8)
    for frame, into in zip(frames, grey, strict=True):
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY, dst=into)
    return grey


def _upright(frames: Frames, turned: NDArray[np.bool_]) -> Frames:
    if not turned.any():
        return frames
    upright = frames.copy()
    upright[turned] = frames[turned, ::-1]
    return upright
