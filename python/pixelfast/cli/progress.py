"""How far a command is: bars on a terminal, a line now and then elsewhere. All of it on stderr."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pixelfast.cli.console import aside, print_line, spoken_aloud
from pixelfast.progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_REDRAWS = 0.05


@contextmanager
def shown_progress() -> Iterator[ProgressCallback]:
    """Shows what a job tells and says aloud while the block runs."""
    console = aside()
    with spoken_aloud(console):
        if console is None:
            yield _Lines()
            return
        with _bars(console) as bars:
            yield _Bars(bars)


def _bars(console: "Console") -> "Bars":
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars
    from rich.progress import TimeRemainingColumn as TimeLeft

    return Bars(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]left"),
        TimeLeft(compact=True),
        TextColumn("[dim]{task.fields[note]}"),
        console=console,
    )


class _Bars:
    """One bar a phase, in the order in which they begin."""

    def __init__(self, bars: "Bars") -> None:
        self._bars = bars
        self._tasks: dict[str, int] = {}
        self._drawn: dict[str, float] = {}

    def __call__(self, step: Progress) -> None:
        now = time.monotonic()
        finished = step.total is not None and step.done >= step.total
        if step.phase not in self._tasks:
            self._tasks[step.phase] = self._bars.add_task(step.phase, total=step.total, note=step.note)
        elif not finished and now - self._drawn[step.phase] < _SECONDS_BETWEEN_REDRAWS:
            return
        self._drawn[step.phase] = now
        task = self._bars.tasks[self._bars.task_ids.index(self._tasks[step.phase])]  # type: ignore[arg-type]
        self._bars.update(task.id, completed=step.done, total=step.total, note=step.note)


class _Lines:
    """A line when a phase begins, every few seconds, and when it ends: for logs and pipes."""

    def __init__(self) -> None:
        self._printed: dict[str, float] = {}
        self._finished: set[tuple[str, int]] = set()

    def __call__(self, step: Progress) -> None:
        now = time.monotonic()
        finished = step.total is not None and step.done >= step.total
        due = now - self._printed.get(step.phase, -_SECONDS_BETWEEN_LINES) >= _SECONDS_BETWEEN_LINES
        if not due and not (finished and (step.phase, step.done) not in self._finished):
            return
        self._printed[step.phase] = now
        if finished:
            self._finished.add((step.phase, step.done))
        total = "" if step.total is None else f"/{step.total:,}"
        note = f"  {step.note}" if step.note else ""
        print_line(f"{step.phase} {step.done:,}{total}{note}")
