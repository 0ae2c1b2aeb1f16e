"""What lies in a folder: frames, folders, and everything else."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pixelfast.errors import SourceError

FRAME_SUFFIXES = frozenset({"jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp"})
VIDEO_SUFFIXES = frozenset(
    {"mp4", "avi", "mkv", "mov", "webm", "m4v", "mpg", "mpeg", "wmv", "flv", "mts", "m2ts", "ts", "3gp", "ogv", "y4m"}
)


@dataclass
class Listing:
    """The entries of one folder by kind, in no order; hidden ones are left out, `others` are no frames."""

    folders: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def suffix(name: str) -> str:
    """Returns what follows the last dot of a file name, in lower case, without the dot; "" where there is none."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def list_folder(folder: Path) -> Listing:
    """Sorts the entries of a folder into frames, folders and others, without a look into any file.

    A link that leads nowhere still counts by its name: it is a frame that cannot be read, not one to lose silently.

    Raises:
        SourceError: there is no such folder, or it may not be read.
    """
    try:
        with os.scandir(folder) as entries:
            return _sorted_by_kind(entries)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError(f"{folder} does not exist: give a folder of frames, or a folder of such folders") from error
    except OSError as error:
        raise SourceError(f"{folder} cannot be read: {error.strerror or error}") from error


def _sorted_by_kind(entries: "Iterable[os.DirEntry[str]]") -> Listing:
    listing = Listing()
    for entry in entries:
        name = entry.name
        if name.startswith("."):
            continue
        if _is_folder(entry):
            listing.folders.append(name)
        elif suffix(name) in FRAME_SUFFIXES and (entry.is_symlink() or entry.is_file()):
            listing.frames.append(name)
        else:
            listing.others.append(name)
    return listing


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
