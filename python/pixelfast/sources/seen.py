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


class Seen:
    """What is remembered of the files of one folder, in the user's cache folder; nothing where that cannot be.

    Attributes:
        fingerprint: what they hashed to, where none has changed since; None where they must be read.
    """

    def __init__(self, folder: Path, names: Sequence[str], kept_as: Path | None = None) -> None:
        """Takes the folder and the names of files in it; `kept_as`, the path that they go by, is else the folder's."""
        self._folder, self._names = folder, names
        self._place, self._before = _place(kept_as or folder), _looks(folder, names)
        self.fingerprint: bytes | None = None
        if self._place is not None:
            with suppress(OSError, ValueError):
                looks, known = self._place.read_text(encoding="ascii").split()
                self.fingerprint = bytes.fromhex(known) if looks == self._before and len(known) == 64 else None

    def or_read(self, read: Callable[[], bytes]) -> bytes:
        """Returns what the files hash to: as remembered, else what `read` gives, which is remembered then."""
        if self.fingerprint is not None:
            return self.fingerprint
        fingerprint = read()
        self.remember(fingerprint)
        return fingerprint

    def remember(self, fingerprint: bytes) -> None:
        """Keeps what the files hashed to that were read since; not where one changed meanwhile, or has just changed."""
        if None in (self._place, self._before) or _looks(self._folder, self._names) != self._before:
            return
        assert self._place is not None
        with suppress(OSError, OutputError):
            self._place.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(self._place) as temporary:
                temporary.write_text(f"{self._before} {fingerprint.hex()}\n", encoding="ascii", newline="\n")


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
