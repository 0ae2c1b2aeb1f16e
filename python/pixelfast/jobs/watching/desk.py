"""Where results become events, and each event goes where it is wanted: to the caller, a command, a folder, the page."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from pixelfast.jobs.watching.album import Album, KeptPicture
from pixelfast.jobs.watching.board import Board
from pixelfast.jobs.watching.clips import Clips, stem_of
from pixelfast.jobs.watching.commands import Commands
from pixelfast.jobs.watching.events import TOLD_AFTER_SECONDS, Runs, WatchEvent
from pixelfast.model.events import EventCurve
from pixelfast.pipeline.live import LiveFrame
from pixelfast.sources.reader import Taken


@dataclass(frozen=True)
class Actions:
    """What is done with events besides telling them.

    Attributes:
        save_events: the folder for clips, pictures and JSON; None for none.
        on_event: the command that is run; None for none.
        page: the port of the page; None for none, 0 for any that is free.
    """

    save_events: Path | None = None
    on_event: str | None = None
    page: int | None = None

    @property
    def pictures(self) -> bool:
        """Returns whether pictures are kept."""
        return self.save_events is not None or self.page is not None


class Desk:
    """Takes each frame as it comes and its result when that is known; gives the events.

    Attributes:
        board: how it stands.
    """

    def __init__(
        self, board: Board, wanted: Actions, tell: Callable[[str], None], curve: EventCurve | None = None
    ) -> None:
        self.board = board
        self._runs = Runs(board.standing.video, board.standing.threshold, curve)
        self._folder, self._live = wanted.save_events, board.standing.live
        self._come: deque[tuple[int, float, float]] = deque()  # number, seconds and clock of frames without result
        self._seconds = 0.0  # of the last that has come
        self._album, self._told = Album(), False
        self._picture: bytes | None = None  # of the peak so far
        self._closing = ExitStack()
        self._clips = None if wanted.save_events is None else Clips(self._album, tell, live=self._live)
        self._commands = None if wanted.on_event is None else Commands(wanted.on_event, tell)
        for one in (self._commands, self._clips):
            if one is not None:
                self._closing.callback(one.close)
        if wanted.page is not None:
            from pixelfast.jobs.watching.server import PageServer

            server = PageServer(board, wanted.page)
            self._closing.callback(server.close)
            tell(f"the last events are shown at {server.address}")

    def took(self, frame: Taken) -> None:
        """Takes a frame that has come."""
        self._come.append((frame.number, frame.seconds, frame.clock))
        self._seconds = frame.seconds
        if frame.picture is not None:
            self._album.add(KeptPicture(frame.number, frame.seconds, frame.picture))

    def push(self, result: LiveFrame) -> Iterator[WatchEvent]:
        """Takes the next frame's result; yields what is to be told."""
        number, seconds, clock = self._come.popleft()
        assert number == result.frame, "results come in order"
        time = datetime.fromtimestamp(clock, UTC).astimezone() if self._live else None
        if (ended := self._runs.push(result, seconds, time)) is not None:
            yield from self._ended(ended)
        if (now := self._runs.now) is not None:
            yield from self._goes_on(self._named(now), number)
        if self._clips is not None:
            self._clips.come(self._seconds)
            self._album.forget(self._clips.needed_from(seconds, self._runs.now))
        else:
            self._album.forget(seconds)

    def over(self) -> Iterator[WatchEvent]:
        """Ends a stretch of frames; yields what is to be told."""
        if (ended := self._runs.finish()) is not None:
            yield from self._ended(ended)
        if self._clips is not None:
            self._clips.come(self._seconds, over=True)
        self._come.clear()
        self._album.forget(inf)

    def close(self) -> None:
        """Waits for commands and files, and shows the page no more."""
        self._closing.close()

    def _goes_on(self, now: WatchEvent, number: int) -> Iterator[WatchEvent]:
        self._told &= now.start != number
        if now.peak == number:
            self._picture = self._album.at(number)
            self.board.show(now, self._picture)
        if self._clips is not None:
            self._clips.goes_on(now, self._picture)
        if not self._told and now.lasts >= TOLD_AFTER_SECONDS:
            self._told = True
            yield self._tell(now)

    def _ended(self, event: WatchEvent) -> Iterator[WatchEvent]:
        event = self._named(event)
        self.board.show(event, self._picture)
        if self._clips is not None:
            self._clips.ended(event, self._picture)
        if not self._told:
            yield self._tell(event)

    def _tell(self, event: WatchEvent) -> WatchEvent:
        if self._commands is not None:
            self._commands.run(event)
        return event

    def _named(self, event: WatchEvent) -> WatchEvent:
        return event if self._folder is None else event._replace(saved=str(stem_of(event, self._folder)))
