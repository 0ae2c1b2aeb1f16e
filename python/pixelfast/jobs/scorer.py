"""A loaded model that scores again and again."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from typing import Any, Final, Self
from weakref import WeakSet

from pixelfast.arguments import checked, paths
from pixelfast.errors import ArgumentError, EngineError
from pixelfast.jobs.learn import Normal, learn_normal
from pixelfast.jobs.line import Line, calibration_of
from pixelfast.jobs.raw_scores import RawScores, raw_scores
from pixelfast.jobs.score import Request, gather, run
from pixelfast.machine.forks import check_not_foreign, is_foreign, work_under_way
from pixelfast.machine.stopwatch import Profile
from pixelfast.methods.settings import Settings
from pixelfast.model import Model
from pixelfast.notes import Notes
from pixelfast.options import USUAL_RATE, EngineInput, EngineRange, FlipMode, How, OnError, Pool
from pixelfast.pipeline.live import LiveFrame, LiveLevel, live_frames
from pixelfast.progress import ProgressCallback
from pixelfast.scores import Scores
from pixelfast.scores.files import Out
from pixelfast.sources import Source
from pixelfast.sources.live import LiveFrames, LiveVideo

_END: Final[Any] = object()


class Scorer:
    """A model whose engines are loaded once, and score again and again.

    Several threads may use one: their calls queue. A stream takes its turn only while it computes, and lets others go
    first while it waits for a frame or its results are not asked for, so that several streams and calls share one
    Scorer. A process that is forked has to open its own. Leaving a `with` block, or `close()`, frees the engines;
    without either they live as long as the Scorer.

    Args:
        engine: a model folder or an engine file, as in `score`.
        stride: as in `score`, and so is all that follows.
        how: over the windows that hold a frame.
        pool: over the cells of a frame.
        smooth: frames (odd) of the centred mean.
        flip: what is done about upside-down frames.
        on_error: what is done about unreadable frames.
        threads: for decoding and for the engine, each.
        chunk: frames to a call of the engine, at most 16,384: the fewer, the sooner a stream gives its results.
        engine_input: of somebody else's autoencoder.
        engine_range: likewise.
        orientation: whether pictures are turned as they say.
        depth: the bits that deep samples use.
        deinterlace: whether interlaced files are made whole.
        fps: frames a second of folders of frames.
        sample_fps: frames a second to score of footage that has more.
        alarm_rate: at which normal footage may give events.
        exact: of a model folder take the float32 engine, not the fastest one of this machine.

    Raises:
        EngineError: the engine cannot be loaded or does not fit.
        ModelError: the model folder is damaged.
        ArgumentError: an argument cannot be.

    Examples:
        >>> with pixelfast.Scorer("model") as scorer:
        ...     for video in ("new/01", "new/02"):
        ...         print(len(scorer.score(video)))
        40
        40
    """

    @checked()
    def __init__(
        self,
        engine: str | PathLike[str],
        *,
        stride: int | None = None,
        how: How = "mean",
        pool: Pool = "mean",
        smooth: int | None = None,
        flip: FlipMode = "auto",
        on_error: OnError = "repair",
        threads: int | None = None,
        chunk: int = 64,
        engine_input: EngineInput | None = None,
        engine_range: EngineRange | None = None,
        orientation: bool | None = None,
        depth: int | None = None,
        deinterlace: bool | None = None,
        fps: float | None = None,
        sample_fps: float | None = None,
        alarm_rate: str = USUAL_RATE,
        exact: bool = False,
    ) -> None:
        settings = Settings(
            stride, how, pool, smooth, flip, on_error, chunk, engine_input, engine_range, orientation, depth,
            deinterlace, fps, sample_fps, alarm_rate, exact,
        )  # fmt: skip
        line = Line(engine, settings, threads)
        line.load()
        self._lock = threading.Lock()
        self._holder: int | None = None
        self._streams = WeakSet[Iterator[LiveFrame]]()
        self._line: Line | None = line
        self._engine = line.engine

    def __repr__(self) -> str:
        return f"Scorer({str(self._engine)!r}{', closed' if self._line is None else ''})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @checked(out=paths)
    def score(
        self,
        source: Source,
        *,
        out: Out = None,
        events: str | PathLike[str] | None = None,
        parts: str | PathLike[str] | None = None,
        shard: str | None = None,
        maps: bool = False,
        progress: ProgressCallback | None = None,
        profile: Callable[[Profile], object] | None = None,
    ) -> Scores:
        """Gives every frame of some footage an anomaly score, as `pixelfast.score` does, but loads nothing again.

        The phases of the first call hold the loading, those of later ones do not.

        Args:
            source: as in `pixelfast.score`, and so is all that follows.
            out: files to write.
            events: a file of the events.
            parts: the folder of raw scores.
            shard: this machine's share.
            maps: keep the error maps in the parts.
            progress: told as frames are done.
            profile: told at the end where the time went.

        Raises:
            EngineError: the Scorer is closed, or the engine fails.
            SourceError, LostFootageError, DecodeError, OutputError, ArgumentError: as in `pixelfast.score`.

        Examples:
            >>> with pixelfast.Scorer("model") as scorer:
            ...     scorer.score("new", out="scores.parquet")
            Scores(2 videos, 80 frames, reconstruction)
        """
        with self._turn() as line:
            return run(source, line, Request(out, parts, shard, maps, progress, profile, events))

    @checked()
    def raw(self, source: Source, *, progress: ProgressCallback | None = None) -> RawScores:
        """Gives every frame of some footage its raw score alone, which depends on no other video.

        Raises:
            EngineError: the Scorer is closed, or the engine fails.
            SourceError, LostFootageError, DecodeError: as in `pixelfast.score`.

        Examples:
            >>> pixelfast.Scorer("model").raw("new")
            RawScores(2 videos, 80 frames, reconstruction)
        """
        with self._turn() as line:
            line.begin()
            found = gather(source, line, Request(progress=progress))
            raw = raw_scores(found.parts, found.job, found.notes, line.settings.alarm_rate)
        if found.lost:
            raise found.loss(raw.scores())
        return raw

    @checked(events=lambda _, value: value)
    def learn(
        self,
        source: Source,
        events: Scores | str | PathLike[str],
        normal: Normal,
        *,
        out: str | PathLike[str] | None = None,
        progress: ProgressCallback | None = None,
    ) -> Model:
        """Adds what a person calls normal to the model, as a new model folder, as `pixelfast.learn` does.

        This Scorer goes on with what it knows: open another one of the new model.

        Raises:
            EngineError: the Scorer is closed, or its engine belongs to no model.
            ArgumentError, SourceError, UnknownVideoError, ScoresError, OutputError: as in `pixelfast.learn`.

        Examples:
            >>> with pixelfast.Scorer("model") as scorer:
            ...     scores = scorer.score("new")
            ...     wiser = scorer.learn("new", scores, normal=1, out="wiser")
            >>> wiser.folder.name
            'wiser'
        """
        with self._turn() as line:
            model = line.choice().model
            if model is None:
                raise EngineError(f"{self._engine} belongs to no model, which could learn: open a model folder")
            return learn_normal(model, source, events, normal, out, threads=line.threads, progress=progress)

    def stream(self, frames: LiveFrames) -> Iterator[LiveFrame]:
        """Scores frames as they come, as from a camera: yields one result a frame, in order, as soon as it is known.

        Raw scores and marks are those that `score` gives of the same frames as files, whatever `chunk`; memory stays
        flat however long the stream is. A result comes at most a window and a chunk after its frame, or some 35 frames
        where that is more, as noise is judged by so many; motion, and density trained with `live=True`, take those 35
        to 50 frames, and density trained without it looks ahead some 300. What differs from `score`, as it would have
        to see the whole video first:

        - `flip="auto"` turns each frame as `score` does, but does not take that back where more than half of a video
          would be turned or the pixels contradict: after 500 frames a note is logged instead.
        - `frozen` is said from the frame on by which equal frames have lasted longer than a second (25 frames without
          times), not of those before. The motion method's `raw` of frozen frames is as it is; in `smoothed` the middle
          one of held-out normal frames stands for it, as in `Scores` that of the other frames. Density gives the
          results of a camera that is frozen when it moves again, and motion where it was frozen from the start.
        - The last results come when the frames end: where no whole window or no later frame is left, it is done as at
          the end of a video.

        Args:
            frames: grey u8[H, W] or RGB u8[H, W, 3] arrays, each alone or as (seconds, frame); may wait for the next
                one as long as it likes, and may reuse its arrays.

        Returns:
            An iterator to take from on one thread at a time, which is also the one that `frames` is iterated on. It may
            be left at any time.

        Raises:
            EngineError: the Scorer is closed (also while the stream is open), or the engine fails.
            ArgumentError: `frames` is no iterable; or a frame no such array, raised where the stream is iterated.
            SourceError: the frames change their size, and the method cannot bear it; likewise.

        Examples:
            >>> frames = (np.full((96, 160), level, np.uint8) for level in range(40))
            >>> with pixelfast.Scorer("model", flip="never") as scorer:
            ...     results = list(scorer.stream(frames))
            >>> len(results), results[39].frame
            (40, 39)
        """
        with self._turn() as line:
            if isinstance(frames, str | PathLike) or not isinstance(frames, Iterable):
                raise ArgumentError(f"a stream takes arrays as they come, not {frames!r}: `score` takes files")
            notes = Notes()
            _, stages = line.open(notes)
            job = line.job(notes)
            video = LiveVideo(self._outside(iter(frames)), line.settings.chunk)
            results = live_frames(video, stages, LiveLevel(job.smooth, calibration_of(job), line.settings.alarm_rate))
            self._streams.add(results)
        return self._in_turn(results)

    def close(self) -> None:
        """Frees the engines, when the call that is under way has ended; open streams end with an error. Twice is fine.

        Examples:
            >>> scorer = pixelfast.Scorer("model")
            >>> scorer.close()
            >>> try: scorer.score("new")
            ... except pixelfast.EngineError as error: print(error)
            this Scorer of model is closed: ...
        """
        if is_foreign(self._line):
            self._line = None
            return
        self._enter()
        try:
            self._line = None
            for stream in self._streams:
                with suppress(ValueError):  # one that waits for a frame: it finds out when that comes
                    stream.close()  # type: ignore[attr-defined]
        finally:
            self._leave()

    def _in_turn(self, results: Iterator[LiveFrame]) -> Iterator[LiveFrame]:
        """The same results; the engines are held only while the next one is computed."""
        while True:
            with self._turn():
                result = next(results, None)
            if result is None:
                return
            yield result

    def _outside(self, frames: Iterator[Any]) -> Iterator[Any]:
        """The same frames; others have their turn while the next one is waited for."""
        while True:
            self._leave()
            try:
                frame = next(frames, _END)
            finally:
                self._enter()
            self._open_line()
            if frame is _END:
                return
            yield frame

    @contextmanager
    def _turn(self) -> Iterator[Line]:
        self._enter()
        try:
            with work_under_way():
                yield self._open_line()
        finally:
            self._leave()

    def _open_line(self) -> Line:
        if self._line is None:
            raise EngineError(f"this Scorer of {self._engine} is closed: open another one, pixelfast.Scorer(...)")
        return self._line

    def _enter(self) -> None:
        check_not_foreign(self._line, f"this Scorer of {self._engine}")
        if self._holder == threading.get_ident():
            raise EngineError(
                "this Scorer is at work on this very thread, which would wait for itself: call it when that call is "
                "done, or open a second one"
            )
        self._lock.acquire()
        self._holder = threading.get_ident()

    def _leave(self) -> None:
        self._holder = None
        self._lock.release()
