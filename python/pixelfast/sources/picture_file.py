"""A video as one file of several pictures: a TIFF stack, or an animated PNG, WebP or GIF."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from pixelfast import _core
from pixelfast.errors import LostFootageError, SourceError
from pixelfast.options import USUAL_READING, Reading
from pixelfast.sources.clock import Timeline, beats
from pixelfast.sources.seen import Seen
from pixelfast.sources.video import READABLE_NOW, Chunk, Color

MANY_SUFFIXES: Final = frozenset({"png", "tif", "tiff", "webp"})
"""Kinds of frames of which one file may hold several."""

ANIMATION_SUFFIXES: Final = frozenset({"gif", "apng"})
"""Kinds of files that are no frames, but may be videos."""


class PictureFile:
    """The pictures of one file, in its order.

    Attributes:
        path: the file.
        name: the file's name without its suffix, or what the source calls it.
        length: the number of pictures; those that a cut-off file announces and lacks count, and are unreadable.
        reading: how its pictures become pixels.
        timeline: all pictures, where only some are taken: see `at_rate`.
    """

    def __init__(self, path: Path, name: str | None = None, reading: Reading = USUAL_READING) -> None:
        """Opens the file, without decoding a picture.

        Raises:
            SourceError: it cannot be read, or is of a kind that holds one picture only.
        """
        self.path = path
        self.name = name or path.stem
        self.reading = reading
        try:
            reader = self._reader()
        except ValueError as error:
            raise SourceError(str(error)) from error
        self.length = self._pictures = reader.length
        self.seconds = None if reader.seconds is None else np.array(reader.seconds)
        self.timeline: Timeline | None = None
        self._taken = np.ones(self.length, np.bool_)
        self._reasons: dict[int, str] = {}

    def at_rate(self, rate: float) -> "PictureFile":
        """Returns the video of which only so many pictures a second are taken; their times must be known."""
        assert self.seconds is not None
        taken = copy(self)
        taken._taken = beats(self.seconds, rate)
        taken.length = int(taken._taken.sum())
        taken.timeline = Timeline(np.arange(self.length), self.seconds, np.zeros(self.length, np.uint8))
        return taken

    def __repr__(self) -> str:
        return f"PictureFile({str(self.path)!r}, {self.length} pictures)"

    def chunks(
        self, height: int | None, width: int | None, color: Color = "grey", chunk: int = 64, threads: int | None = None
    ) -> Iterator[Chunk]:
        """Decodes all pictures, `chunk` at a time: see `Video.chunks`."""
        if chunk < 1:
            raise ValueError(f"chunk must be at least 1, not {chunk}")
        if (height is None) != (width is None):
            raise ValueError("height and width go together: give both, or neither to keep the size")
        if height is None:
            self.check_one_size("make all pictures of a video the same size")
        rows, columns = self.size() if height is None or width is None else (height, width)
        reader = self._opened()

        def decoded(start: int) -> Chunk:
            count = min(chunk, self._pictures - start)
            frames, status, reasons = reader.next(
                count, rows, columns, color, threads, self.reading.orientation, self.reading.depth
            )
            self._reasons.update(reasons)
            which = self._taken[start : start + count]
            times = None if self.seconds is None else self.seconds[start : start + count][which]
            return Chunk(np.arange(start, start + count)[which], frames[which], status[which], times)

        return (some for start in range(0, self._pictures, chunk) if len((some := decoded(start)).status))

    def describe(self, index: int) -> str:
        """Returns the path of the file and the number of picture `index`, from 1."""
        return f"{self.path} (picture {self._picture(index) + 1})"

    def explain(self, index: int) -> str:
        """Says why picture `index` is not readable in full, by what the last pass over the file met."""
        return self._reasons.get(self._picture(index), READABLE_NOW)

    def _picture(self, index: int) -> int:
        """The position in the file of one that is taken."""
        return int(np.flatnonzero(self._taken)[index])

    def fingerprint(self) -> bytes:
        """Returns 32 bytes over the name, size and bytes of the file, and over how it is read."""
        seen = Seen(self.path.parent, [self.path.name], self.path)
        file = seen.or_read(lambda: _core.fingerprint_files([self.path]))
        return hashlib.sha256(b"pictures" + file + repr((self.length, self.reading.unusual())).encode()).digest()

    def size(self) -> tuple[int, int]:
        """Returns height and width of the first picture whose header can be read: see `Video.size`."""
        for size in self._opened().sizes(self.reading.orientation):
            if size is not None:
                return size
        raise LostFootageError(f"{self.path} holds no picture that can be read. Copy or extract it again")

    @cached_property
    def sizes(self) -> dict[tuple[int, int], str]:
        """Each height and width among the pictures, and the first of that size; unreadable ones are left."""
        first: dict[tuple[int, int], str] = {}
        for index, size in enumerate(self._opened().sizes(self.reading.orientation)):
            if size is not None:
                first.setdefault(size, f"{self.path} (picture {index + 1})")
        return first

    def check_one_size(self, mend: str = "Score each size as a video of its own") -> None:
        """Raises a SourceError that names two pictures that differ in size."""
        sizes = [f"{place} has {width}x{height}" for (height, width), place in self.sizes.items()]
        if len(sizes) > 1:
            raise SourceError(
                f"the pictures of video {self.name} are not all of one size: {' and '.join(sizes[:2])} pixels. {mend}"
            )

    def _reader(self) -> _core.PictureReader:
        return _core.PictureReader(self.path)

    def _opened(self) -> _core.PictureReader:
        """The file from its start; a LostFootageError where it has gone, or is another."""
        try:
            reader = self._reader()
        except ValueError as error:
            raise LostFootageError(f"video {self.name}: {error}") from error
        if reader.length != self._pictures:
            raise LostFootageError(f"{self.path} changed while it was read: score it again")
        return reader


def several(folder: Path, frames: Sequence[str], others: Sequence[str]) -> list[str]:
    """Returns the names of a folder's files that are videos of their own; none where it holds single frames.

    No file is opened where one of another kind is among the frames; else only those before the first single picture.
    """
    if any(suffix(name) not in MANY_SUFFIXES for name in frames):
        return []
    if any(count_pictures(folder / name) < 2 for name in sorted(frames)):
        return []
    animations = [name for name in others if suffix(name) in ANIMATION_SUFFIXES]
    lone = len(frames) + len(animations) == 1
    return [*frames, *(name for name in animations if count_pictures(folder / name) >= (1 if lone else 2))]


def count_pictures(file: Path) -> int:
    """Returns how many pictures a file holds, by its structure; 0 where it cannot be read, 1 for a single picture."""
    return _core.count_pictures([file], 1)[0]


def suffix(name: str) -> str:
    """Returns what follows the last dot of a file name, in lower case; "" where there is none."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def first_picture_note(files: Iterable[tuple[str, int]]) -> list[str]:
    """Returns one sentence about frames whose files hold several pictures, by path and number; nothing for none."""
    found = list(files)
    if not found:
        return []
    more = f"; {len(found):,} such files" if len(found) > 1 else ""
    return [f"{found[0][0]} holds {found[0][1]} pictures, the first is read{more}"]
