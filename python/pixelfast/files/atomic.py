"""Writing a file whole or not at all: to a temporary file in the same folder, then rename."""

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixelfast.errors import OutputError, PixelfastError

_REASONS = {
    errno.ENOSPC: "the disk is full: make room or choose another folder",
    errno.EDQUOT: "the disk quota is used up: make room or choose another folder",
    errno.EFBIG: "the file grew beyond what this system allows: choose another folder or raise the limit",
    errno.EACCES: "there is no permission to write there: choose another folder",
    errno.EPERM: "there is no permission to write there: choose another folder",
    errno.EROFS: "the folder is read-only: choose another one",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path (an empty file that exists) beside `path`, which becomes `path` when the block ends well.

    The temporary name is hidden and keeps the suffix. When the block raises, Ctrl-C included, the temporary file is
    removed and whatever stood at `path` stays as it was. A symbolic link at `path` is followed.

    Raises:
        OutputError: the folder is missing or cannot be written, `path` is a folder or a device, the disk is full.
    """
    target = _target(Path(path))
    temporary = _reserve(target)
    try:
        yield temporary
        with temporary.open("r+b") as file:  # Windows flushes no file that is only read
            os.fsync(file.fileno())  # else a power cut right after the rename may leave the name on an empty file
        temporary.replace(target)
    except PixelfastError:
        raise
    except OSError as error:
        # An error about other files alone (an input that vanished) is not ours to explain.
        named = {str(name) for name in (error.filename, error.filename2) if name is not None}
        if named and named.isdisjoint({str(temporary), str(target)}):
            raise
        raise write_error(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raises the OutputError that writing `path` would raise, so that a long job fails before its work, not after.

    Raises:
        OutputError: the folder is missing or cannot be written, or `path` is a folder or a device.
    """
    _reserve(_target(Path(path))).unlink(missing_ok=True)


def write_error(path: Path, error: OSError) -> OutputError:
    """Returns the OutputError that says in a sentence why `path` could not be written."""
    reason = _REASONS.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__
    return OutputError(f"{path} cannot be written: {reason}")


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


def _reserve(target: Path) -> Path:
    """Makes the empty temporary file, with the permissions that the user's umask gives."""
    temporary = target.with_name(f".pixelfast-{secrets.token_hex(8)}{target.suffix[:32]}")
    try:
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise write_error(target, error) from error
    return temporary


def file_sha256(path: Path) -> str:
    """Returns SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
