"""Two paths that change names in one step, where the system can: at no moment is either of them without one."""

import ctypes
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

_AT_FDCWD: Final = -100
_EXCHANGE: Final = 2  # RENAME_EXCHANGE of Linux's renameat2, RENAME_SWAP of macOS's renamex_np


def exchange(one: Path, other: Path) -> bool:
    """Gives each of two paths of one file system the other's name; False, and nothing done, where that cannot be."""
    call = _call()
    if call is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin":
        return bool(call(*names, _EXCHANGE) == 0)
    return bool(call(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE) == 0)


@cache
def _call() -> Any:
    """The function of the system's library; None where it has none."""
    if sys.platform not in ("linux", "darwin"):
        return None
    name = "renamex_np" if sys.platform == "darwin" else "renameat2"
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except OSError:
        return None
