"""A video as a folder of image files, one a frame; their names give the order and the numbers of the frames."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from copy import copy
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import LostFootageError, SourceError
from pixelfast.machine.abreast import abreast
from pixelfast.machine.threads import usable_cores
from pixelfast.options import USUAL_READING, Reading
from pixelfast.sources.clock import Timeline, beats
from pixelfast.sources.gaps import gap_starts
from pixelfast.sources.names import Names
from pixelfast.sources.numbering import number_frames
from pixelfast.sources.picture_file import MANY_SUFFIXES, suffix
from pixelfast.sources.seen import Seen
from pixelfast.sources.video import READABLE_NOW, UNREADABLE, Chunk, Color, Video

_THREADS_FOR_TWO: Final = 8
"""So many, and one for each core at least, decode two pieces at once, each with all of them: else all but one wait for
the last file of a piece. Fewer threads than there are cores are not exceeded, and lose little by waiting."""


class _Decoded(NamedTuple):
    """Some files as they were decoded, and what was met in them: positions within these files."""

    frames: NDArray[np.uint8]
    status: NDArray[np.uint8]
    digests: list[bytes]
    harmless: list[int]
    turned: list[int]
    several: dict[int, int]


class FolderVideo:
    """The frames of one folder, in the order of time, which the names of their files tell.

    Attributes:
        folder: where its images lie.
        name: the folder's name, or its path below a source of many.
        frame_ids: i64[N], the trailing digits of the file names where these rise, else the position: they always rise.
        length: the number of frames.
        by_position: a clause that says why `frame_ids` do not come from the names; None where they do.
        reading: how its pictures become pixels.
        strays: names of pictures that are left out: see `number_frames`.
        several: how many pictures the file at a position holds, of those decoded so far that hold more than one.
        harmless: the positions of files with a fault that costs no pixel, of those decoded so far.
        turned: the positions of files that were turned as their orientation says, of those decoded so far.
        timeline: all frames, where these are only some of them: see `at_rate`.
    """

    def __init__(
        self, folder: Path, frames: list[str], name: str | None = None, reading: Reading = USUAL_READING
    ) -> None:
        """Takes the folder and the names of the image files in it, in any order (at least one); None: its own name."""
        self.folder = folder
        self.name = video_name(folder, name)
        names, self.frame_ids, self.strays, self.by_position = number_frames(frames)
        self._names = Names(names)
        self.length = len(self._names)
        self._whole: FolderVideo | None = None
        self._remembers = True
        self.harmless: set[int] = set()
        self.turned: set[int] = set()
        self.several: dict[int, int] = {}
        self.reading = reading
        self.frame_ids.flags.writeable = False
        self._usual = self._usual_step()
        self.timeline: Timeline | None = None

    def __repr__(self) -> str:
        return f"FolderVideo({str(self.folder)!r}, {self.length} frames)"

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The file of each frame."""
        return tuple(self.folder / name for name in self._names)

    def _usual_step(self) -> tuple[int, float]:
        """Returns the first frame's number, and by how much that of one is usually above that of the one before."""
        step = 1.0 if self.length < 2 else float(np.median(np.diff(self.frame_ids)))
        return int(self.frame_ids[0]), step

    @property
    def seconds(self) -> NDArray[np.float64] | None:
        """Returns f64[N], when each frame was taken since the first; None where its rate is not known."""
        return self._seconds(slice(None))

    def _seconds(self, which: slice) -> NDArray[np.float64] | None:
        first, step = self._usual
        return None if self.reading.fps is None else (self.frame_ids[which] - first) / step / self.reading.fps

    def at_rate(self, rate: float) -> "FolderVideo":
        """Returns the video of which only so many frames a second are taken; its own rate must be known."""
        seconds = self.seconds
        assert seconds is not None
        taken = copy(self)
        taken._take(beats(seconds, rate))
        taken.timeline = Timeline(self.frame_ids, seconds, np.zeros(self.length, np.uint8))
        return taken

    def _take(self, which: NDArray[np.bool_]) -> None:
        """Leaves only some of the frames."""
        for known in ("paths", "starts", "sizes"):
            vars(self).pop(known, None)
        self.harmless, self.turned = set(), set()
        self._names = Names(self._names[index] for index in np.flatnonzero(which).tolist())
        self.frame_ids, self.length = self.frame_ids[which], int(which.sum())

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The positions of the frames before which time jumps: see `gap_starts`."""
        return gap_starts(self._names, self.frame_ids, numbered=self.by_position is None)

    def stretches(self) -> "list[FolderVideo]":
        """Returns the frames between the gaps as videos of their own; only itself where there are none."""
        if not self.starts:
            return [self]
        stretches = []
        for start, stop in pairwise((0, *self.starts, self.length)):
            stretch = copy(self)
            stretch._whole = self
            stretch.name = f"{self.name} from {self._names[start]}"
            at = np.arange(self.length)
            stretch._take((at >= start) & (at < stop))
            stretch.starts = ()
            stretches.append(stretch)
        return stretches

    def segment(self, start: int, stop: int) -> "FolderVideo":
        """Returns the frames at positions `start` to `stop` as a video of the same name, with its gaps.

        What its files hash to is not remembered: it is not all of the folder's.
        """
        some = copy(self)
        for known in ("paths", "starts", "sizes"):
            vars(some).pop(known, None)
        some._names, some.frame_ids = self._names[start:stop], self.frame_ids[start:stop]
        some.length = stop - start
        some.starts = tuple(one - start for one in self.starts if start < one < stop)
        some.harmless, some.turned, some.several, some.timeline = set(), set(), {}, None
        some._remembers = False
        return some

    def remember(self, files: bytes) -> None:
        """Keeps what the files hash to, the SHA-256 of all chunks' digests, so that they need not be read again."""
        Seen(self.folder, self._names).remember(files)

    def gaps(self) -> str | None:
        """Returns a sentence about the gaps of the video; None where there are none."""
        if not self.starts:
            return None
        after = self.starts[0]
        first, second = self._names[after - 1], self._names[after]
        more = f" (the first of {len(self.starts)} gaps)" if len(self.starts) > 1 else ""
        return (
            f"video {self.name}: its frames jump from {first} to {second}{more}, more than twice its usual "
            "step: neither windows nor flow run across, and the frames after it start anew"
        )

    def chunks(
        self,
        height: int | None,
        width: int | None,
        color: Color = "grey",
        chunk: int = 64,
        threads: int | None = None,
        *,
        digests: bool = False,
    ) -> Iterator[Chunk]:
        """Decodes all frames, `chunk` at a time: see `Video.chunks`; `digests` has each file hashed on the way."""
        if chunk < 1:
            raise ValueError(f"chunk must be at least 1, not {chunk}")
        if (height is None) != (width is None):
            raise ValueError("height and width go together: give both, or neither to keep the size")
        size = self.size() if height is None or width is None else (height, width)
        at_once = 2 if (threads or usable_cores()) >= max(_THREADS_FOR_TWO, usable_cores()) else 1

        def decoded(start: int) -> _Decoded:
            files = self._files(start, start + chunk)
            return self._decode(files, size, color, threads, digests=digests)

        def taken(starts: range) -> Iterator[Chunk]:
            for start, some in zip(starts, abreast(decoded, starts, at_once), strict=True):
                self._note(start, some)
                if height is None:
                    self._refuse_other_sizes(self._files(start, start + chunk), some.status, size)
                now = slice(start, start + chunk)
                seconds = self._seconds(now)
                yield Chunk(self.frame_ids[now], some.frames, some.status, seconds, b"".join(some.digests))

        chunks = taken(range(0, self.length, chunk))
        return self._remembered(chunks) if digests and self._remembers else chunks

    def _decode(
        self, files: list[str], size: tuple[int, int], color: Color, threads: int | None, *, digests: bool
    ) -> _Decoded:
        """Decodes files, on any thread: nothing of the video changes by it."""
        harmless, turned, hashed = list[int](), list[int](), list[bytes]()
        frames, status = _core.decode_frames(
            files, *size, color, threads, harmless=harmless, orientation=self.reading.orientation,
            depth=self.reading.depth, turned=turned, digests=hashed if digests else None,
        )  # fmt: skip
        some = [index for index, file in enumerate(files) if suffix(file) in MANY_SUFFIXES]
        counts = _core.count_pictures([files[index] for index in some], threads)
        several = {at: count for at, count in zip(some, counts, strict=True) if count > 1}
        return _Decoded(frames, status, hashed, harmless, turned, several)

    def _note(self, start: int, some: _Decoded) -> None:
        """Keeps what was met in files, the first of which is at position `start`."""
        self.harmless.update(start + index for index in some.harmless)
        self.turned.update(start + index for index in some.turned)
        self.several.update((start + at, count) for at, count in some.several.items())

    def _remembered(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """Yields all chunks; what their files hashed to need not be read again, where all of them could be read."""
        seen, files, whole = Seen(self.folder, self._names), hashlib.sha256(), True
        for chunk in chunks:
            files.update(chunk.digests)
            whole &= bool(np.all(chunk.status != UNREADABLE))
            yield chunk
        if whole:
            seen.remember(files.digest())

    def describe(self, index: int) -> str:
        """Returns the path of frame `index`."""
        return self._files(index, index + 1)[0]

    def explain(self, index: int) -> str:
        """Says why frame `index` is not readable in full, as a clause that follows its path."""
        return _core.explain_frame(self.describe(index)) or READABLE_NOW

    def fingerprint(self) -> bytes:
        """Returns 32 bytes over the name, size and bytes of each file, in order, and over how they are read."""
        seen = Seen(self.folder, self._names)
        return self.fingerprint_of(seen.or_read(lambda: _core.fingerprint_files(self._files(0, self.length))))

    def fingerprint_of(self, files: bytes) -> bytes:
        """Returns what `fingerprint` does, of the files as they were decoded: the SHA-256 of all chunks' digests."""
        unusual = self.reading.unusual()
        if self.timeline is not None:
            unusual["of"] = len(self.timeline.seconds)
        return hashlib.sha256(files + repr(unusual).encode()).digest() if unusual else files

    def size(self) -> tuple[int, int]:
        """Returns height and width of the first frame that can be read: see `Video.size`."""
        for index in range(self.length):
            file = self.describe(index)
            # The header alone may promise a size that the rest of the file does not keep.
            if _core.decode_frames([file], 1, 1)[1][0] != UNREADABLE:
                return self._size_of(file)
        raise LostFootageError(
            f"{self.folder} holds no frame that can be read: {self.describe(0)} {self.explain(0)}. "
            "Copy or extract the frames again"
        )

    @cached_property
    def sizes(self) -> dict[tuple[int, int], str]:
        """Each height and width that the frames' headers name, with the path of the first frame of that size.

        A header that cannot be read is passed over.
        """
        first: dict[tuple[int, int], str] = {}
        for file in self._files(0, self.length):
            with suppress(ValueError):
                first.setdefault(self._size_of(file), file)
        return first

    def check_one_size(self) -> None:
        """Raises a SourceError that names two frames whose headers differ in size; unreadable ones are passed over."""
        whole = self._whole or self
        sizes = [f"{path} has {width}x{height}" for (height, width), path in whole.sizes.items()]
        if len(sizes) > 1:
            raise SourceError(
                f"the frames of video {whole.name} are not all of one size, so their motion means nothing: "
                f"{' and '.join(sizes[:2])} pixels. Extract them again, or score each size as a video of its own"
            )

    def _size_of(self, file: str) -> tuple[int, int]:
        return _core.frame_size(file, orientation=self.reading.orientation)

    def _refuse_other_sizes(self, files: list[str], status: NDArray[np.uint8], size: tuple[int, int]) -> None:
        for index in np.flatnonzero(status != UNREADABLE):
            height, width = self._size_of(files[index])
            if (height, width) != size:
                raise SourceError(
                    f"{files[index]} is {width}x{height} pixels, but the first frame of its video is "
                    f"{size[1]}x{size[0]}: make all frames of a video the same size"
                )

    def _files(self, start: int, stop: int) -> list[str]:
        # Plain text, not Path objects: a video may have a million frames.
        return [f"{self.folder}/{self._names[index]}" for index in range(self.length)[start:stop]]


def gap_notes(videos: Iterable[Video]) -> list[str]:
    """Returns a sentence about each video that has gaps."""
    notes = [video.gaps() for video in videos if isinstance(video, FolderVideo)]
    return [note for note in notes if note is not None]


def without_gaps(videos: Iterable[Video]) -> list[Video]:
    """Returns the stretches between gaps, each a video of its own."""
    return [part for video in videos for part in (video.stretches() if isinstance(video, FolderVideo) else [video])]


def video_name(folder: Path, given: str | None = None) -> str:
    """Returns the given or the folder's name, also for `.` and `..`; refused where no text file could hold it."""
    name = given or (folder.name if folder.name not in ("", "..") else folder.resolve().name)
    try:
        name = os.fsencode(name).decode("utf-8")  # whatever the locale took its bytes for
    except UnicodeError as error:
        raise SourceError(f"{str(folder)!r} has a name that is not UTF-8 text: rename the folder") from error
    return name or str(folder.resolve())
