"""A video as people have it: a file that FFmpeg reads."""

import hashlib
from array import array
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from pixelfast import _core
from pixelfast.errors import LostFootageError, SourceError, beyond_repair
from pixelfast.machine.threads import usable_threads
from pixelfast.options import USUAL_READING, Reading
from pixelfast.sources.clock import Timeline, beat_at
from pixelfast.sources.folder import video_name
from pixelfast.sources.planes import Geometry, geometry_of, orientation_of, write_frames
from pixelfast.sources.seen import Seen
from pixelfast.sources.video import READABLE_NOW, Chunk, Color, Video

if TYPE_CHECKING:
    from pixelfast.sources.film import Film, Shot

VIDEO_SUFFIXES: Final = frozenset(
    {
        "mp4", "avi", "mkv", "mov", "webm", "ts", "m4v", "mpg", "mpeg", "wmv", "asf", "flv", "mts", "m2ts", "3gp",
        "3g2", "ogv", "y4m", "dav", "h264", "264", "h265", "265", "hevc", "mjpeg", "mjpg", "m2v", "vob", "mxf", "dv",
        "f4v", "divx", "ivf", "nut", "qt", "rm", "rmvb",
    }
)  # fmt: skip
"""Files that are taken as videos."""

_HELD_FRAMES: Final = 4
_HELD_BYTES: Final = 16 << 20
"""Decoded pictures that are resized at a time, at most: few, so that a processor's cache holds them."""

_DECODERS: Final = 4
"""Threads of FFmpeg that one can follow that resizes."""

_MOST_REASONS: Final = 1000
_MISSING_SECONDS: Final = 0.5
"""A header promises a little more than there is where sound lasts longer, or the last frame's time is not told."""


class VideoFile:
    """The frames of a video file, numbered from 0 as they are decoded.

    Attributes:
        path: the file.
        name: the file's name without its suffix, or what the source calls it.
        length: None: what a header says of it is not relied on.
        reading: how its pictures become pixels.
        notes: what the last whole pass over the file met, one sentence each.
        taken: frames a second that are taken; None for all.
        timeline: all frames of the last whole pass, where only some are taken.

    Examples:
        >>> from pathlib import Path
        >>> video = pixelfast.open_source("cam1.mp4")[0]
        >>> video.name, sum(len(chunk.frames) for chunk in video.chunks(128, 128))
        ('cam1', 40)
    """

    length = None

    def __init__(self, path: Path, name: str | None = None, reading: Reading = USUAL_READING) -> None:
        """Takes the file, without opening it."""
        self.path = path
        self.name = video_name(path.with_suffix(""), name)
        self.reading = reading
        self.notes: list[str] = []
        self.taken: float | None = None
        self.timeline: Timeline | None = None
        self._reasons: dict[int, str] = {}
        self._ids = array("q")  # of the frames that are taken, where not all are

    def __repr__(self) -> str:
        return f"VideoFile({str(self.path)!r})"

    def chunks(
        self, height: int | None, width: int | None, color: Color = "grey", chunk: int = 64, threads: int | None = None
    ) -> Iterator[Chunk]:
        """Decodes all frames, `chunk` at a time: see `Video.chunks`; each has its time in seconds.

        Raises:
            LostFootageError: the file is none that can be read, or no frame of it can be decoded.
        """
        if chunk < 1:
            raise ValueError(f"chunk must be at least 1, not {chunk}")
        if (height is None) != (width is None):
            raise ValueError("height and width go together: give both, or neither to keep the size")
        kept = height is None or width is None
        size = self.size() if height is None or width is None else (height, width)
        return self._decoded(_Cutter(size, color, chunk, usable_threads(threads), self.reading.orientation), kept)

    def _decoded(self, cutter: "_Cutter", kept: bool) -> Iterator[Chunk]:
        """The chunks of a whole pass."""
        from pixelfast.sources.shots import Shots

        self._reasons.clear()
        line = _Line(self.taken)
        self._ids = line.ids
        shots = Shots(self.path, cutter.threads, self.reading, cutter.size, cutter.color)
        with closing(iter(shots)) as coming:
            for index, shot in enumerate(coming):
                if not line.takes(index, shot):
                    continue
                if shot.status and len(self._reasons) < _MOST_REASONS:
                    self._reasons[index] = shot.why
                if cutter.add(shot, index):
                    yield self._cut(cutter, kept)
        if cutter.waits:
            yield self._cut(cutter, kept)
        if shots.film.clock.last is None:
            raise self._no_frames()
        self.timeline = line.whole()
        self.notes = _notes(self, shots.film, cutter.met)

    def _no_frames(self) -> LostFootageError:
        return beyond_repair(f"{self.path} holds no frame that can be decoded: copy or export it again")

    def _cut(self, cutter: "_Cutter", kept: bool) -> Chunk:
        chunk = cutter.cut()
        if kept and len(sizes := sorted({geometry.seen for geometry in cutter.met})) > 1:
            first, other = (f"{width}x{height}" for height, width in sizes[:2])
            raise SourceError(f"{self.path} changes from {first} to {other} pixels: cut it there, into two videos")
        return chunk

    def describe(self, index: int) -> str:
        """Returns the path of the file and the number of the frame at position `index` of those that are taken."""
        return f"{self.path} (frame {self._frame_id(index)})"

    def explain(self, index: int) -> str:
        """Says why frame `index` is not readable in full, by what the last pass over the file met."""
        return self._reasons.get(
            self._frame_id(index), READABLE_NOW if len(self._reasons) < _MOST_REASONS else "is damaged"
        )

    def _frame_id(self, index: int) -> int:
        return self._ids[index] if self.taken is not None and index < len(self._ids) else index

    def fingerprint(self) -> bytes:
        """Returns 32 bytes over the name, size and bytes of the file, and over how it is read."""
        seen = Seen(self.path.parent, [self.path.name], self.path)
        file = seen.or_read(lambda: _core.fingerprint_files([self.path]))
        return hashlib.sha256(b"file" + file + repr((self.taken, self.reading.unusual())).encode()).digest()

    def size(self) -> tuple[int, int]:
        """Returns height and width of the first frame that can be decoded, as it is seen: see `Video.size`."""
        return self._first.seen if self.reading.orientation else self._first.size

    @cached_property
    def _first(self) -> Geometry:
        """How the first frame lies."""
        from pixelfast.sources.film import Film

        with Film(self.path, 1) as film:
            for shot in film:
                if shot.frame is not None:
                    return geometry_of(shot.frame)
        raise self._no_frames()

    @cached_property
    def header(self) -> tuple[float | None, float | None]:
        """Returns frames a second and seconds, as the header says; None for what it does not say, or cannot be read."""
        from pixelfast.sources.film import Film

        with suppress(LostFootageError), Film(self.path, 1) as film:
            return film.rate, film.promised
        return None, None


def about_frames(video: Video) -> int | None:
    """Returns how many frames a video has, of a file by its header; None where that says nothing of it."""
    if video.length is not None or not isinstance(video, VideoFile):
        return video.length
    rate, seconds = video.header
    return None if rate is None or seconds is None else round(rate * seconds)


class _Line:
    """Which shots are taken at a lower rate, and the times of all; of all that are taken it keeps nothing."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._seconds, self._status = array("d"), bytearray()
        self.ids = array("q")
        self._beat = -1

    def takes(self, index: int, shot: "Shot") -> bool:
        """Whether a shot is the first at or after a beat."""
        if self._rate is None:
            return True
        self._seconds.append(shot.seconds)
        self._status.append(shot.status)
        beat = beat_at(shot.seconds - self._seconds[0], self._rate)
        before, self._beat = self._beat, beat
        if beat > before:
            self.ids.append(index)
        return beat > before

    def whole(self) -> Timeline | None:
        """Returns the times of all shots; None where all were taken."""
        if self._rate is None:
            return None
        seconds = np.frombuffer(self._seconds, np.float64).copy()
        return Timeline(np.arange(len(seconds)), seconds, np.frombuffer(bytes(self._status), np.uint8))


class _Cutter:
    """Makes chunks of shots; holds few pictures at a time.

    Attributes:
        size: height and width of the frames.
        color: of the frames.
        waits: how many shots wait for the chunk to be full.
        met: how pictures lay in memory so far.
    """

    def __init__(self, size: tuple[int, int], color: Color, chunk: int, threads: int, turn: bool) -> None:
        self.threads, self.met, self.waits = threads, set[Geometry](), 0
        self.size, self.color, self._chunk, self._turn = size, color, chunk, turn
        self._shape = (*size, 3) if color == "rgb" else size
        self._orientation: int | None = None  # of the first picture, and so of all
        self._held: list[Shot] = []
        self._begin()

    def _begin(self) -> None:
        self.waits = 0
        self._frames = np.zeros((self._chunk, *self._shape), np.uint8)
        self._seconds, self._status = np.zeros(self._chunk), np.zeros(self._chunk, np.uint8)
        self._ids = np.zeros(self._chunk, np.int64)

    def add(self, shot: "Shot", frame_id: int) -> bool:
        """Takes the next shot and its number; returns whether the chunk is full."""
        self._held.append(shot)
        self._ids[self.waits] = frame_id
        self._seconds[self.waits], self._status[self.waits] = shot.seconds, shot.status
        self.waits += 1
        plane = 0 if shot.frame is None else 3 * shot.frame.width * shot.frame.height
        if len(self._held) >= _HELD_FRAMES or len(self._held) * plane > _HELD_BYTES:
            self._write()
        return self.waits == self._chunk

    def cut(self) -> Chunk:
        """Returns the shots since the last cut as a chunk."""
        self._write()
        stop = self.waits
        chunk = Chunk(self._ids[:stop], self._frames[:stop], self._status[:stop], self._seconds[:stop])
        self._begin()
        return chunk

    def _write(self) -> None:
        """Writes the pictures that are held to the chunk's frames."""
        into = self._frames[self.waits - len(self._held) : self.waits]
        pictures = [shot.small or shot.frame for shot in self._held]
        threads = max(1, self.threads // _DECODERS)
        first = next((shot.frame for shot in self._held if shot.frame is not None), None)
        if self._orientation is None and first is not None:
            self._orientation = orientation_of(first) if self._turn else 1
        turn = self._orientation or 1
        self.met |= write_frames(pictures, into, self.color, orientation=turn, threads=threads)
        self._held.clear()


def _notes(video: VideoFile, film: "Film", met: set[Geometry]) -> list[str]:
    """What is to be said of a file after a whole pass over it."""
    who, notes = f"video {video.name}", list[str]()
    if any(geometry.orientation != 1 for geometry in met):
        notes.append(f"{who} carries a rotation and is turned by it: --no-orientation (orientation=False) leaves it")
    if film.interlaced and not video.reading.deinterlace:
        notes.append(f"{who} is interlaced: --deinterlace (deinterlace=True) takes the comb out of what moves")
    if film.clock.mended:
        notes.append(f"{who}: the times of {film.clock.mended:,} frames were missing or did not rise, and were mended")
    if film.undecoded:
        notes.append(f"{who}: {film.undecoded:,} frames in a row could not be decoded and have no score")
    missing, promised = film.missing_seconds(), film.promised
    if promised and (missing > _MISSING_SECONDS or film.missing):
        notes.append(
            f"{who}: {missing:.1f} of the {promised:.1f} seconds that its header promises are missing ({video.path} is "
            "cut off or damaged): copy it again if you can"
        )
    elif film.missing:
        notes.append(f"{who}: {missing:.1f} seconds are missing, as packets of {video.path} are lost")
    return notes
