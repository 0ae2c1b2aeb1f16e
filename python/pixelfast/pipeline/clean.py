"""The clean stage of one video, streaming: broken frames replaced, flipped frames turned, noise estimated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.engines import FlipEngine
from pixelfast.errors import SourceError
from pixelfast.pipeline.flip import FlipCorrector, FlipMode
from pixelfast.pipeline.noise import noisy_frames
from pixelfast.pipeline.stopwatch import Stopwatch
from pixelfast.sources import READ, Chunk, OnError, Repair, Video


class CorrectionRefused(Exception):  # noqa: N818 (not an error: the video is read again without correction)
    """The flip correction of this video must not stand; the message says why."""

    def sentence(self, video: Video) -> str:
        """What is said aloud about it."""
        return f"video {video.name} is left as it is, without flip correction: {self}; flip='always' insists"


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


class CleanStage:
    """Turns decoded chunks into frames for the engine and keeps the record of each frame.

    Args:
        video: for messages and its length.
        flip_engine: the flip classifier; None where the video cannot or shall not be corrected.
        flip: `never` leaves all frames, `auto` may refuse (see `pipeline.flip`), `always` insists.
        on_error: passed on to the repair.
        threads: threads of the noise estimate.
        stopwatch: gets the times of the `flip` and `noise` phases.
    """

    def __init__(
        self,
        video: Video,
        flip_engine: FlipEngine | None,
        *,
        flip: FlipMode,
        on_error: OnError,
        threads: int,
        stopwatch: Stopwatch,
    ) -> None:
        self._video = video
        self._repair = Repair(video, on_error)
        self._engine = flip_engine
        self._corrector = None if flip_engine is None or flip == "never" else FlipCorrector(flip, video.length)
        self._threads = threads
        self._stopwatch = stopwatch
        self._chunks: list[Chunk] = []
        self._turned: list[NDArray[np.bool_]] = []
        self._sigma: list[NDArray[np.float32]] = []

    def run(self, chunks: Iterable[Chunk]) -> Iterator[NDArray[np.uint8]]:
        """Yields the frames u8[m, H, W] of a whole video, readable and upright.

        Raises:
            CorrectionRefused: as soon as it is certain that the video must be left as it is.
            DecodeError: see `Repair`.
            SourceError: the video holds no frames.
        """
        size = None
        for chunk in self._repair.run(chunks):
            size = (chunk.frames.shape[1], chunk.frames.shape[2])
            self._note(chunk)
            yield self._correct(chunk.frames)
        if size is None:
            raise SourceError(f"video {self._video.name} holds no frames: leave it out")
        yield self._rest(*size)

    def status(self) -> NDArray[np.uint8]:
        """u8[N]: how each frame was decoded (`READ`, `TRUNCATED`, `UNREADABLE`); after `run` has ended."""
        return np.concatenate([chunk.status for chunk in self._chunks])

    def record(self) -> FrameRecord:
        """What was done to each frame; after `run` has ended."""
        seconds = [chunk.seconds for chunk in self._chunks]
        return FrameRecord(
            frame=np.concatenate([chunk.frame_ids for chunk in self._chunks]),
            flipped=np.concatenate(self._turned),
            repaired=self.status() != READ,
            noisy=noisy_frames(np.concatenate(self._sigma)),
            seconds=None if any(s is None for s in seconds) else np.concatenate([s for s in seconds if s is not None]),
        )

    def notes(self) -> list[str]:
        """Sentences about what was repaired."""
        sentence = self._repair.sentence()
        return [] if sentence is None else [sentence]

    def _note(self, chunk: Chunk) -> None:
        with self._stopwatch.phase("noise"):
            self._sigma.append(_core.noise_sigma(chunk.frames, self._threads))
        # Without its pixels: the record must not hold the video.
        self._chunks.append(Chunk(chunk.frame_ids, chunk.frames[:0].copy(), chunk.status, chunk.seconds))

    def _correct(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._corrector is None or self._engine is None:
            self._turned.append(np.zeros(len(frames), np.bool_))
            return frames
        with self._stopwatch.phase("flip"):
            upright, turned = self._corrector.push(frames, self._engine.probabilities(frames))
        self._turned.append(turned)
        self._refuse(ended=False)
        return upright

    def _rest(self, height: int, width: int) -> NDArray[np.uint8]:
        if self._corrector is None:
            return np.zeros((0, height, width), np.uint8)
        upright, turned = self._corrector.finish(height, width)
        self._turned.append(turned)
        self._refuse(ended=True)
        return upright

    def _refuse(self, ended: bool) -> None:
        reason = self._corrector.refusal(ended) if self._corrector is not None else None
        if reason is not None:
            raise CorrectionRefused(reason)
