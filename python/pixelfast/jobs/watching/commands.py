"""A command of the user's that is run for each event."""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from pixelfast.jobs.watching.background import Background
from pixelfast.jobs.watching.events import WatchEvent

LIMIT_SECONDS: Final = 60.0
_AT_ONCE, _MOST_WAITING = 4, 100
_AT_THE_END: Final = 10.0


class Commands:
    """Runs a command by the shell for each event, a few at once; what it prints goes to stderr.

    Args:
        command: a line of the shell; it gets the event's JSON on its stdin.
        tell: takes a sentence about one that failed.
        limit: seconds after which one is killed, with all that it started.
    """

    def __init__(self, command: str, tell: Callable[[str], None], limit: float = LIMIT_SECONDS) -> None:
        self._command, self._limit, self._tell = command, limit, tell
        self._background = Background(_AT_ONCE, _MOST_WAITING, tell)
        self._running = set[subprocess.Popen[bytes]]()

    def run(self, event: WatchEvent) -> None:
        """Starts it for an event, now or when one of those that run has ended."""
        data = event.json().encode() + b"\n"
        if not self._background.run(lambda: self._run(data), "the command of --on-event cannot be run"):
            self._tell(f"{_MOST_WAITING} commands of --on-event wait already: it is not run for frame {event.start}")

    def close(self) -> None:
        """Waits a little for those that run, then ends them."""
        if self._background.close(_AT_THE_END):
            return
        self._tell("a command of --on-event still runs, and is ended")
        for process in list(self._running):
            _end(process)

    def _run(self, data: bytes) -> None:
        process = subprocess.Popen(
            self._command, shell=True, stdin=subprocess.PIPE, stdout=2, start_new_session=True
        )  # fmt: skip
        self._running.add(process)
        try:
            process.communicate(data, timeout=self._limit)
        except subprocess.TimeoutExpired:
            _end(process)
            self._tell(f"the command of --on-event took longer than {self._limit:g} seconds and was ended")
            return
        finally:
            self._running.discard(process)
        if process.returncode:
            self._tell(f"the command of --on-event failed (exit code {process.returncode})")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a command with all that it started: its session's group, on Windows its tree."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
    with suppress(subprocess.TimeoutExpired):
        process.wait(1.0)
