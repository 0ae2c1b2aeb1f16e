"""What a forked process has of its parent's work: memory with engines and locks in it, and none of the threads."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from weakref import WeakSet

from pixelfast.errors import EngineError

_SPAWN: Final = 'start processes by spawn: multiprocessing.get_context("spawn")'

_at_work = set[object]()  # one for each piece of work that is under way, on whatever thread
_own, _foreign = WeakSet[object](), list[object]()  # engines of this process, and of those that it was forked from
_inherited = dict.fromkeys(("torn", "torch"), False)  # forked from the midst of such work; where PyTorch was loaded


@contextmanager
def work_under_way() -> Iterator[None]:
    """Stands around work with engines: a process that is forked meanwhile is refused by `check_not_torn`."""
    token = object()
    _at_work.add(token)
    try:
        yield
    finally:
        _at_work.discard(token)


def check_not_torn() -> None:
    """Refuses to go on in a process that was forked while its parent worked: locks held then are held for ever.

    Raises:
        EngineError: it was.
    """
    if _inherited["torn"]:
        raise EngineError(
            f"this process was forked while its parent was scoring, and might wait for ever for it: {_SPAWN}"
        )


def check_torch_not_inherited() -> None:
    """Refuses to compute by PyTorch in a process that was forked from one with PyTorch: it would wait for its threads.

    Raises:
        EngineError: it was.
    """
    if _inherited["torch"]:
        raise EngineError(
            f"this process was forked from one that had loaded PyTorch, whose threads are not here: {_SPAWN}, or take "
            "an .onnx engine"
        )


def belongs_here(engines: object) -> None:
    """Notes what only this process can use: in a forked one it is foreign, and lives as long as that."""
    _own.add(engines)


def is_foreign(engines: object) -> bool:
    """Returns whether this process was forked from the one that the engines belong to."""
    return any(one is engines for one in _foreign)


def check_not_foreign(engines: object, name: str) -> None:
    """Refuses what a process has from the one it was forked from: its threads are not here.

    Raises:
        EngineError: the engines, which are called by this name, are of that one.
    """
    if is_foreign(engines):
        raise EngineError(
            f"{name} was opened before this process was forked, and its threads are not here: open one in this "
            f"process, or {_SPAWN}"
        )


def _in_child() -> None:
    _inherited["torn"] |= bool(_at_work)
    _inherited["torch"] |= "torch" in sys.modules
    _at_work.clear()
    for engines in _own:
        _foreign.append(engines)
        # Not even the end of the process frees it: it would wait for the threads.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(engines))
    _own.clear()


if hasattr(os, "register_at_fork"):  # Windows forks nothing
    os.register_at_fork(after_in_child=_in_child)
