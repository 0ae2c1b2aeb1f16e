"""A video as a folder of image files, one a frame."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import SourceError
from pixelfast.sources.numbering import ordered_frames
from pixelfast.sources.video import UNREADABLE, Chunk, Color


class FolderVideo:
    """The frames of one folder, in the natural order of their names.

    Attributes:
        name: the folder's name.
        folder: the folder.
        frame_ids: i64[N], the trailing digits of the file names, or the position where these tell no frames apart.
        numbered: whether `frame_ids` come from the names.
    """

    def __init__(self, folder: Path, frames: list[str]) -> None:
        """Takes the folder and the names of the image files in it, in any order (at least one)."""
        self.folder = folder
        self.name = _video_name(folder)
        self._names, ids = ordered_frames(frames)
        self.numbered = ids is not None
        self.frame_ids: NDArray[np.int64] = np.arange(len(frames), dtype=np.int64) if ids is None else ids
        self.frame_ids.flags.writeable = False

    def __repr__(self) -> str:
        return f"FolderVideo({str(self.folder)!r}, {self.length} frames)"

    @property
    def length(self) -> int:
        """The number of frames."""
        return len(self._names)

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The file of each frame."""
        return tuple(self.folder / name for name in self._names)

    def chunks(
        self,
        height: int | None,
        width: int | None,
        color: Color = "grey",
        chunk: int = 64,
        threads: int | None = None,
    ) -> Iterator[Chunk]:
        """Decodes all frames, `chunk` at a time: see `Video.chunks`."""
        if chunk < 1:
            raise ValueError(f"chunk must be at least 1, not {chunk}")
        if (height is None) != (width is None):
            raise ValueError("height and width go together: give both, or neither to keep the size")
        if height is None or width is None:
            return self._chunks(*self.size(), color, chunk, threads, kept=True)
        return self._chunks(height, width, color, chunk, threads, kept=False)

    def _chunks(
        self, height: int, width: int, color: Color, chunk: int, threads: int | None, *, kept: bool
    ) -> Iterator[Chunk]:
        for start in range(0, self.length, chunk):
            files = self._files(start, start + chunk)
            frames, status = _core.decode_frames(files, height, width, color, threads)
            if kept:
                _refuse_other_sizes(files, status, (height, width))
            yield Chunk(self.frame_ids[start : start + chunk], frames, status)

    def describe(self, index: int) -> str:
        """The path of frame `index`."""
        return self._files(index, index + 1)[0]

    def explain(self, index: int) -> str:
        """Why frame `index` is not readable in full, as a clause that follows its path."""
        return _core.explain_frame(self.describe(index)) or "can be read now, though not when it was first tried"

    def fingerprint(self) -> bytes:
        """32 bytes over the name, the size and the first and last 64 KiB of each file, in order."""
        return _core.fingerprint_files(self._files(0, self.length))

    def size(self) -> tuple[int, int]:
        """Height and width of the first frame that can be read: see `Video.size`."""
        for index in range(self.length):
            file = self.describe(index)
            # The header alone may promise a size that the rest of the file does not keep.
            if _is_readable(file):
                return _core.frame_size(file)
        raise SourceError(
            f"{self.folder} holds no frame that can be read: {self.describe(0)} {self.explain(0)}. "
            "Copy or extract the frames again"
        )

    def check_one_size(self) -> None:
        """Looks at every frame's header; unreadable frames are passed over.

        Raises:
            SourceError: two frames differ in size; both are named.
        """
        first: tuple[str, tuple[int, int]] | None = None
        for file in self._files(0, self.length):
            try:
                size = _core.frame_size(file)
            except ValueError:
                continue
            if first is None:
                first = file, size
            elif size != first[1]:
                sizes = [f"{path} has {width}x{height}" for path, (height, width) in (first, (file, size))]
                raise SourceError(
                    f"the frames of video {self.name} are not all of one size, so their motion means nothing: "
                    f"{' and '.join(sizes)} pixels. Extract them again, or score each size as a video of its own"
                )

    def _files(self, start: int, stop: int) -> list[str]:
        # Plain text, not Path objects: a video may have a million frames.
        return [f"{self.folder}/{name}" for name in self._names[start:stop]]


def _is_readable(file: str) -> bool:
    """Whether at least a part of an image can be decoded."""
    _, status = _core.decode_frames([file], 1, 1)
    return bool(status[0] != UNREADABLE)


def _refuse_other_sizes(files: list[str], status: NDArray[np.uint8], size: tuple[int, int]) -> None:
    """Raises where a readable frame is not of the size (height, width) that the video's first one has."""
    for index in np.flatnonzero(status != UNREADABLE):
        height, width = _core.frame_size(files[index])
        if (height, width) != size:
            raise SourceError(
                f"{files[index]} is {width}x{height} pixels, but the first frame of its video is {size[1]}x{size[0]}: "
                "make all frames of a video the same size"
            )


def _video_name(folder: Path) -> str:
    """The folder's name, also for `.` and `..`; refused where no text file could hold it."""
    name = folder.name if folder.name not in ("", "..") else folder.resolve().name
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise SourceError(f"{str(folder)!r} has a name that is not UTF-8 text: rename the folder") from error
    return name or str(folder.resolve())
