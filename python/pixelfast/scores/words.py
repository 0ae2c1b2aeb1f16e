"""Times, places and how rare something is, as a person says them."""

from typing import Final

from pixelfast.model.events import EventCurve

_FAR: Final = 10_000
"""So many times as rare as what held-out footage can show: no number is worth saying."""

_ROWS: Final = ("top", "middle", "bottom")
_COLUMNS: Final = ("left", "centre", "right")


def clock(seconds: float) -> str:
    """Returns a time as h:mm:ss, whole seconds that have passed.

    Examples:
        >>> from pixelfast.scores.words import clock
        >>> clock(3725.9)
        '1:02:05'
    """
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


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


def how_often(curve: EventCurve, value: float) -> str:
    """Returns how often normal footage gives an event as high, as a clause; what is extrapolated says so.

    Examples:
        >>> from pixelfast.model.events import EventCurve
        >>> from pixelfast.scores.words import how_often
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


def place(across: float, down: float) -> str:
    """Returns where a point lies, in shares of the picture's width and height, in words.

    Examples:
        >>> from pixelfast.scores.words import place
        >>> place(0.1, 0.9), place(0.5, 0.5)
        ('bottom left', 'centre')
    """
    row, column = (names[min(int(3 * share), 2)] for names, share in ((_ROWS, down), (_COLUMNS, across)))
    return column if row == "middle" else f"{row} {column}"
