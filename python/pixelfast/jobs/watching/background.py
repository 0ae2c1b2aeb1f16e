"""Work beside the watching, which it must never stop: a few threads, few tasks that wait, faults said in a line."""

import threading
from collections.abc import Callable
from math import inf

from pixelfast.sources.belt import Belt

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

    def __init__(self, threads: int, most_waiting: int, tell: Callable[[str], None], most_bytes: float = inf) -> None:
        self._belt = Belt[tuple[Task, str]](most_waiting, most_bytes)
        self._tell, self._left, self._changed = tell, 0, threading.Condition()
        for _ in range(threads):
            threading.Thread(target=self._work, name="pixelfast-beside", daemon=True).start()

    def run(self, task: Task, failed: str, nbytes: int = 0, *, wait: bool = False) -> bool:
        """Lets a task be run, of whose fault `failed` is said.

        Args:
            task: what is done.
            failed: a clause that leads what it raises.
            nbytes: what it holds while it waits.
            wait: whether room is waited for where too many wait already.

        Returns:
            Whether it is run; not where there is no room.
        """
        self._count(1)
        if self._belt.put((task, failed), nbytes, wait=wait):
            return True
        self._count(-1)
        return False

    def close(self, seconds: float) -> bool:
        """Waits so long for what is under way; returns whether all is done. Nothing more can be run."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._left == 0, seconds)
        self._belt.close()
        return done

    def _count(self, more: int) -> None:
        with self._changed:
            self._left += more
            self._changed.notify_all()

    def _work(self) -> None:
        while (item := self._belt.take(None)) is not None:
            task, failed = item
            try:
                task()
            except Exception as error:
                self._tell(f"{failed}: {' '.join(str(error).split()) or type(error).__name__}")
            finally:
                self._count(-1)
