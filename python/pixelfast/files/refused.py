"""Why something could not be written, in a sentence."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pixelfast.errors import OutputError, PixelfastError

_NEXT_TO_NOTHING: Final = 1 << 16  # bytes; a disk with less left is full, whatever a library says
_REASONS: Final = {
    errno.ENOSPC: "the disk is full: make room or choose another folder",
    errno.ENOENT: "its folder is gone: make it again, or choose another one",
    errno.EDQUOT: "the disk quota is used up: make room or choose another folder",
    errno.EFBIG: "the file grew beyond what this system allows: choose another folder or raise the limit",
    errno.EACCES: "there is no permission to write there: choose another folder",
    errno.EPERM: "there is no permission to write there: choose another folder",
    errno.EROFS: "the folder is read-only: choose another one",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}


def write_error(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """Returns the OutputError that says in a sentence why `path` could not be written."""
    reason = _REASONS.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__
    return OutputError(f"{path} cannot be written: {reason}")


@contextmanager
def told_as_written(path: Path) -> Iterator[None]:
    """Stands around what writes `path`: what the system refuses becomes an OutputError about it."""
    try:
        yield
    except PixelfastError:  # some are OSErrors themselves, of other files
        raise
    except OSError as error:
        raise write_error(path, error) from error


def is_disk_full(error: BaseException, folder: Path | None = None) -> bool:
    """Says whether an error of whatever library comes of a full disk.

    Args:
        error: as it was raised. Some libraries pass on the system's words, others only that they could not write.
        folder: where was being written, while what was begun is still there; None where that is not known.
    """
    if isinstance(error, OSError):
        return error.errno == errno.ENOSPC
    if os.strerror(errno.ENOSPC) in str(error):
        return True
    try:
        return folder is not None and shutil.disk_usage(folder).free < _NEXT_TO_NOTHING
    except OSError:
        return False
