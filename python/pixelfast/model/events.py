"""How often normal footage comes how high: counted in what was held out, estimated beyond that."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ArgumentError

ASSUMED_FPS: Final = 25.0
"""Frames a second of footage that does not say it: by these an hour is counted."""

MOST_HOURS: Final = 1e6
"""A hundred years: nothing says how rare what comes less often is."""

_SECONDS: Final = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0, "week": 604_800.0}
_TOP: Final = 24
"""Events of the upper tail, at most, that the estimate beyond is made from."""
_DENSE, _STEP = 64, 1.05
"""So many counts are kept one by one; of those above, each so many times the one before."""


class EventRate(NamedTuple):
    """So many events in so many frames, or in so many seconds; the other one is None."""

    events: float
    frames: float | None
    seconds: float | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads "1/hour", "3/day", "2/30minutes" or "1/500frames".

        Raises:
            ArgumentError: it is none of these, or no rate above 0.

        Examples:
            >>> from pixelfast.model.events import EventRate
            >>> EventRate.parse("3/day"), EventRate.parse("1/500frames").a_frame(25.0)
            (EventRate(events=3.0, frames=None, seconds=86400.0), 0.002)
        """
        number = r"(\d+(?:\.\d+)?)"
        found = re.fullmatch(rf"{number} ?/ ?{number}? ?(frame|{'|'.join(_SECONDS)})s?", str(text).strip().lower())
        if found is None or min(events := float(found[1]), many := float(found[2] or 1)) <= 0:
            raise ArgumentError(
                f"alarm_rate must be events in some time or frames, as 1/hour, 3/day or 1/500frames, not {text!r}"
            )
        return cls(events, many, None) if found[3] == "frame" else cls(events, None, many * _SECONDS[found[3]])

    def a_frame(self, fps: float) -> float:
        """Returns the events a frame, at so many frames a second."""
        frames = self.frames if self.seconds is None else self.seconds * fps
        assert frames is not None, "one of both is known"
        return self.events / frames


@dataclass(frozen=True)
class EventCurve:
    """How many events held-out normal footage gives above how high a level.

    An event is a run of frames of one piece of footage whose smoothed raw scores are above the level.

    Attributes:
        frames: how many were held out.
        counts: of events, from 0, rising.
        levels: falling: above each, and above all that are higher, there are at most so many events.
        fps: frames a second of that footage; None where it is not known.

    Examples:
        >>> import numpy as np
        >>> from pixelfast.model.events import EventCurve
        >>> curve = EventCurve.of([np.array([0.0, 3.0, 0.0, 2.0, 0.0, 1.0])], fps=25.0)
        >>> curve.counts, curve.levels
        ((0.0, 1.0, 2.0, 3.0), (3.0, 2.0, 1.0, 0.0))
    """

    frames: int
    counts: tuple[float, ...]
    levels: tuple[float, ...]
    fps: float | None = None

    @classmethod
    def of(cls, pieces: list[NDArray[np.float64]], fps: float | None) -> Self:
        """Counts the events of pieces f64[n] of smoothed raw scores, each of neighbouring frames, at every level."""
        # A run begins at each step upwards, for the levels from the lower value to below the higher one.
        before = np.concatenate([np.concatenate([[-np.inf], piece[:-1]]) for piece in pieces if len(piece)])
        after = np.concatenate(pieces)
        upwards = after > before
        tops, feet = np.sort(after[upwards]), np.sort(before[upwards])
        levels = np.unique(after)[::-1]
        # Just below each value, the highest first.
        runs = (len(tops) - np.searchsorted(tops, levels)) - (len(feet) - np.searchsorted(feet, levels))
        most = np.maximum.accumulate(runs)
        counts = _kept(int(most[-1]))
        # The highest level just below which there are more events than so many.
        at = np.searchsorted(most, counts, side="right")
        kept = np.append(levels, levels[-1])[at]
        return cls(len(after), tuple(map(float, counts)), tuple(kept.tolist()), fps)

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Takes what `dataclasses.asdict` and JSON made of one; LookupError, TypeError or ValueError: none."""
        counts, levels = (tuple(map(float, plain[name])) for name in ("counts", "levels"))
        curve = cls(int(plain["frames"]), counts, levels, plain["fps"])
        if not curve.is_sound():
            raise ValueError("counts and levels of events that do not go together")
        return curve

    def is_sound(self) -> bool:
        """Says whether counts rise from 0 while levels fall, all finite, and there are frames."""
        counts, levels = np.array(self.counts), np.array(self.levels)
        alike = len(counts) == len(levels) > 0 and self.frames > 0 and (self.fps is None or self.fps > 0)
        finite = alike and bool(np.isfinite(counts).all() and np.isfinite(levels).all())
        return finite and counts[0] == 0 and bool((np.diff(counts) > 0).all() and (np.diff(levels) <= 0).all())

    def with_more(self, other: "EventCurve") -> Self:
        """Returns what both pieces of footage show together.

        Examples:
            >>> import numpy as np
            >>> from pixelfast.model.events import EventCurve
            >>> one, two = (EventCurve.of([np.array(some)], fps=25.0) for some in ([0.0, 3.0, 0.0], [0.0, 2.0]))
            >>> both = one.with_more(two)
            >>> both.frames, both.counts, both.levels
            (5, (0.0, 1.0, 2.0), (3.0, 2.0, 0.0))
        """
        levels = np.unique([*self.levels, *other.levels])[::-1]
        totals = self._above(levels) + other._above(levels)
        counts, at = np.unique(totals[::-1], return_index=True)  # of each count the lowest level
        lowest = levels[::-1][at]
        return replace(
            self, frames=self.frames + other.frames, counts=tuple(counts.tolist()), levels=tuple(lowest.tolist())
        )

    def _above(self, levels: NDArray[np.float64]) -> NDArray[np.float64]:
        """The events above each level, at most."""
        at = np.searchsorted(-np.array(self.levels), -levels).clip(0, len(self.counts) - 1)
        found: NDArray[np.float64] = np.array(self.counts)[at]
        return found

    @property
    def pace(self) -> float:
        """Returns the frames a second that an hour is counted by."""
        return ASSUMED_FPS if self.fps is None else self.fps

    def level(self, rate: EventRate) -> float:
        """Returns the smoothed raw score above which normal footage gives events at a rate.

        Examples:
            >>> import numpy as np
            >>> from pixelfast.model.events import EventCurve, EventRate
            >>> curve = EventCurve.of([np.random.default_rng(0).exponential(size=10_000)], fps=25.0)
            >>> round(curve.level(EventRate.parse("1/100frames")), 1), round(curve.level(EventRate.parse("1/hour")), 1)
            (4.6, 10.5)
        """
        expected = rate.a_frame(self.pace) * self.frames
        tail = self._tail
        if expected < tail.events:
            return tail.start + tail.scale * math.log(tail.events / expected)
        return float(np.interp(expected, self.counts, self.levels))

    def said(self, alarm_rate: str) -> str:
        """Returns what a level for a rate rests on, as a clause.

        Examples:
            >>> import numpy as np
            >>> from pixelfast.model.events import EventCurve
            >>> EventCurve.of([np.arange(1000.0)], fps=25.0).said("1/hour")
            '1/hour, extrapolated: 1,000 held-out frames hold no event as high'
        """
        held_out = f"{self.frames:,} held-out frames"
        beyond = self.is_beyond(self.level(EventRate.parse(alarm_rate)))
        return f"{alarm_rate}, {f'extrapolated: {held_out} hold no event as high' if beyond else f'by {held_out}'}"

    def often(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Returns f64[n], the events a frame that normal footage gives above each of values [n]; f64 max where never.

        Examples:
            >>> import numpy as np
            >>> from pixelfast.model.events import EventCurve
            >>> curve = EventCurve.of([np.random.default_rng(0).exponential(size=10_000)], fps=25.0)
            >>> curve.often(np.array([4.6, 9.2])).round(4).tolist()
            [0.0096, 0.0001]
        """
        some, tail = np.asarray(values, np.float64), self._tail
        counted = np.interp(some, self.levels[::-1], self.counts[::-1])
        beyond = tail.events * np.exp(-np.maximum(some - tail.start, 0) / tail.scale)
        return np.where(some > tail.start, beyond, counted) / self.frames

    def hours(self, value: float) -> float:
        """Returns once in how many hours normal footage comes above a value: at most `MOST_HOURS`.

        Examples:
            >>> import numpy as np
            >>> from pixelfast.model.events import EventCurve
            >>> round(EventCurve.of([np.random.default_rng(0).exponential(size=90_000)], fps=25.0).hours(11.4), 1)
            1.2
        """
        a_frame = float(self.often(np.array([value]))[0])
        return min(1 / max(a_frame * self.pace * 3600, 1e-300), MOST_HOURS)

    def is_beyond(self, value: float) -> bool:
        """Says whether the footage that was held out holds no event above a value: what is said of it is extrapolated.

        Examples:
            >>> import numpy as np
            >>> from pixelfast.model.events import EventCurve
            >>> curve = EventCurve.of([np.arange(1000.0)], fps=None)
            >>> curve.is_beyond(500.0), curve.is_beyond(2000.0)
            (False, True)
        """
        return value >= self.levels[0]

    @cached_property
    def _tail(self) -> "_Tail":
        """The upper tail, as exponential: the mean by which the highest events exceed the level where it starts."""
        count = max(1, min(_TOP, int(self.counts[-1]) // 3))
        start = float(np.interp(count, self.counts, self.levels))
        over = [level - start for level, one in zip(self.levels, self.counts, strict=True) if one < count]
        least = 1e-3 * abs(self.levels[0]) + 1e-12  # where all are alike
        return _Tail(float(count), start, max(float(np.mean(over)) if over else 0.0, least))


class _Tail(NamedTuple):
    """So many `events` above `start`; their number falls to 1/e for each `scale` above it."""

    events: float
    start: float
    scale: float


def _kept(most: int) -> NDArray[np.int64]:
    """The counts that are kept, from 0 to `most`."""
    found = [*range(min(most, _DENSE) + 1)]
    while found[-1] < most:
        found.append(min(most, math.ceil(found[-1] * _STEP)))
    return np.array(found)
