"""Scores as a person sees them, in a terminal or a notebook, and as tables of other libraries."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from pixelfast.errors import ScoresError
from pixelfast.notes import shown
from pixelfast.scores.moments import RankedFrame, runs_above

if TYPE_CHECKING:
    import polars as pl

    from pixelfast.scores.table import Scores


def summary(scores: "Scores") -> str:
    """Returns a few lines to read; see `Scores.summary`."""
    names = ("flipped", "repaired", "noisy", *(["frozen"] if scores.frozen.any() else []))
    mended = (f"{int(getattr(scores, name).sum()):,} {name}" for name in names)
    level = scores.threshold
    threshold = "no threshold (no calibration)" if level is None else f"threshold {level:.6g}{threshold_words(scores)}"
    tops = ", ".join(f"{row.video} frame {row.frame}" for row in scores.top(3))
    lines = [
        f"{len(scores.videos):,} videos, {len(scores):,} frames, method {scores.method}, {threshold}",
        f"most unusual: {tops or 'none'}",
        f"frames {', '.join(mended)}",
    ]
    return "\n".join(map(shown, lines + [f"note: {note}" for note in scores.notes]))


def threshold_words(scores: "Scores") -> str:
    """Returns what a threshold was set for, and what that rests on, in parentheses; "" where nobody counted events."""
    curve, rate = scores.curve, scores.alarm_rate
    return "" if curve is None or rate is None else f" ({curve.said(rate)})"


def as_text(scores: "Scores", moments: Sequence[RankedFrame]) -> str:
    """Returns the summary line and a table of the most unusual moments, in columns of plain text."""
    table = [_header(scores), *_cells(scores, moments)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    numbers = range(1, 4)
    lines = [
        "  ".join(
            one.rjust(width) if at in numbers else one.ljust(width) for at, (one, width) in enumerate(row)
        ).rstrip()
        for row in ([*zip(line, widths, strict=True)] for line in table)
    ]
    return "\n".join([_summary(scores), *lines])


def as_html(scores: "Scores", moments: Sequence[RankedFrame]) -> str:
    """Returns the same as HTML, escaped, for a notebook."""
    head = "".join(f"<th>{escape(one)}</th>" for one in _header(scores))
    rows = (f"<td>{'</td><td>'.join(map(escape, row))}</td>" for row in _cells(scores, moments))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div><p>{escape(_summary(scores))}</p>{table}</div>"


def to_pandas(scores: "Scores") -> Any:
    """Returns a pandas DataFrame; see `Scores.to_pandas`."""
    try:
        return scores.to_arrow().to_pandas()
    except ImportError as error:
        raise ScoresError("a pandas table needs pandas: pip install pandas") from error


def to_polars(scores: "Scores") -> "pl.DataFrame":
    """Returns a polars DataFrame; see `Scores.to_polars`."""
    try:
        import polars as pl
    except ImportError as error:
        raise ScoresError("a polars table needs polars: pip install polars") from error
    table = pl.from_arrow(scores.to_arrow())
    assert isinstance(table, pl.DataFrame), "a table, not a column"
    return table


def _summary(scores: "Scores") -> str:
    level = scores.threshold
    above = "no threshold" if level is None else f"{len(runs_above(scores, level)):,} events above {level:.6g}"
    return f"{len(scores.videos):,} videos, {len(scores):,} frames, {scores.method}, {above}; the most unusual:"


def _header(scores: "Scores") -> list[str]:
    return ["video", "frame", "rank", "score", *([] if scores.why is None else ["where", "why"])]


def _cells(scores: "Scores", moments: Sequence[RankedFrame]) -> list[list[str]]:
    """A line of text a moment; what a terminal must not be given is escaped."""
    rows = []
    for one in moments:
        place = scores.why.place(one.cell) if scores.why is not None and one.cell is not None else ""
        said = [] if scores.why is None else [place, f"{one.stream}: {one.reason}"]
        rows.append([shown(one.video), str(one.frame), f"{one.rank:.4f}", f"{one.score:.4f}", *map(shown, said)])
    return rows
