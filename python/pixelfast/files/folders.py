"""Folders of results that appear whole or not at all, and folders for work in progress."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pixelfast.errors import OutputError
from pixelfast.files.locks import alone_with, hidden_beside, sweep
from pixelfast.files.refused import told_as_written, write_error


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yields an empty temporary folder beside `out`, which becomes `out` when the block ends well, else is removed.

    Raises:
        OutputError: `out` is a file or holds something, the folder above it is missing or cannot be written, or another
            run that is still at work makes it.
    """
    check_new_folder(out)
    with told_as_written(out), alone_with(out), hidden_beside(out) as temporary:
        check_new_folder(out)  # another run may have made it since
        temporary.mkdir()
        yield temporary
        # An empty folder at `out` gives way; anything else that came up there meanwhile does not.
        if os.name == "nt" and out.is_dir():
            out.rmdir()  # which a rename replaces elsewhere
        temporary.replace(out)


def check_new_folder(out: Path) -> None:
    """Refuses an `out` that is taken; what runs that are gone left unfinished beside it is swept away.

    Raises:
        OutputError: it is a file, holds something, or there is no folder above it.
    """
    sweep(out.parent)
    try:
        if out.is_dir() and any(out.iterdir()):
            raise OutputError(f"the folder {out} is not empty: name a new one")
        if out.exists() and not out.is_dir():
            raise OutputError(f"{out} is a file: name a new folder")
        if not out.parent.is_dir():
            raise OutputError(f"{out} cannot be made: there is no folder {out.parent}: make it first")
    except PermissionError as error:
        raise write_error(out, error) from error


@contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """Yields an empty folder on the disk of `beside`, removed at the end.

    Raises:
        OutputError: it cannot be made.
    """
    place = beside.resolve()
    sweep(place.parent)
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(hidden_beside(place))
            folder.mkdir()
        except OSError as error:
            raise write_error(place.parent, error) from error
        yield folder
