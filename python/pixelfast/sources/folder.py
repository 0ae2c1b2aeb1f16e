"""A video as a folder of image files, one a frame; their names give the order and the numbers of the frames."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import SourceError
from pixelfast.files.natural import natural_key
from pixelfast.sources.video import UNREADABLE, Chunk, Color

# 18 digits are what an int64 holds whatever they are.
_NUMBER = re.compile(r"(?<![0-9])0*(?P<number>[0-9]{1,18})(?P<suffix>\.[^.]*)$")


class FolderVideo:
    """The frames of one folder, in the natural order of their names.

    Attributes:
        folder: where its images lie.
        name: the folder's name.
        frame_ids: i64[N], the trailing digits of the file names, or the position where these tell no frames apart.
        length: the number of frames.
        numbered: whether `frame_ids` come from the names.
        harmless: the positions of files with a fault that costs no pixel, of those decoded so far.
    """

    def __init__(self, folder: Path, frames: list[str]) -> None:
        """Takes the folder and the names of the image files in it, in any order (at least one)."""
        self.folder = folder
        self.name = _video_name(folder)
        self.length = len(frames)
        self.harmless: set[int] = set()
        self._names, ids = ordered_frames(frames)
        self.numbered = ids is not None
        self.frame_ids: NDArray[np.int64] = np.arange(len(frames), dtype=np.int64) if ids is None else ids
        self.frame_ids.flags.writeable = False

    def __repr__(self) -> str:
        return f"FolderVideo({str(self.folder)!r}, {self.length} frames)"

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The file of each frame."""
        return tuple(self.folder / name for name in self._names)

    def chunks(
        self, height: int | None, width: int | None, color: Color = "grey", chunk: int = 64, threads: int | None = None
    ) -> Iterator[Chunk]:
        """Decodes all frames, `chunk` at a time: see `Video.chunks`."""
        if chunk < 1:
            raise ValueError(f"chunk must be at least 1, not {chunk}")
        if (height is None) != (width is None):
            raise ValueError("height and width go together: give both, or neither to keep the size")
        size = self.size() if height is None or width is None else (height, width)

        def decoded(start: int) -> Chunk:
            files = self._files(start, start + chunk)
            harmless: list[int] = []
            frames, status = _core.decode_frames(files, *size, color, threads, harmless=harmless)
            self.harmless.update(start + index for index in harmless)
            if height is None:
                _refuse_other_sizes(files, status, size)
            return Chunk(self.frame_ids[start : start + chunk], frames, status)

        return map(decoded, range(0, self.length, chunk))

    def describe(self, index: int) -> str:
        """Returns the path of frame `index`."""
        return self._files(index, index + 1)[0]

    def explain(self, index: int) -> str:
        """Says why frame `index` is not readable in full, as a clause that follows its path."""
        return _core.explain_frame(self.describe(index)) or "can be read now, though not when it was first tried"

    def fingerprint(self) -> bytes:
        """Returns 32 bytes over the name, the size and the first and last 64 KiB of each file, in order."""
        return _core.fingerprint_files(self._files(0, self.length))

    def size(self) -> tuple[int, int]:
        """Returns height and width of the first frame that can be read: see `Video.size`."""
        for index in range(self.length):
            file = self.describe(index)
            # The header alone may promise a size that the rest of the file does not keep.
            if _core.decode_frames([file], 1, 1)[1][0] != UNREADABLE:
                return _core.frame_size(file)
        raise SourceError(
            f"{self.folder} holds no frame that can be read: {self.describe(0)} {self.explain(0)}. "
            "Copy or extract the frames again"
        )

    def check_one_size(self) -> None:
        """Raises a SourceError that names two frames whose headers differ in size; unreadable ones are passed over."""
        first: dict[tuple[int, int], str] = {}
        for file in self._files(0, self.length):
            with suppress(ValueError):
                first.setdefault(_core.frame_size(file), file)
            if len(first) > 1:
                sizes = [f"{path} has {width}x{height}" for (height, width), path in first.items()]
                raise SourceError(
                    f"the frames of video {self.name} are not all of one size, so their motion means nothing: "
                    f"{' and '.join(sizes)} pixels. Extract them again, or score each size as a video of its own"
                )

    def _files(self, start: int, stop: int) -> list[str]:
        # Plain text, not Path objects: a video may have a million frames.
        return [f"{self.folder}/{name}" for name in self._names[start:stop]]


def _refuse_other_sizes(files: list[str], status: NDArray[np.uint8], size: tuple[int, int]) -> None:
    for index in np.flatnonzero(status != UNREADABLE):
        height, width = _core.frame_size(files[index])
        if (height, width) != size:
            raise SourceError(
                f"{files[index]} is {width}x{height} pixels, but the first frame of its video is {size[1]}x{size[0]}: "
                "make all frames of a video the same size"
            )


def _video_name(folder: Path) -> str:
    """Returns the folder's name, also for `.` and `..`; refused where no text file could hold it."""
    name = folder.name if folder.name not in ("", "..") else folder.resolve().name
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise SourceError(f"{str(folder)!r} has a name that is not UTF-8 text: rename the folder") from error
    return name or str(folder.resolve())


def ordered_frames(names: Sequence[str]) -> tuple[list[str], NDArray[np.int64] | None]:
    """Sorts file names naturally, and reads the frame numbers off them (`frame_0007.jpg` is 7).

    Returns:
        The sorted names, and i64[N]: the trailing digits of each, or None where these do not tell the frames apart: a
        name without any, two names with the same number, or one too large for an int64.
    """
    found = [match for match in map(_NUMBER.search, names) if match is not None]
    ids = np.array([match["number"] for match in found], dtype=np.int64)
    numbered = len(np.unique(ids)) == len(names)
    if numbered and len({(match.string[: match.start()], match["suffix"]) for match in found}) == 1:
        order = np.argsort(ids).tolist()  # nearly all names differ in the number alone, and this is much faster
    else:
        order = sorted(range(len(names)), key=lambda index: natural_key(names[index]))
    return [names[index] for index in order], ids[order] if numbered else None
