"""What is printed where: results on stdout, everything else on stderr; colour only on a terminal."""

import logging
import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pixelfast.errors import OutputError
from pixelfast.notes import shown

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

    console.print(Text.assemble((f"{what}: ", _STYLES.get(what, "")), shown(sentence)))


def print_line(text: str) -> None:
    """Print one plain line to stderr."""
    print(shown(text), file=sys.stderr, flush=True)


def print_result(text: str) -> None:
    """Print results to stdout; an OutputError says why that cannot be."""
    try:
        print("\n".join(map(shown, text.split("\n"))), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"the results cannot be printed ({error.strerror}); the files that the command writes are there"
        ) from error


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Plain columns: the first to the left, numbers to the right, never cut off."""
    header, *rows = [[_as_printed(cell) for cell in row] for row in (header, *rows)]
    widths = [max(width(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = [_line(header, widths), "  ".join("-" * width for width in widths)]
    return "\n".join(lines + [_line(row, widths) for row in rows])


def _as_printed(cell: str) -> str:
    """A cell with everything escaped that stdout does not show: its width is that of what is seen."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return shown(cell).encode(encoding, "backslashreplace").decode(encoding)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = [" " * (most - width(cell)) for cell, most in zip(cells, widths, strict=True)]
    aligned = [cells[0] + first, *(space + cell for space, cell in zip(others, cells[1:], strict=True))]
    return "  ".join(aligned).rstrip()


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Names and what they are, one a line."""
    longest = max(len(name) for name, _ in rows)
    return "\n".join(f"{name.ljust(longest)}  {shown(value)}".rstrip() for name, value in rows)


def width(text: str) -> int:
    """Columns of a terminal that a text takes: two for a wide letter, none for a mark on another."""
    if text.isascii():
        return len(text)
    marks = sum(map(bool, map(unicodedata.combining, text)))
    return len(text) - marks + sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)


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
