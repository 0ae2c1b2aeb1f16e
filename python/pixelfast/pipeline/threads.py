"""The one place that shares the machine's threads out between decoding and the engine."""

import os
from dataclasses import dataclass

from pixelfast.errors import PixelfastError


@dataclass(frozen=True)
class ThreadShare:
    """How many threads each stage may use.

    Attributes:
        decode: threads of the decoder, which runs ahead of the engine.
        engine: threads of the engine and of the numeric stages, which take turns on the calling thread.
    """

    decode: int
    engine: int


def share_threads(threads: int | None) -> ThreadShare:
    """Shares out `threads` (None: the cores that this process may use).

    Both stages may use all of them: the decoder fills its bounded queue and then waits, so for most of the time only
    one of them runs, and nothing is left idle while it does. No stage spins while it waits.

    Raises:
        PixelfastError: fewer than one thread.
    """
    count = usable_cores() if threads is None else threads
    if count < 1:
        raise PixelfastError(f"threads must be at least 1, not {count}")
    return ThreadShare(decode=count, engine=count)


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
