"""What the command line writes to: streams that may be closed, full, or know no letters but ASCII."""

import os
import sys
from contextlib import suppress
from typing import Any, TextIO, cast


def prepare_streams() -> None:
    """Makes stdout and stderr fit to be written to, whatever the caller made of them.

    A closed one is the null device from here on, so that no file takes its number; letters that one cannot show are
    escaped; and stderr, which only accompanies the work, fails no more.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the whole run
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stderr = cast("TextIO", _Unfailing(sys.stderr))


def read_utf8() -> None:
    """Starts the process anew with UTF-8 for names and text where the locale has another encoding: names are UTF-8."""
    if os.name == "posix" and sys.getfilesystemencoding().lower() not in ("utf-8", "utf8"):
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


class _Unfailing:
    """A stream that swallows what it cannot write."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes, or not."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes, or not."""
        with suppress(OSError, ValueError):
            self._stream.flush()
