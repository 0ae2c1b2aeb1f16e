"""How much memory there is for this process."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_GROUPS: Final = Path("/proc/self/cgroup")
_LIMITS: Final = Path("/sys/fs/cgroup")


def total_memory() -> int | None:
    """Returns the bytes of memory that this process may use; None where the system does not say.

    It is what the machine has, or the least that a container's or a service's control groups leave of it.
    """
    machine = list[int]()
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        machine = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    return min([*machine, *_group_limits(_GROUPS, _LIMITS)], default=None)


def resident_memory(status: Path = Path("/proc/self/status")) -> int | None:
    """Returns the bytes of memory that this process has now, without what lies on disk; None but on Linux."""
    with suppress(OSError, ValueError, IndexError):
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return None


def give_back_memory() -> None:
    """Gives back what glibc's allocator keeps for later: over days, threads that come and go keep more and more.

    Elsewhere nothing happens, as other allocators give it back themselves.
    """
    with suppress(OSError, AttributeError, TypeError):  # no library of C by no name, or another than glibc
        ctypes.CDLL(None).malloc_trim(0)


def _group_limits(groups: Path, limits: Path) -> Iterator[int]:
    """Yields the limits of the groups that a process is in, and of all above them, in version 1 and 2 of the interface.

    Args:
        groups: lists the process's groups, as `number:controllers:path`.
        limits: where their files are mounted; inside a container often only those of its own group, at the top.
    """
    paths = {"": "/", "memory": "/"}
    with suppress(OSError):
        for line in groups.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            _, controllers, path = [*line.split(":", 2), "", ""][:3]
            paths |= {name: path for name in controllers.split(",") if name in paths}
    for name, file in (("", "memory.max"), ("memory", "memory.limit_in_bytes")):
        top = limits / name
        group = top / paths[name].lstrip("/")
        for folder in {top, group, *(above for above in group.parents if above.is_relative_to(top))}:
            with suppress(OSError, ValueError):  # "max" is no limit
                yield int((folder / file).read_text(encoding="ascii"))
