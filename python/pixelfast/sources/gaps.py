"""Where the frames of a video jump in time, by the numbers or the clock times in their names."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

JUMP = 2
"""Usual steps that a step may have: one lost frame is harmless in a window, more are a gap."""
_USUAL = 0.5  # share of the steps that must lie within half of the usual one, else no step is usual and nothing a gap

_CLOCK = re.compile(
    r"(?<![0-9])(?:(?P<date>(?:19|20)[0-9]{2}[-_.]?[01][0-9][-_.]?[0-3][0-9])[-_.T ]*)?"
    r"(?P<clock>[0-2][0-9](?P<mark>[-_.:]?)[0-5][0-9](?P=mark)[0-5][0-9])"
    r"(?:[-_.,](?P<part>[0-9]{3}|[0-9]{6}|[0-9]{9}))?Z?\.[^.]*$"
)
_SECONDS = re.compile(r"(?<![0-9])(?P<whole>[0-9]+)\.(?P<part>[0-9]+)\.[^.]*$")
_LAST_SECOND = 9 * 10**9  # whose nanoseconds an int64 holds


def gap_starts(names: Sequence[str], ids: NDArray[np.int64], *, numbered: bool) -> tuple[int, ...]:
    """Returns the positions of the frames before which time jumps by more than `JUMP` of the usual (median) steps.

    Args:
        names: the files' names, in the order of time.
        ids: i64[N], their numbers.
        numbered: whether these come from the names.
    """
    times = _times(names, numbered=numbered)
    if times is None:
        times = ids  # equal steps, where they are positions
    steps = np.diff(times)
    if not len(steps) or steps.min() <= 0:
        return ()
    usual = np.median(steps)
    if np.mean(np.abs(steps - usual) <= usual / 2) < _USUAL:
        return ()
    return tuple((np.flatnonzero(steps > JUMP * usual) + 1).tolist())


def _times(names: Sequence[str], *, numbered: bool) -> NDArray[np.int64] | None:
    """Nanoseconds i64[N] by the clock or the seconds in all names; None where a name holds none."""
    read = _clock if _clock(names[0]) is not None else None if numbered else _seconds
    if read is None:
        return None
    times: list[int] = []
    for name in names:
        if (time := read(name)) is None:
            return None
        times.append(time)
    return np.array(times, np.int64)


def _clock(name: str) -> int | None:
    """`2026-11-01_12-00-59`, `20261101120059` or `12-00-59`; six digits alone may be any number."""
    match = _CLOCK.search(name)
    if match is None or not (match["date"] or match["mark"]):
        return None
    date = re.sub("[^0-9]", "", match["date"] or "20000101")
    try:
        moment = datetime.strptime(date + re.sub("[^0-9]", "", match["clock"]), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 10**9 + int((match["part"] or "").ljust(9, "0"))


def _seconds(name: str) -> int | None:
    match = _SECONDS.search(name)
    if match is None or int(match["whole"]) > _LAST_SECOND:
        return None
    return int(match["whole"]) * 10**9 + int(match["part"][:9].ljust(9, "0"))
