"""How far a command is: bars on a terminal, a line now and then elsewhere. All of it on stderr."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from pixelfast.cli.console import aside, print_line, spoken_aloud
from pixelfast.notes import shown
from pixelfast.progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_OF_RATE = 300.0
"""What a rate is measured over: two steps of a slow job must lie within."""

_WIDE = 80
"""Columns of a terminal from which on a bar shows the time that is over, too."""


@contextmanager
def shown_progress() -> Iterator[ProgressCallback]:
    """Shows what a job tells and says aloud while the block runs."""
    console = aside()
    with spoken_aloud(console):
        if console is None:
            yield _Lines()
            return
        with _bars(console) as bars:
            yield partial(_draw, bars, {})


def _bars(console: "Console") -> "Bars":
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars
    from rich.progress import TimeRemainingColumn as TimeLeft
    from rich.table import Column

    wide = console.width >= _WIDE  # a narrower terminal has no place for the time that is over
    return Bars(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=None, table_column=Column(min_width=8 if wide else 2, max_width=28, ratio=1)),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        *([TimeElapsedColumn(table_column=Column(no_wrap=True))] if wide else []),
        TextColumn("[dim]left", table_column=Column(no_wrap=True)),
        TimeLeft(compact=True, table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[rate]}", table_column=Column(no_wrap=True, justify="right")),
        # What does not fit of the note is cut off, and nothing of the columns before it.
        TextColumn(
            "{task.fields[note]}",
            style="dim",
            markup=False,
            table_column=Column(no_wrap=True, overflow="ellipsis", ratio=2),
        ),
        console=console,
        speed_estimate_period=_SECONDS_OF_RATE,
        expand=True,
    )


def _draw(bars: "Bars", tasks: "dict[str, TaskID]", step: Progress) -> None:
    """One bar a phase, in the order in which they begin."""
    note = shown(step.note)
    if step.phase not in tasks:
        tasks[step.phase] = bars.add_task(step.phase, total=step.total, note=note, rate="")
    bars.update(tasks[step.phase], completed=step.done, total=step.total, note=note)
    task = next(task for task in bars.tasks if task.id == tasks[step.phase])
    bars.update(task.id, rate=_rate(task.finished_speed or task.speed))


def _rate(each_second: float | None) -> str:
    """Units a second, short: 12,345/s, 0.31/s; nothing where that is not known yet."""
    if not each_second:
        return ""
    return f"{each_second:,.0f}/s" if each_second >= 10 else f"{each_second:.2g}/s"


class _Lines:
    """A line when a phase begins, every few seconds, and when it ends: for logs and pipes."""

    def __init__(self) -> None:
        self._printed: dict[str, tuple[float, int]] = {}  # when, and how much was done

    def __call__(self, step: Progress) -> None:
        now = time.monotonic()
        before, done = self._printed.get(step.phase, (-math.inf, None))
        ended = step.total is not None and step.done >= step.total and step.done != done
        if now - before < _SECONDS_BETWEEN_LINES and not ended:
            return
        self._printed[step.phase] = now, step.done
        total = "" if step.total is None else f"/{step.total:,}"
        note = f"  {step.note}" if step.note else ""
        print_line(f"{step.phase} {step.done:,}{total}{note}")
