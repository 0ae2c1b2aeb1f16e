"""Locks that a living process holds, and the hidden files and folders of work in progress, which stand under them.

Where a process writes it holds a lock file, `.pixelfast-TOKEN.lock`, and what it has not finished is called
`.pixelfast-TOKEN-…`. The system lets go of the lock when the process ends, however it ends: so whatever stands under a
lock that can be taken was left by one that is gone, and is swept. Not all disks that machines share do share
their locks: what another machine left is swept when it has not been touched for a day.
"""

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pixelfast.errors import OutputError
from pixelfast.files.refused import write_error

if TYPE_CHECKING:
    from filelock import BaseFileLock

PREFIX: Final = ".pixelfast-"

_HIDDEN: Final = re.compile(re.escape(PREFIX) + r"(?:([0-9a-f]{16})(?:[-.].*)?|([a-z0-9_]{8}))")
_HOST: Final = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
_FOREIGN_SECONDS: Final = 86_400.0
"""What another machine left must not have been touched for so long: not every shared disk shares its locks."""

_ONE_SWEEP: Final = 1.0  # seconds; whoever holds a lock longer than that is at work
_SWEEP_SECONDS: Final = 10.0  # whoever else takes the lock of a new token sweeps, which takes no longer
_NO_LOCKS: Final = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}  # on file systems that have none


@dataclass
class _Hold:
    """What this process holds in a folder, while anything of it is being written there."""

    token: str
    users: int = 0
    lock: "BaseFileLock | None" = None
    starting: threading.Lock = field(default_factory=threading.Lock)


_holds: dict[Path, _Hold] = {}
_guard = threading.Lock()


def _forget() -> None:
    """In a forked process: what its parent holds is the parent's."""
    global _guard  # noqa: PLW0603 - the parent's may be held by a thread that this process has not
    _holds.clear()
    _guard = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@contextmanager
def at_work_in(folder: Path) -> Iterator[str]:
    """Holds this process's lock in a folder, so that nobody sweeps what it has not finished; yields its token.

    Nested calls, and those of other threads, share one lock. The first time that this process writes there, what others
    that are gone left unfinished is swept away.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    place = folder.absolute()
    with _guard:
        hold = _holds.setdefault(place, _Hold(_HOST + secrets.token_hex(4)))
        hold.users += 1
    try:
        _sweep_once(place)
        with hold.starting:
            if hold.lock is None:
                hold.lock = _take(place / f"{PREFIX}{hold.token}.lock", _SWEEP_SECONDS)
        yield hold.token
    finally:
        with _guard:
            hold.users -= 1
            if not hold.users:
                _holds.pop(place, None)  # a forked process has forgotten it
                if hold.lock is not None:
                    _let_go(hold.lock)


@contextmanager
def hidden_beside(target: Path, suffix: str = "") -> Iterator[Path]:
    """Yields a path in the folder of `target` that is nobody else's; what stands there at the end is removed.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    with at_work_in(target.parent) as token:
        path = target.with_name(f"{PREFIX}{token}-{secrets.token_hex(4)}{suffix}")
        try:
            yield path
        finally:
            _remove(path)


@contextmanager
def alone_with(target: Path) -> Iterator[None]:
    """Holds the only right to make `target`, a file or a folder, for as long as the block runs.

    What runs that are gone left unfinished inside is swept away, where it is a folder.

    Raises:
        OutputError: another process, or another thread of this one, holds it, or the folder that it would lie in is
            missing or cannot be written; the message says what to do.
    """
    try:
        lock = _take(lock_of(target), _ONE_SWEEP)
    except OSError as error:
        raise write_error(target, error) from error
    if lock is None:
        raise OutputError(
            f"{target} is being written by another run that is still at work: wait until it ends, or name another place"
        )
    try:
        sweep(target)
        yield
    finally:
        _let_go(lock)


@contextmanager
def one_after_another(target: Path) -> Iterator[None]:
    """Lets one process at a time into the block, for `target`; the others wait.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    lock = _take(lock_of(target), -1)
    try:
        yield
    finally:
        if lock is not None:
            _let_go(lock)


def lock_of(target: Path) -> Path:
    """Returns the lock file for the right to make `target`."""
    name = _HOST + hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]
    return target.absolute().with_name(f"{PREFIX}{name}.lock")


def sweep(folder: Path) -> None:
    """Removes what runs that are gone left unfinished in a folder; what cannot be removed stays."""
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if entry.name.startswith(PREFIX)]
    except OSError:
        return
    tokens: dict[str, list[str]] = {}
    for name in found:
        if (match := _HIDDEN.fullmatch(name)) is not None:
            tokens.setdefault(match[1] or match[2], []).append(name)
    place = folder.absolute()
    for token, names in tokens.items():
        with suppress(OSError):
            if not token.startswith(_HOST) and _touched(place, names) > time.time() - _FOREIGN_SECONDS:
                continue
            lock = _take(place / f"{PREFIX}{token}.lock")
            if lock is not None and lock.is_locked:
                for name in names:
                    if not name.endswith(".lock"):
                        _remove(place / name)
                _let_go(lock)


def _touched(folder: Path, names: list[str]) -> float:
    """When the youngest of these files and folders was changed."""
    return max((folder / name).lstat().st_mtime for name in names)


_sweep_once = cache(sweep)  # a folder may get many files, one after another


def _take(path: Path, seconds: float = 0) -> "BaseFileLock | None":
    """Takes a lock; None where somebody who lives has it for so long (-1: waits until it is free)."""
    from filelock import FileLock, Timeout  # here, as it takes longer to import than most runs need for it

    path.parent.stat()  # some versions make a folder that is missing
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=seconds, poll_interval=0.02)
    except Timeout:
        if path.exists():
            return None
        path.touch()  # raises what the system has against it; else whoever had the lock has just let go
        return _take(path, seconds)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return lock


def _let_go(lock: "BaseFileLock") -> None:
    path = Path(lock.lock_file)
    with suppress(OSError):  # Windows removes no file that is open
        path.unlink(missing_ok=True)
    with suppress(OSError):
        lock.release()
    if os.name == "nt":
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
