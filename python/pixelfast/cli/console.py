"""What is printed where: results on stdout, everything else on stderr; colour only on a terminal."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_FORCED = {"FORCE_COLOR", "TTY_COMPATIBLE"}  # what makes Rich take a pipe for a terminal
_STYLES = {"error": "bold red", "note": "yellow", "stopped": "bold yellow"}


def aside() -> "Console | None":
    """Where everything but results goes on a terminal; None where stderr is none, which needs no colours."""
    if not sys.stderr.isatty() and _FORCED.isdisjoint(os.environ):
        return None
    from rich.console import Console

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    return console if console.is_terminal else None


def print_aside(sentence: str, what: str = "note", console: "Console | None" = None) -> None:
    """Print one line to stderr, led by what it is ("note", "error")."""
    console = console or aside()
    if console is None:
        print_line(f"{what}: {sentence}")
        return
    from rich.text import Text

    console.print(Text.assemble((f"{what}: ", _STYLES.get(what, "")), sentence))


def print_line(text: str) -> None:
    """Print one plain line to stderr."""
    print(text, file=sys.stderr, flush=True)


def print_result(text: str) -> None:
    """Print results to stdout."""
    print(text, flush=True)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Plain columns: the first to the left, numbers to the right, never cut off."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = [_line(header, widths), "  ".join("-" * width for width in widths)]
    return "\n".join(lines + [_line(row, widths) for row in rows])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    return "  ".join([first, *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))]).rstrip()


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Names and what they are, one a line."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name.ljust(width)}  {value}".rstrip() for name, value in rows)


@contextmanager
def spoken_aloud(console: "Console | None") -> Iterator[None]:
    """What the library says aloud (its warnings) appears as notes while the block runs."""
    logger = logging.getLogger("pixelfast")
    handler = _Notes(console)
    logger.addHandler(handler)
    before, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


class _Notes(logging.Handler):
    def __init__(self, console: "Console | None") -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print a warning as one line."""
        print_aside(" ".join(record.getMessage().split()), "note", self._console)
