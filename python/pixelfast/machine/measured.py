"""What was measured on this machine, kept in the user's cache folder for later runs."""

import hashlib
import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelfast.errors import OutputError
from pixelfast.files.atomic import atomic_path
from pixelfast.machine.processor import facts


def user_cache() -> Path:
    """Returns pixelfast's folder in the user's cache folder (XDG convention); it need not be there yet.

    Raises:
        RuntimeError: the user has no home.
    """
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "pixelfast"


@dataclass(frozen=True)
class Measured:
    """A JSON file of measurements by key; whatever is lost with it can be measured again."""

    name: str

    @property
    def file(self) -> Path:
        """Returns its place in the user's cache folder; a RuntimeError where the user has no home."""
        return user_cache() / self.name

    def read(self) -> dict[str, Any]:
        """Returns all measurements; a missing or damaged file holds none."""
        try:
            everything = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RuntimeError):
            return {}
        return everything if isinstance(everything, dict) else {}

    def remember(self, key: str, value: Any) -> str | None:
        """Adds a measurement, or replaces one; returns why it could not be written, None where it was."""
        everything = self.read()
        if everything.get(key) == value:
            return None
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(self.file) as temporary:
                temporary.write_text(json.dumps({**everything, key: value}, indent=1), encoding="utf-8", newline="\n")
        except (OSError, OutputError, RuntimeError) as error:
            return str(error)
        return None


def processor() -> str:
    """Returns the processor's name and a digest of its abilities: one name covers several generations in the cloud."""
    known = facts()
    if not known:
        return platform.processor() or platform.machine()
    abilities = hashlib.blake2b(known.get("flags", "").encode(), digest_size=4).hexdigest()
    return f"{known.get('model name', platform.machine())} {abilities}"
