"""How the watching stands, for whoever asks, from any thread."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from pixelfast.jobs.watching.events import WatchEvent

MOST_EVENTS: Final = 50
_RATE_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Standing:
    """How the watching stands.

    Attributes:
        video: what is watched, without passwords.
        threshold: what smoothed raw scores must be above.
        live: whether frames come at their own pace, not from a file.
        connected: whether frames come.
        ended: whether watching has ended.
        frames: how many have a score.
        dropped: how many were dropped, as scoring was too slow for them.
        reconnects: how often a lost connection was made again.
        last: the last smoothed raw score; None before the first.
        events: how many there were, one that goes on included.
        seconds: how long it has been watching.

    Examples:
        >>> watch = pixelfast.watch("cam1.mp4", "model", threshold=0.0)
        >>> events = list(watch)
        >>> watch.standing().frames, watch.standing().events
        (40, 1)
    """

    video: str
    threshold: float
    live: bool
    connected: bool = False
    ended: bool = False
    frames: int = 0
    dropped: int = 0
    reconnects: int = 0
    last: float | None = None
    events: int = 0
    seconds: float = 0.0


@dataclass
class Board:
    """Where the watching writes how it stands, and the page reads it.

    Attributes:
        standing: as it was last told, but for the seconds.
    """

    standing: Standing
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _shown: deque[tuple[WatchEvent, bytes | None]] = field(default_factory=lambda: deque(maxlen=MOST_EVENTS))
    _passed: deque[tuple[float, int]] = field(default_factory=deque)  # when so many frames were done
    _began: float = field(default_factory=time.monotonic)

    def tell(self, *, frames: int = 0, **facts: object) -> None:
        """Takes what has changed, and how many more frames have a score."""
        now = time.monotonic()
        with self._lock:
            all_frames = self.standing.frames + frames
            self.standing = replace(self.standing, frames=all_frames, **facts)  # type: ignore[arg-type]
            if not self._passed or now - self._passed[-1][0] >= 1.0:
                self._passed.append((now, self.standing.frames))
            while now - self._passed[0][0] > _RATE_SECONDS + 1.0:
                self._passed.popleft()

    def now(self) -> Standing:
        """Returns how it stands, up to this moment."""
        with self._lock:
            return replace(self.standing, seconds=time.monotonic() - self._began)

    def show(self, event: WatchEvent, picture: bytes | None) -> None:
        """Takes an event, or what has become of the last one."""
        with self._lock:
            if self._shown and self._shown[-1][0].start == event.start:
                self._shown.pop()
            else:
                self.standing = replace(self.standing, events=self.standing.events + 1)
            self._shown.append((event, picture))

    def events(self) -> list[WatchEvent]:
        """Returns the last events, the newest first."""
        with self._lock:
            return [event for event, _ in reversed(self._shown)]

    def picture(self, start: int) -> bytes | None:
        """Returns the picture of the event that starts at a frame; None where there is none."""
        with self._lock:
            return next((picture for event, picture in self._shown if event.start == start), None)

    def rate(self) -> float:
        """Returns how many frames a second got a score in the last seconds."""
        now = time.monotonic()
        with self._lock:
            recent = [one for one in self._passed if now - one[0] <= _RATE_SECONDS + 1.0]
            if not recent or now - recent[0][0] < 0.5:
                return 0.0
            return (self.standing.frames - recent[0][1]) / (now - recent[0][0])
