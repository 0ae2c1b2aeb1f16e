"""Work beside the watching, which it must never stop: a few threads, few tasks that wait, faults said in a line."""

import threading
import time
from collections import deque
from collections.abc import Callable

Task = Callable[[], None]


class Background:
    """Runs tasks on daemon threads; what they raise is said, and nothing more.

    Examples:
        >>> from pixelfast.jobs.watching.background import Background
        >>> background = Background(1, 5, print)
        >>> background.run(lambda: open("nowhere/x"), "the file is not read")
        True
        >>> background.close(10.0)
        the file is not read: [Errno 2] No such file or directory: 'nowhere/x'
        True
    """

    def __init__(self, threads: int, most_waiting: int, tell: Callable[[str], None]) -> None:
        self._tasks: deque[tuple[Task, str]] = deque()
        self._most, self._tell = most_waiting, tell
        self._changed, self._busy, self._closed = threading.Condition(), 0, False
        for _ in range(threads):
            threading.Thread(target=self._work, name="pixelfast-beside", daemon=True).start()

    def run(self, task: Task, failed: str) -> bool:
        """Lets a task be run, of whose fault `failed` is said; returns False where too many wait: it is not run."""
        with self._changed:
            if len(self._tasks) >= self._most:
                return False
            self._tasks.append((task, failed))
            self._changed.notify_all()
            return True

    def close(self, seconds: float) -> bool:
        """Waits so long for what is under way; returns whether all is done. Nothing more can be run."""
        until = time.monotonic() + seconds
        with self._changed:
            self._changed.wait_for(lambda: not (self._tasks or self._busy), max(0.0, until - time.monotonic()))
            done = not (self._tasks or self._busy)
            self._tasks.clear()
            self._closed = True
            self._changed.notify_all()
        return done

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tasks or self._closed)
                if not self._tasks:
                    return
                task, failed = self._tasks.popleft()
                self._busy += 1
            try:
                task()
            except Exception as error:
                self._tell(f"{failed}: {' '.join(str(error).split()) or type(error).__name__}")
            finally:
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()
