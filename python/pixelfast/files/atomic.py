"""Writing a file whole or not at all: to a temporary file in the same folder, then rename."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixelfast.errors import OutputError, PixelfastError
from pixelfast.files.locks import PREFIX, hidden_beside, sweep
from pixelfast.files.refused import is_disk_full, write_error


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path (an empty file that exists) beside `path`, which becomes `path` when the block ends well.

    The temporary name is hidden and keeps the suffix. When the block raises, Ctrl-C included, the temporary file is
    removed and whatever stood at `path` stays as it was. A symbolic link at `path` is followed.

    Raises:
        OutputError: the folder is missing or cannot be written, `path` is a folder or a device, the disk is full.
    """
    target = _target(Path(path))
    try:
        with hidden_beside(target, target.suffix[:32]) as temporary:
            temporary.touch(exist_ok=False)  # with the permissions that the user's umask gives
            with _full_disk_is_an_os_error(target.parent):
                yield temporary
            with temporary.open("r+b") as file:
                os.fsync(file.fileno())  # else a power cut right after the rename may leave the name on an empty file
            temporary.replace(target)
    except PixelfastError:
        raise
    except OSError as error:
        # An error about other files alone (an input that vanished) is not ours to explain.
        named = {Path(os.fsdecode(name)) for name in (error.filename, error.filename2) if name is not None}
        if named and not any(name == target or _is_hidden_beside(name, target) for name in named):
            raise
        raise write_error(target, error) from error


@contextmanager
def _full_disk_is_an_os_error(folder: Path) -> Iterator[None]:
    """Raises an OSError where a library says in its own way that it could not write, on a full disk."""
    try:
        yield
    except (PixelfastError, OSError):
        raise
    except Exception as error:
        if is_disk_full(error, folder):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raises the OutputError that writing `path` would raise, so that a long job fails before its work, not after.

    What runs that are gone left unfinished in that folder is swept away.

    Raises:
        OutputError: the folder is missing or cannot be written, or `path` is a folder or a device.
    """
    target = _target(Path(path))
    sweep(target.parent)
    try:
        with hidden_beside(target, target.suffix[:32]) as temporary:
            temporary.touch(exist_ok=False)
    except OSError as error:
        raise write_error(target, error) from error


def _target(path: Path) -> Path:
    """Returns where the bytes go in the end, a symbolic link followed; refuses what must not be replaced."""
    try:
        mode = _mode(path)
        target = path.resolve() if path.is_symlink() else path
        parent = _mode(target.parent)
    except OSError as error:
        raise write_error(path, error) from error
    if parent is None:
        raise OutputError(f"{path} cannot be written: there is no folder {target.parent}: make it first")
    if not stat.S_ISDIR(parent):
        raise OutputError(f"{path} cannot be written: {target.parent} is a file, not a folder")
    if mode is not None and stat.S_ISDIR(mode):
        raise OutputError(f"{path} is a folder: give the name of a file to write")
    if mode is not None and not stat.S_ISREG(mode):
        raise OutputError(f"{path} is a device or a pipe, which a file cannot replace: give the name of a file")
    return target


def _mode(path: Path) -> int | None:
    """Returns the kind and permissions of what a path leads to; None where nothing is."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_hidden_beside(name: Path, target: Path) -> bool:
    return name.name.startswith(PREFIX) and name.absolute().parent == target.absolute().parent


def file_sha256(path: Path) -> str:
    """Returns SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
