"""Runs of frames above the threshold, as results come."""

import json
from datetime import datetime
from math import inf
from typing import Any, Final, NamedTuple

from pixelfast.model.events import EventCurve
from pixelfast.pipeline.live import LiveFrame
from pixelfast.scores.moments import rarity_of
from pixelfast.scores.words import clock, place

TOLD_AFTER_SECONDS: Final = 10.0
"""An event that lasts longer is told before it has ended."""


class WatchEvent(NamedTuple):
    """A run of neighbouring frames above the threshold, as `Scores.events` finds them, `start` and `end` included.

    `video` is what is watched, without passwords. Frames are numbered from 0, those that were dropped or left out
    included; `end` is None where the event goes on. `seconds` is the start's time since the first frame, `lasts` how
    many seconds the event lasts so far, `time` the time of the day at which its first frame came, None of a file.
    `value` is the highest smoothed raw score, at frame `peak`; normal footage comes as high once in so many `hours`,
    and `extrapolated` says that what training held out shows no event as high: None where nobody counted. Where the
    method says it: why, which of its streams, and where, in shares of the picture's width and height, at the peak; else
    None. `saved` is what the names of its files begin with, where they are saved.

    Examples:
        >>> event = next(iter(pixelfast.watch("cam1.mp4", "model", threshold=0.0)))
        >>> event.video, event.start, event.end
        ('cam1.mp4', 0, 39)
    """

    video: str
    start: int
    end: int | None
    peak: int
    seconds: float
    lasts: float
    time: datetime | None
    value: float
    threshold: float
    reason: str | None = None
    stream: str | None = None
    where: tuple[float, float] | None = None
    saved: str | None = None
    hours: float | None = None
    extrapolated: bool | None = None

    def json(self) -> str:
        """Returns the event as a JSON object on one line; its time in ISO 8601, with the zone.

        Examples:
            >>> event = next(iter(pixelfast.watch("cam1.mp4", "model", threshold=0.0)))
            >>> event.json()
            '{"video": "cam1.mp4", "start": 0, "end": 39, ...}'
        """
        plain: dict[str, Any] = self._asdict()
        time = None if self.time is None else self.time.isoformat(timespec="milliseconds")
        hours = None if self.hours is None else float(f"{self.hours:.4g}")
        rounded = {"seconds": round(self.seconds, 3), "lasts": round(self.lasts, 3), "hours": hours}
        where = None if self.where is None else [round(share, 4) for share in self.where]
        return json.dumps({**plain, **rounded, "time": time, "where": where})

    def line(self) -> str:
        """Returns the event as a person reads it, on one line.

        Examples:
            >>> event = next(iter(pixelfast.watch("cam1.mp4", "model", threshold=0.0)))
            >>> event.line()
            '0:00:00  1.6 s  ...'
        """
        when = clock(self.seconds) if self.time is None else f"{self.time:%Y-%m-%d %H:%M:%S}"
        long = f"{self.lasts:.1f} s" + (", going on" if self.end is None else "")
        frames = f"frames {self.start} to {'…' if self.end is None else self.end}"
        why = [text for text in (None if self.where is None else place(*self.where), self.reason) if text]
        said = [when, long, frames, f"peak {self.value:.4g} (threshold {self.threshold:.4g})", ": ".join(why)]
        return "  ".join(filter(None, said))


class Runs:
    """Follows the results of one stretch after the other.

    Attributes:
        now: the event that goes on; None where none does.
    """

    def __init__(self, video: str, threshold: float, curve: EventCurve | None = None) -> None:
        self.now: WatchEvent | None = None
        self._video, self._threshold, self._curve = video, threshold, curve
        self._before: float | None = None  # seconds of the frame before
        self._step, self._last = 0.0, 0

    def push(self, frame: LiveFrame, seconds: float, time: datetime | None) -> WatchEvent | None:
        """Takes the next frame's result, with its times; returns the event that ended before it."""
        self._step = self._step if self._before is None else seconds - self._before
        self._before = seconds
        if not frame.above:
            return self.finish(forget=False)
        now = self.now or WatchEvent(
            self._video, frame.frame, None, frame.frame, seconds, 0.0, time, -inf, self._threshold
        )
        if frame.smoothed > now.value:
            hours, extrapolated = rarity_of(self._curve, frame.smoothed)
            now = now._replace(
                peak=frame.frame, value=frame.smoothed, reason=frame.reason, stream=frame.stream, where=frame.where,
                hours=hours, extrapolated=extrapolated,
            )  # fmt: skip
        self._last = frame.frame
        self.now = now._replace(lasts=seconds - now.seconds + self._step)
        return None

    def finish(self, *, forget: bool = True) -> WatchEvent | None:
        """Ends the event that goes on, and returns it; with `forget` the stretch ends, too."""
        ended = None if self.now is None else self.now._replace(end=self._last)
        self.now = None
        self._before = None if forget else self._before
        return ended
