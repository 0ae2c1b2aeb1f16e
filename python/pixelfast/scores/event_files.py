"""Events as a file: one line each, for a table program or a script."""

import csv
from collections.abc import Iterable
from typing import Any, Final

from pixelfast.errors import OutputError
from pixelfast.files.atomic import atomic_path, check_writable
from pixelfast.files.places import AnyPath
from pixelfast.scores.moments import Event

COLUMNS: Final = (
    "video", "start", "end", "peak", "seconds", "end_seconds", "peak_seconds", "value", "once_in_hours",
    "extrapolated", "reason", "stream", "row", "column",
)  # fmt: skip


def check_events_path(path: AnyPath) -> AnyPath:
    """Returns the path of a file of events; an OutputError says why it cannot be one, before the work."""
    if path.suffix.lower() != ".csv":
        raise OutputError(f"{path} must end in .csv: events are written as a table")
    check_writable(path)
    return path


def write_events(events: Iterable[Event], path: AnyPath) -> AnyPath:
    """Writes events, whole or not at all; what is not known stays empty.

    Raises:
        OutputError: another suffix, or the file cannot be written there.
    """
    check_events_path(path)
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(map(_line, events))
    return path


def _line(event: Event) -> tuple[Any, ...]:
    row, column = event.cell or ("", "")
    times = (_rounded(time) for time in (event.seconds, event.end_seconds, event.peak_seconds))
    often = "" if event.hours is None else f"{event.hours:.4g}"
    beyond = "" if event.extrapolated is None else str(event.extrapolated).lower()
    frames = event.start, event.end, event.peak_frame
    why = event.reason or "", event.stream or "", row, column
    return event.video, *frames, *times, f"{event.peak_value:.6g}", often, beyond, *why


def _rounded(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f}"
