"""What was measured on this machine, kept in the user's cache folder for later runs."""

import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

from pixelfast.errors import OutputError
from pixelfast.files.atomic import atomic_path


class Measured:
    """A JSON file of measurements by key; whatever is lost with it can be measured again.

    Args:
        name: the file's name in pixelfast's part of the user's cache folder (XDG convention).
    """

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def file(self) -> Path:
        """Where it lies."""
        root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        return Path(root).expanduser() / "pixelfast" / self._name

    def read(self) -> dict[str, Any]:
        """All measurements; a missing or damaged file holds none."""
        try:
            everything = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RuntimeError):  # the last: there is no home
            return {}
        return everything if isinstance(everything, dict) else {}

    def remember(self, key: str, value: Any) -> str | None:
        """Adds a measurement, or replaces one.

        Returns:
            Why it could not be written; None where it was.
        """
        everything = self.read()
        if everything.get(key) == value:
            return None
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(self.file) as temporary:
                temporary.write_text(json.dumps({**everything, key: value}, indent=1), encoding="utf-8")
        except (OSError, OutputError, RuntimeError) as error:
            return str(error)
        return None


def processor() -> str:
    """The processor's name and a digest of its abilities, as one name covers several generations in the cloud."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    abilities = hashlib.blake2b(facts.get("flags", "").encode(), digest_size=4).hexdigest()
    return f"{facts.get('model name', platform.machine())} {abilities}"
