"""The one place that says how many threads a run may use."""

import os
from typing import Final

from pixelfast.arguments import whole
from pixelfast.errors import ArgumentError

MOST_A_CORE: Final = 4
"""Threads to a core beyond which a run only gets slower, and the machine with it."""


def usable_threads(threads: int | None) -> int:
    """Returns the threads that each stage of a run may use (None: one for each core that this process may use).

    Decoder, cleaner and engine each use up to so many; queues of bounded length lie between them, and the operating
    system shares the cores out.

    Raises:
        ArgumentError: no whole number, fewer than one thread, or far more than there are cores.
    """
    cores = usable_cores()
    if threads is None:
        return cores
    threads = whole("threads", threads, 1)
    if threads > MOST_A_CORE * cores:
        raise ArgumentError(
            f"threads must be at most {MOST_A_CORE * cores}, {MOST_A_CORE} for each of the {cores} cores that may be "
            f"used here, not {threads}"
        )
    return threads


def usable_cores() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13 and later
        return os.process_cpu_count() or 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
