"""What the page says of a moment, in words."""

from typing import Final

import numpy as np

from pixelfast.model.events import EventCurve
from pixelfast.scores import Scores
from pixelfast.scores.highlights import Highlight

MARKS: Final = {
    "flipped": "upside down in the footage, upright here",
    "repaired": "could not be read in full",
    "noisy": "far noisier than the rest of the video",
    "frozen": "the picture stood still",
}
"""The marks of a frame, and what each means."""

_FAR: Final = 10_000
"""So many times as rare as what held-out footage can show: no number is worth saying."""

_ROWS: Final = ("top", "middle", "bottom")
_COLUMNS: Final = ("left", "centre", "right")


def clock(seconds: float) -> str:
    """Returns a time as h:mm:ss, whole seconds that have passed.

    Examples:
        >>> from pixelfast.reporting.words import clock
        >>> clock(3725.9)
        '1:02:05'
    """
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def time_of(scores: Scores, row: int) -> float | None:
    """Returns the seconds at a row; None where they are not known."""
    seconds = None if scores.seconds is None else float(scores.seconds[row])
    return None if seconds is None or np.isnan(seconds) else seconds


def when(scores: Scores, row: int) -> str:
    """Returns the time of a row where it is known, else its frame number."""
    seconds = time_of(scores, row)
    return f"frame {scores.frame[row]}" if seconds is None else clock(seconds)


def how_long(scores: Scores, moment: Highlight) -> str:
    """Returns how long a moment lasts, in frames, and in seconds where they are known."""
    frames = moment.stop - moment.start
    first, last = time_of(scores, moment.start), time_of(scores, moment.stop - 1)
    many = "1 frame" if frames == 1 else f"{frames:,} frames"
    if first is None or last is None or frames == 1:
        return many
    each = (last - first) / (frames - 1)
    return f"{span(last - first + each)} ({many})"


def how_rare(tail: float | None, rank: float, held_out: int | None = None, step: float | None = None) -> str:
    """Returns how often normal footage comes as high, as a clause.

    Args:
        tail: the share of held-out normal frames at or above it; None without a calibration.
        rank: its rank among the frames scored.
        held_out: how many frames were held out; None where that is not known.
        step: seconds from frame to frame; None where they are not known.

    Examples:
        >>> from pixelfast.reporting.words import how_rare
        >>> how_rare(0.001, 1.0, step=0.04)
        'normal footage comes this high once in 1,000 frames (40 s)'
    """
    if tail is None:
        return f"higher than {np.floor(1000 * rank) / 10:.1f}% of the frames scored"
    if tail <= 0:
        return f"no normal frame {f'of the {held_out:,} ' if held_out else ''}held out came this high"
    frames = round(1 / tail)
    if frames < 2:
        return "normal footage often comes this high"
    often = "" if step is None else f" ({span(frames * step)})"
    return f"normal footage comes this high once in {frames:,} frames{often}"


def how_often(curve: EventCurve, value: float) -> str:
    """Returns how often normal footage gives an event as high, as a clause; what is extrapolated says so.

    Examples:
        >>> from pixelfast.model.events import EventCurve
        >>> from pixelfast.reporting.words import how_often
        >>> curve = EventCurve.of([np.random.default_rng(0).exponential(size=90_000)], fps=25.0)
        >>> how_often(curve, 9.0)
        'normal footage comes this high once in 5 min'
        >>> how_often(curve, 15.0)
        'normal footage comes this high once in 2.8 days, extrapolated: none in the 60 min held out did'
    """
    hours = curve.hours(value)
    seconds = curve.frames / curve.pace
    held_out = span(seconds)
    if hours * 3600 > _FAR * seconds:
        return f"far higher than anything in the {held_out} of normal footage that were held out"
    often = f"normal footage comes this high once in {span(hours * 3600)}"
    return f"{often}, extrapolated: none in the {held_out} held out did" if curve.is_beyond(value) else often


def span(seconds: float) -> str:
    """Returns a length of time as a person says it."""
    if seconds >= 2 * 365 * 86_400:
        return f"{seconds / (365 * 86_400):,.0f} years"
    if seconds >= 2 * 86_400:
        return f"{seconds / 86_400:,.1f} days"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def step_of(scores: Scores, rows: slice) -> float | None:
    """Returns the usual seconds from frame to frame of some rows; None where they are not known."""
    steps = np.empty(0) if scores.seconds is None else np.diff(scores.seconds[rows])
    steps = steps[np.isfinite(steps) & (steps > 0)]
    return float(np.median(steps)) if len(steps) else None


def place(across: float, down: float) -> str:
    """Returns where a point lies, in shares of the picture's width and height, in words.

    Examples:
        >>> from pixelfast.reporting.words import place
        >>> place(0.1, 0.9), place(0.5, 0.5)
        ('bottom left', 'centre')
    """
    row, column = (names[min(int(3 * share), 2)] for names, share in ((_ROWS, down), (_COLUMNS, across)))
    return column if row == "middle" else f"{row} {column}"


def reason(scores: Scores, row: int) -> str:
    """Returns why a frame stands out, as a sentence without its full stop."""
    why = None if scores.why is None else scores.why.at(row).reason
    said = why or f"unlike the normal footage ({scores.method})"
    return said[:1].upper() + said[1:]


def marks(scores: Scores, moment: Highlight) -> list[str]:
    """Returns a clause for each mark that frames of a moment have."""
    rows = slice(moment.start, moment.stop)
    found = [(name, int(getattr(scores, name)[rows].sum())) for name in MARKS]
    whole = plural(moment.stop - moment.start, "frame")
    return [f"{name}: {many:,} of {whole} ({MARKS[name]})" for name, many in found if many]


def plural(count: int, one: str) -> str:
    """Returns a count and what is counted."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"
