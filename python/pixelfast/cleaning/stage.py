"""The clean stage of one video, streaming: broken frames replaced, flipped frames turned, noisy frames found."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.cleaning.noise import Gaps, NoiseJudge
from pixelfast.errors import SourceError
from pixelfast.flip.engine import FlipEngine
from pixelfast.flip.judge import FlipJudge
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.options import FlipMode, OnError
from pixelfast.sources import READ, Chunk, Repair, Video

CLEANING_THREADS = 1
"""Cleaning costs little beside decoding and the engine, and runs beside both: see `CleanSettings`."""


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
    """

    frame: NDArray[np.int64]
    flipped: NDArray[np.bool_]
    repaired: NDArray[np.bool_]
    noisy: NDArray[np.bool_]
    seconds: NDArray[np.float64] | None


@dataclass(frozen=True)
class CleanSettings:
    """How the frames of every video of a run are cleaned.

    Attributes:
        flip_engine: the flip classifier; None where no video can or shall be corrected.
        on_error: passed on to the repair.
        bridge_noisy: whether noisy and damaged frames are told from usable ones, or noisy ones only marked.
        stopwatch: gets the times of the `flip` and `noise` phases.
    """

    flip_engine: FlipEngine | None
    on_error: OnError
    bridge_noisy: bool
    stopwatch: Stopwatch


class CleanStage:
    """Turns decoded chunks into frames for the engine and keeps the record of each frame.

    Args:
        video: for messages and its length.
        settings: how frames are cleaned.
        flip: `never` leaves all frames, `auto` may refuse (see `flip.judge`), `always` insists.
        refusal: the sentence by which correction was refused before; None where it was not.
    """

    def __init__(self, video: Video, settings: CleanSettings, flip: FlipMode, refusal: str | None = None) -> None:
        self._video = video
        self.refusal = refusal
        self._settings = settings
        self._repair = Repair(video, settings.on_error)
        self._flips = None if settings.flip_engine is None or flip == "never" else FlipJudge(flip, video.length)
        self._noise = NoiseJudge()
        self._gaps = Gaps() if settings.bridge_noisy else None
        self._chunks: list[Chunk] = []
        self._turned = _Decisions()
        self._noisy = _Decisions()
        self._damaged = _Decisions()
        self._waiting: list[NDArray[np.uint8]] = []

    def run(self, chunks: Iterable[Chunk]) -> Iterator[Cleaned]:
        """Yields the frames of a whole video, readable and upright.

        Raises:
            CorrectionRefused: as soon as it is certain that the video must be left as it is.
            DecodeError: see `Repair`.
            SourceError: the video holds no frames.
        """
        for chunk in self._repair.run(chunks):
            grey = grey_frames(chunk.frames)
            self._note(chunk, grey)
            self._judge_flips(grey)
            self._waiting.append(chunk.frames)
            yield from self._release()
        if not self._chunks:
            raise SourceError(f"video {self._video.name} holds no frames: leave it out")
        self._noisy.add(self._noise.finish())
        if self._flips is not None:
            self._turned.add(self._flips.finish())
            self._refuse(ended=True)
        yield from self._release()

    def status(self) -> NDArray[np.uint8]:
        """u8[N]: how each frame was decoded (`READ`, `TRUNCATED`, `UNREADABLE`); after `run` has ended."""
        return np.concatenate([chunk.status for chunk in self._chunks])

    def record(self) -> FrameRecord:
        """What was done to each frame; after `run` has ended."""
        seconds = [chunk.seconds for chunk in self._chunks if chunk.seconds is not None]
        return FrameRecord(
            frame=np.concatenate([chunk.frame_ids for chunk in self._chunks]),
            flipped=self._turned.all(),
            repaired=self.status() != READ,
            noisy=self._noisy.all(),
            seconds=np.concatenate(seconds) if len(seconds) == len(self._chunks) else None,
        )

    def notes(self) -> list[str]:
        """Returns sentences about what was refused and repaired."""
        return [said for said in (self.refusal, self._repair.sentence()) if said is not None]

    def _note(self, chunk: Chunk, grey: NDArray[np.uint8]) -> None:
        with self._settings.stopwatch.phase("noise", grey.nbytes):
            self._noisy.add(self._noise.push(_core.noise_sigma(grey, CLEANING_THREADS)))
        self._damaged.add(chunk.status != READ)
        # Without its pixels: the record must not hold the video.
        self._chunks.append(Chunk(chunk.frame_ids, chunk.frames[:0].copy(), chunk.status, chunk.seconds))

    def _judge_flips(self, grey: NDArray[np.uint8]) -> None:
        if self._flips is None or self._settings.flip_engine is None:
            self._turned.add(np.zeros(len(grey), np.bool_))
            return
        with self._settings.stopwatch.phase("flip", grey.nbytes):
            self._turned.add(self._flips.push(grey, self._settings.flip_engine.probabilities(grey)))
        self._refuse(ended=False)

    def _refuse(self, ended: bool) -> None:
        reason = self._flips.refusal(ended) if self._flips is not None else None
        if reason is not None:
            raise CorrectionRefused(reason)

    def _release(self) -> Iterator[Cleaned]:
        """The waiting frames that are judged by now, upright."""
        judged = self._turned.ready if self._gaps is None else min(self._turned.ready, self._noisy.ready)
        while judged:
            frames = self._waiting.pop(0)
            if len(frames) > judged:
                self._waiting.insert(0, frames[judged:])
                frames = frames[:judged]
            count = len(frames)
            judged -= count
            upright, damaged = _upright(frames, self._turned.take(count)), self._damaged.take(count)
            everything = np.ones(count, np.bool_)
            usable = everything if self._gaps is None else self._gaps.usable(damaged | self._noisy.take(count))
            yield Cleaned(upright, usable)
        if self._gaps is None:
            self._noisy.take(self._noisy.ready)


def clean_video(
    video: Video,
    settings: CleanSettings,
    flip: FlipMode,
    chunks: Iterable[Chunk],
    again: Callable[[], Iterable[Chunk]],
) -> Iterator[tuple[CleanStage, Cleaned]]:
    """Yields the frames of a whole video, each with the stage that cleaned them.

    Where its flip correction is refused, the video is read again without: then another stage comes with its frames from
    the start, and those of the stage before are void.

    Args:
        video: for messages and its length.
        settings: how frames are cleaned.
        flip: as of `CleanStage`.
        chunks: the frames.
        again: gives them once more, from the start.

    Raises:
        DecodeError: see `Repair`.
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


class _Decisions:
    """Yes or no for each frame, in order: all of them, and those that wait to be acted on."""

    def __init__(self) -> None:
        self._all: list[NDArray[np.bool_]] = []
        self._ready = np.zeros(0, np.bool_)

    @property
    def ready(self) -> int:
        """How many wait."""
        return len(self._ready)

    def add(self, some: NDArray[np.bool_]) -> None:
        """The decisions for the next frames."""
        self._all.append(some)
        self._ready = np.concatenate([self._ready, some])

    def take(self, count: int) -> NDArray[np.bool_]:
        """The first `count` that wait."""
        taken, self._ready = self._ready[:count], self._ready[count:]
        return taken

    def all(self) -> NDArray[np.bool_]:
        """bool[N]."""
        return np.concatenate(self._all)


def grey_frames(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey frames u8[n, H, W] as they are; of RGB frames u8[n, H, W, 3] their BT.601 luma."""
    if frames.ndim == 3:
        return frames
    import cv2

    grey = np.empty(frames.shape[:3], np.uint8)
    for frame, into in zip(frames, grey, strict=True):
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY, dst=into)
    return grey


def _upright(frames: NDArray[np.uint8], turned: NDArray[np.bool_]) -> NDArray[np.uint8]:
    if not turned.any():
        return frames
    upright = frames.copy()
    upright[turned] = frames[turned, ::-1]
    return upright
