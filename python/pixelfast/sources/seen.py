"""What the bytes of a folder's files hashed to when they were last read: what stands unchanged is not read again.

Names, sizes and times of change decide only whether to look again; the fingerprint itself holds none of the times.
"""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from pixelfast.errors import OutputError
from pixelfast.files.atomic import atomic_path
from pixelfast.machine.measured import Measured

_SETTLED_SECONDS: Final = 2.0
"""A file that changed less than so long ago may change again within the same tick of a file system's clock."""


def remembered_fingerprint(
    folder: Path, names: Sequence[str], read: Callable[[], bytes], *, kept_as: Path | None = None
) -> bytes:
    """Returns the fingerprint of files in a folder: as it was when none has changed since, else what `read` gives.

    It is kept in the user's cache folder, by the folder's or by another path; where that cannot be, the files are read
    each time.
    """
    place, before = _place(kept_as or folder), _looks(folder, names)
    if place is None or before is None:
        return read()
    with suppress(OSError, ValueError):
        looks, known = place.read_text(encoding="ascii").split()
        if looks == before and len(known) == 64:
            return bytes.fromhex(known)
    fingerprint = read()
    if _looks(folder, names) == before:  # not where a file changed meanwhile, or has just changed
        with suppress(OSError, OutputError):
            place.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(place) as temporary:
                temporary.write_text(f"{before} {fingerprint.hex()}\n", encoding="ascii")
    return fingerprint


def _place(folder: Path) -> Path | None:
    """The file that keeps what is known of a folder; None where the user has no home."""
    with suppress(RuntimeError, OSError):
        name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
        return Measured("footage").file / name
    return None


def _looks(folder: Path, names: Sequence[str]) -> str | None:
    """A digest of what tells from outside that files have changed; None where that cannot be relied on."""
    digest, newest = hashlib.sha256(), 0
    try:
        for name in names:
            about = os.stat(f"{folder}/{name}")  # noqa: PTH116 - a video may have a million
            digest.update(b"%d %d %d %d " % (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns))
            digest.update(os.fsencode(name) + b"\0")
            newest = max(newest, about.st_mtime_ns, about.st_ctime_ns)
    except OSError:
        return None
    return digest.hexdigest() if newest / 1e9 < time.time() - _SETTLED_SECONDS else None
