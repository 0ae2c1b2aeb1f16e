"""The frames of a camera, over every loss of the connection: what is watched."""

import time
from collections.abc import Callable, Generator
from typing import Final

from pixelfast.errors import SourceError
from pixelfast.sources.camera import STALL_SECONDS, CameraAddress
from pixelfast.sources.reader import CameraVideo, Over, Reader, ReadPlan, Taken

_LOOK_SECONDS: Final = 0.1
"""How soon it is noticed that watching shall end."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_STUCK_SECONDS: Final = 3 * STALL_SECONDS
"""Without a frame for so long a connection counts as lost, whatever FFmpeg waits for."""

_SAY_DROPS: Final = 60.0


class Feed:
    """Reads a camera, connects again where it is lost, and says so.

    Attributes:
        connected: whether frames come.
        live: whether frames come at their own pace; a file's do not.
        reconnects: how often a lost connection was made again.
        seconds: of the last frame, since the first of all.
    """

    def __init__(
        self,
        camera: CameraAddress,
        plan: ReadPlan,
        tell: Callable[[str], None],
        took: Callable[[Taken], None],
        *,
        keep_trying: bool,
    ) -> None:
        """Connects to nothing yet.

        Args:
            camera: what is read.
            plan: how.
            tell: takes sentences about what happens.
            took: takes each frame, before the method does.
            keep_trying: whether the first connection is tried again and again, too.
        """
        self.connected, self.live, self.reconnects, self.seconds = False, camera.live, 0, 0.0
        self._camera, self._plan, self._tell, self._took = camera, plan, tell, took
        self._keep_trying, self._stopped = keep_trying, False
        self._pause, self._number, self._dropped = _FIRST_PAUSE, 0, 0
        self._first: float | None = None  # when the first frame came, by a clock that never jumps
        self._told_dropped, self._told_at = 0, -_SAY_DROPS
        self._reader: Reader | None = None
        self._ever = False
        self._marker: CameraVideo | Over | None = None  # was taken, and is not gone on with

    @property
    def dropped(self) -> int:
        """Returns how many frames were dropped, as scoring was too slow for them."""
        return self._dropped + (0 if self._reader is None else self._reader.dropped)

    def stop(self) -> None:
        """Lets the frames end soon; any thread and a signal's handler may call it."""
        self._stopped = True

    def stretches(self) -> Generator[CameraVideo, None, None]:
        """Yields each stretch of frames, to be gone through before the next one is asked for.

        Raises:
            SourceError: the camera cannot be reached at first, or a file not be read.
        """
        while not self._stopped:
            over = yield from self._connection()
            if self._stopped:
                return
            fault = f"{self._camera.name} is lost ({over.fault or 'its sender ended it'})"
            if not self.live:
                if over.fault is not None:
                    self._tell(f"{self._camera.name} cannot be read further ({over.fault}): it is cut off or damaged")
                return
            self._tell(f"{over.error or fault}; trying again in {self._pause:g} s")
            self._wait(self._pause)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def say_drops(self, *, ended: bool = False) -> None:
        """Says how many frames were dropped since that was last said, at most once a minute."""
        dropped, now = self.dropped, time.monotonic()
        if dropped > self._told_dropped and (ended or now - self._told_at >= _SAY_DROPS):
            self._tell(f"scoring is too slow: {dropped - self._told_dropped:,} frames were dropped and have no score")
            self._told_dropped, self._told_at = dropped, now

    def _connection(self) -> Generator[CameraVideo, None, Over]:
        """The stretches of one connection; returns how it ended, where that is no error to be raised."""
        reader = self._reader = Reader(self._camera, self._plan, self._number, self._begin)
        self._marker = None
        try:
            while not isinstance(marker := self._next_marker(reader), Over):
                marker.following = lambda: self._following(reader)
                yield marker
        finally:
            reader.leave()
            self._number, self._dropped, self._reader = reader.number, self.dropped, None
            self.live, self.connected = reader.live, False
        if marker.error is None or (isinstance(marker.error, SourceError) and self._may_try_again()):
            return marker
        raise marker.error

    def _may_try_again(self) -> bool:
        return self.live and (self._first is not None or self._keep_trying)

    def _begin(self) -> float:
        """The seconds of a connection's first frame, which is there."""
        now = time.monotonic()
        if self._first is None:
            self._first = now
            return 0.0
        return max(now - self._first, self.seconds + 0.001)

    def _following(self, reader: Reader) -> Taken | None:
        if self._marker is not None:
            return None
        item = self._item(reader)
        if not isinstance(item, Taken):
            self._marker = item
            return None
        before, self.connected = self.connected, True
        if reader.live and not before:
            self._connects()
        self.seconds, self._pause = item.seconds, _FIRST_PAUSE
        self._took(item)
        return item

    def _connects(self) -> None:
        self.reconnects += self._ever
        self._tell(f"{self._camera.name} is there{' again' if self._ever else ''}")
        self._ever = True

    def _next_marker(self, reader: Reader) -> CameraVideo | Over:
        while (marker := self._marker) is None:
            item = self._item(reader)
            self._marker = None if isinstance(item, Taken) else item
        self._marker = None
        return marker

    def _item(self, reader: Reader) -> CameraVideo | Taken | Over:
        """The next that the reader has; an end where it has nothing for too long, or watching shall end."""
        since = time.monotonic()
        while not self._stopped:
            if (item := reader.belt.take(_LOOK_SECONDS)) is not None:
                return item
            self.say_drops()
            if reader.live and time.monotonic() - since > _STUCK_SECONDS:
                return Over(f"no picture for {_STUCK_SECONDS:g} seconds")
        return Over(None)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopped and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
