"""Watching a camera: events as they happen; what `pixelfast.watch` does."""

import logging
import time
from collections.abc import Generator
from contextlib import closing
from datetime import datetime
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from pixelfast.arguments import checked, flag, number, path, text, whole
from pixelfast.errors import EngineError
from pixelfast.jobs.line import Line, calibration_of
from pixelfast.jobs.watching.album import packer
from pixelfast.jobs.watching.board import Board, Standing
from pixelfast.jobs.watching.desk import Actions, Desk
from pixelfast.jobs.watching.events import WatchEvent
from pixelfast.machine.forks import check_not_foreign, work_under_way
from pixelfast.machine.memory import give_back_memory
from pixelfast.methods.settings import Settings
from pixelfast.notes import Notes, shown
from pixelfast.options import USUAL_RATE, FlipMode, How, Pool
from pixelfast.pipeline.live import LiveLevel, live_frames
from pixelfast.pipeline.scoring import Stages
from pixelfast.scores.files import make_folder
from pixelfast.sources.camera import CameraAddress, CameraSource, camera_of
from pixelfast.sources.feed import Feed
from pixelfast.sources.pace import live_pace
from pixelfast.sources.reader import CameraVideo, ReadPlan

CHUNK: Final = 16
"""Frames to a call of the engine: few, so that results come soon."""

_PAGE_WIDTH: Final = 640
_TIDY_SECONDS: Final = 60.0
_log = logging.getLogger("pixelfast")


@checked(threshold=number, save_events=path, on_event=text, page=partial(whole, least=0, most=65_535), keep_trying=flag)
def watch(
    source: CameraSource,
    model: str | PathLike[str],
    *,
    alarm_rate: str = USUAL_RATE,
    threshold: float | None = None,
    save_events: str | PathLike[str] | None = None,
    on_event: str | None = None,
    page: int | None = None,
    keep_trying: bool = False,
    stride: int | None = None,
    how: How = "mean",
    pool: Pool = "mean",
    smooth: int | None = None,
    flip: FlipMode = "auto",
    threads: int | None = None,
    chunk: int = CHUNK,
    orientation: bool | None = None,
    deinterlace: bool | None = None,
    sample_fps: float | None = None,
) -> "Watch":
    """Watches a camera, a stream or a file, and gives each event as it happens.

    Events are the runs of frames above the threshold that `Scores.events` finds in a file of the same frames, and come
    as late as `Scorer.stream` says: a window and a chunk, or some 35 to 50 frames, after they ended; density that was
    trained without `live=True` looks ahead some 300. One that lasts longer than 10 seconds comes then, with `end` None,
    and not again. A live source is never held up: where scoring is too slow, frames are dropped and counted, which is
    said; of a file none is. A connection that is lost, or sends nothing for 10 seconds, is made again after 1, 2, 4 and
    at last every 60 seconds, and said; whatever frames are missing, what comes after them is scored as a new video.
    Passwords in an address are never printed.

    Args:
        source: rtsp://… or http://… (what FFmpeg reads), the number of a camera of this machine (0), or a video file.
        model: a model folder, or an engine file, as in `score`.
        alarm_rate: events that normal footage may give, as "1/hour", "3/day" or "1/500frames": sets the threshold.
        threshold: instead of a rate, in the units of `raw`; None takes that of the rate.
        save_events: a folder to save events in: `<stem>.mp4` (from 3 seconds before to 3 after, a minute at most),
            `<stem>.jpg` of the peak, and `<stem>.json`. A full disk is said, and watching goes on.
        on_event: a command for the shell, run beside the watching for each event, whose JSON it gets on stdin; at most
            4 at once, and a minute each.
        page: a port of 127.0.0.1 at which a browser sees the last events, and how it stands; 0 takes a free one.
        keep_trying: try again, too, where the first connection cannot be made, as after a power cut; without it that is
            an error.
        stride: as in `score`, and so is all that follows.
        how: over the windows that hold a frame.
        pool: over the cells of a frame.
        smooth: frames (odd) of the centred mean.
        flip: what is done about upside-down frames; "auto" as in `Scorer.stream`.
        threads: for decoding and for the engine, each.
        chunk: frames to a call of the engine: the fewer, the sooner events come.
        orientation: whether pictures are turned as they say.
        deinterlace: whether interlaced pictures are made whole.
        sample_fps: frames a second to score of a source that has more.

    Returns:
        An iterator over the events, which works while it is iterated; `stop()` ends it gently.

    Raises:
        SourceError: the source is a folder, or not there; where it is iterated, that it cannot be reached at first.
        EngineError: the engine cannot be loaded, or there is no threshold for it.
        ModelError: the model folder is damaged.
        OutputError: the folder cannot be written, or the port is taken.
        ArgumentError: an argument cannot be.

    Examples:
        >>> for event in pixelfast.watch("cam1.mp4", "model", threshold=0.0):
        ...     print(event.video, event.start, event.end)
        cam1.mp4 0 39
    """
    settings = Settings(
        stride, how, pool, smooth, flip, "insist", chunk, orientation=orientation, deinterlace=deinterlace,
        sample_fps=sample_fps, alarm_rate=alarm_rate,
    )  # fmt: skip
    line, camera = Line(model, settings, threads), camera_of(source)
    wanted = Actions(None if save_events is None else Path(save_events), on_event, page)
    if wanted.save_events is not None:
        make_folder(wanted.save_events)
    return Watch(camera, _opened(line, threshold), wanted, keep_trying=keep_trying)


class _Opened(NamedTuple):
    """A line with its engines, and what its raw scores are held against: what all stretches of frames go through."""

    line: Line
    stages: Stages
    level: LiveLevel
    threshold: float


def _opened(line: Line, threshold: float | None) -> _Opened:
    line.load()
    notes = Notes()
    _, stages = line.open(notes)
    job = line.job(notes)
    level = LiveLevel(job.smooth, calibration_of(job), line.settings.alarm_rate, threshold)
    if level.threshold is None:
        raise EngineError(
            f"{line.engine} has no threshold for these settings: give one with --threshold (threshold), in the units "
            "of raw, or watch with a model folder and its own settings"
        )
    return _Opened(line, stages, level, level.threshold)


class Watch:
    """An iterator over the events of a camera, which works while it is iterated; see `pixelfast.watch`.

    Examples:
        >>> with pixelfast.watch("cam1.mp4", "model", threshold=0.0) as watch:
        ...     for event in watch:
        ...         print(event.start, event.end)
        0 39
    """

    def __init__(self, camera: CameraAddress, opened: _Opened, wanted: Actions, *, keep_trying: bool) -> None:
        line, model = opened.line, opened.line.choice().model
        reading, notes = line.reading(), Notes()
        self._opened = opened
        self._desk = Desk(
            Board(Standing(camera.name, opened.threshold, camera.live)), wanted, self._tell, opened.level.curve
        )
        plan = ReadPlan(
            reading, line.threads, line.settings.chunk, opened.stages.method.frames,
            lambda rate: live_pace(
                camera.name, rate, None if model is None else model.manifest.rate, reading.sample_fps, notes
            ),
            packer(None if wanted.save_events is not None else _PAGE_WIDTH) if wanted.pictures else None,
        )  # fmt: skip
        self._feed = Feed(camera, plan, self._say, self._desk.took, keep_trying=keep_trying)
        self._events, self._tidied = self._run(), time.monotonic()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> WatchEvent:
        check_not_foreign(self._opened.line, "this watch")
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def stop(self) -> None:
        """Lets watching end gently: the events that are known by then still come. Any thread may call it.

        Examples:
            >>> watch = pixelfast.watch("cam1.mp4", "model", threshold=0.0)
            >>> watch.stop()
            >>> list(watch)
            []
        """
        self._feed.stop()

    def close(self) -> None:
        """Ends watching at once, on the thread that iterates; commands and files that are under way are waited for.

        Examples:
            >>> watch = pixelfast.watch("cam1.mp4", "model", threshold=0.0)
            >>> watch.close()
        """
        self._events.close()
        self._desk.close()

    def standing(self) -> Standing:
        """Returns how the watching stands; any thread may ask.

        Examples:
            >>> pixelfast.watch("cam1.mp4", "model", threshold=0.0).standing().frames
            0
        """
        return self._desk.board.now()

    def _run(self) -> Generator[WatchEvent, None, None]:
        try:
            with work_under_way(), closing(self._feed.stretches()) as stretches:
                for video in stretches:
                    yield from self._stretch(video)
        finally:
            self._feed.say_drops(ended=True)
            self._stand(ended=True)
            self._desk.close()

    def _stretch(self, video: CameraVideo) -> Generator[WatchEvent, None, None]:
        """The events of one stretch of frames."""
        opened, desk = self._opened, self._desk
        with closing(live_frames(video, opened.stages, opened.level)) as results:
            for result in results:
                self._stand(frames=1, last=result.smoothed)
                self._tidy()
                yield from desk.push(result)
        yield from desk.over()

    def _tidy(self) -> None:
        """Gives memory back now and then: a watch works for months."""
        if time.monotonic() - self._tidied > _TIDY_SECONDS:
            give_back_memory()
            self._tidied = time.monotonic()

    def _stand(self, *, frames: int = 0, **facts: object) -> None:
        feed = self._feed
        own = {"live": feed.live, "connected": feed.connected, "dropped": feed.dropped, "reconnects": feed.reconnects}
        self._desk.board.tell(frames=frames, **own, **facts)

    def _say(self, sentence: str) -> None:
        """Says what happens to the connection."""
        self._stand()
        self._tell(sentence)

    def _tell(self, sentence: str) -> None:
        _log.warning("%s", shown(f"{datetime.now():%Y-%m-%d %H:%M:%S} {sentence}"))
