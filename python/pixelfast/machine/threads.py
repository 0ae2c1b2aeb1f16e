"""The one place that says how many threads a run may use."""

import os

from pixelfast.errors import PixelfastError
from pixelfast.machine.cores import Cores


def share_threads(threads: int | None) -> Cores:
    """The cores of a run (None: those that this process may use), to be shared by its stages.

    Each stage may use all of them, but takes them for each piece of work: the decoder as many as are free for a piece,
    an engine on a CPU one a request. So no core is idle while there is work, and no two threads compete for one.

    Raises:
        PixelfastError: fewer than one thread.
    """
    count = usable_cores() if threads is None else threads
    if count < 1:
        raise PixelfastError(f"threads must be at least 1, not {count}")
    return Cores(count)


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
