"""What lies in the folders of a source: names by kind, without a look into any file."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pixelfast.errors import SourceError
from pixelfast.files.natural import natural_key
from pixelfast.model.manifest import FILE_NAME as MANIFEST
from pixelfast.sources.picture_file import several, suffix
from pixelfast.sources.video_file import VIDEO_SUFFIXES

FRAME_SUFFIXES = frozenset({"jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp"})
OWN_SUFFIXES = frozenset({"parts", "training"})


class Contents(NamedTuple):
    """The names in one folder by kind, in no order; hidden ones are left out."""

    folders: list[str]
    frames: list[str]
    films: list[str]
    others: list[str]

    def own_frames(self) -> list[str]:
        """Returns the frames that are no thumbnails: none has the name of a video file beside it."""
        if not self.films:
            return self.frames
        films = {film.rpartition(".")[0] for film in self.films}
        return [frame for frame in self.frames if frame.rpartition(".")[0] not in films]

    def holds_videos(self, folder: Path) -> bool:
        """Whether there may be videos in the folder or below it."""
        return bool(self.frames or self.films or self.folders or several(folder, [], self.others))


def walk(folder: Path, listing: Contents) -> Iterator[tuple[Path, Contents]]:
    """Yields a folder and all below it, each before what it holds, in natural order; a link to one above is left."""
    waiting = [(folder, listing, frozenset[Path]())]
    while waiting:
        folder, listing, above = waiting.pop()
        yield folder, listing
        above |= {folder.resolve()} if listing.folders else set()
        inside = [folder / name for name in sorted(listing.folders, key=natural_key, reverse=True)]
        waiting += [(path, list_folder(path), above) for path in inside if path.resolve() not in above]


def list_folder(folder: Path) -> Contents:
    """Sorts the entries of a folder into frames, folders and others, without a look into any file.

    A link that leads nowhere still counts by its name: it is a frame that cannot be read, not one to lose silently.
    """
    listing = Contents([], [], [], [])
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if _is_folder(entry):
                    listing.folders.append(entry.name)
                elif suffix(entry.name) in FRAME_SUFFIXES and (entry.is_symlink() or entry.is_file()):
                    listing.frames.append(entry.name)
                elif suffix(entry.name) in VIDEO_SUFFIXES:
                    listing.films.append(entry.name)
                else:
                    listing.others.append(entry.name)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError(f"{folder} does not exist: give a folder of frames, or a folder of such folders") from error
    except OSError as error:
        raise SourceError(f"{folder} cannot be read: {error.strerror or error}") from error
    return listing


def is_ours(folder: Path) -> bool:
    """Whether a folder without frames is one that pixelfast writes: parts, an unfinished training, or a model."""
    if suffix(folder.name) not in OWN_SUFFIXES and not (folder / MANIFEST).is_file():
        return False
    listing = list_folder(folder)
    return not listing.frames and not listing.films and not listing.folders


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
