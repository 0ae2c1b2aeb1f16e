"""The training frames, decoded once: a file of bytes that every epoch reads through the page cache."""

import hashlib
import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ModelError
from pixelfast.files.atomic import atomic_path, write_error
from pixelfast.geometry import FRAME_SIZE, WINDOW
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import Repair, Video

HELD_OUT_SHARE: Final = 0.1
"""Share of the frames at the end of each video that training never sees: they give the stopping rule and thresholds."""

_FORMAT: Final = 1
_CHUNK_FRAMES: Final = 256

_log = logging.getLogger("pixelfast")


@dataclass(frozen=True)
class CachedVideo:
    """Where one video lies in the cache: frames `offset` to `offset + length`, the last `held_out` of them held out."""

    name: str
    offset: int
    length: int
    held_out: int

    @property
    def training(self) -> int:
        """Frames at the start of the video that are trained on."""
        return self.length - self.held_out


@dataclass(frozen=True, eq=False)
class FrameCache:
    """Grey training frames u8[N,H,W] in a memory-mapped file, video after video.

    Each video's last tenth is held out, but no fewer than one window (16 frames), and nothing where that would leave
    less than one window to train on. Where this holds out nothing at all, whole videos at the end are held out.

    Attributes:
        path: the file of bytes; its index is beside it, with the suffix `.json`.
        frames: u8[N,H,W], read-only.
        videos: the videos that are long enough to train on, in order.
        digest: hex BLAKE2b over all bytes and the index, so that a resumed run knows that the frames are the same.
        notes: what was said aloud while the cache was built.
    """

    path: Path
    frames: NDArray[np.uint8]
    videos: tuple[CachedVideo, ...]
    digest: str
    notes: tuple[str, ...]

    @classmethod
    def build(
        cls,
        videos: Sequence[Video],
        path: Path,
        height: int = FRAME_SIZE,
        width: int = FRAME_SIZE,
        *,
        threads: int | None = None,
        progress: ProgressCallback | None = None,
    ) -> "FrameCache":
        """Decodes every frame of `videos` once into `path`; unreadable frames are repaired, aloud.

        Raises:
            ModelError: no video holds 16 frames, or there is none.
            DecodeError: no frame of a video can be read.
            OutputError: the file cannot be written.
        """
        _index_path(path).unlink(missing_ok=True)  # an interrupted build leaves no index, so nothing to open
        writer = _Writer(path, (height, width), threads=threads, progress=progress, total=_total_frames(videos))
        lengths, notes = writer.write(videos)
        entries, skipped = _split([video.name for video in videos], lengths)
        index = {
            "format": _FORMAT,
            "height": height,
            "width": width,
            "videos": [asdict(entry) for entry in entries],
            "notes": [*notes, *_said(skipped)],
            "bytes": writer.digest,
        }
        _write_index(path, index)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "FrameCache":
        """Opens a cache that was built before.

        Raises:
            ModelError: there is none at `path`, it is of another version, or its files do not fit each other.
        """
        index = _read_index(path)
        entries = tuple(CachedVideo(**entry) for entry in index["videos"])
        frame_bytes = index["height"] * index["width"]
        count, rest = divmod(path.stat().st_size, frame_bytes) if path.is_file() else (0, 0)
        if rest or count < max(entry.offset + entry.length for entry in entries):
            raise ModelError(f"{path} is not what its index says: train again without --resume")
        frames = np.memmap(path, np.uint8, mode="r", shape=(count, index["height"], index["width"]))
        digest = hashlib.blake2b(json.dumps(index, sort_keys=True).encode(), digest_size=16).hexdigest()
        return cls(path, frames, entries, digest, tuple(index["notes"]))

    def train_windows(self, stride: int = 2) -> NDArray[np.int64]:
        """i64[W]: first frames of the training windows; none straddles two videos or reaches into held-out frames."""
        return _windows(((v.offset, v.training) for v in self.videos), stride)

    def held_out_windows(self, stride: int = 1) -> NDArray[np.int64]:
        """i64[W]: first frames of the windows of held-out frames; empty where one short video is all there is."""
        return _windows(((v.offset + v.training, v.held_out) for v in self.videos), stride)

    def held_out(self) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Name and held-out frames u8[n,H,W] of each video that has some."""
        for video in self.videos:
            if video.held_out:
                yield video.name, self.frames[video.offset + video.training : video.offset + video.length]

    def train_frame_ids(self) -> NDArray[np.int64]:
        """i64[n]: positions in `frames` of all frames that are trained on."""
        return _ranges((v.offset, v.training) for v in self.videos)

    def held_out_frame_ids(self) -> NDArray[np.int64]:
        """i64[n]: positions in `frames` of all held-out frames."""
        return _ranges((v.offset + v.training, v.held_out) for v in self.videos)


class _Writer:
    """Appends the repaired frames of video after video to one file, hashing as it goes."""

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        *,
        threads: int | None,
        progress: ProgressCallback | None,
        total: int | None,
    ) -> None:
        self._path = path
        self._size = size
        self._threads = threads
        self._progress = progress
        self._total = total
        self._hash = hashlib.blake2b(digest_size=16)
        self._done = 0

    @property
    def digest(self) -> str:
        """Hex BLAKE2b over all bytes written."""
        return self._hash.hexdigest()

    def write(self, videos: Sequence[Video]) -> tuple[list[int], list[str]]:
        """The frames of each video, and what had to be repaired."""
        with atomic_path(self._path) as temporary, temporary.open("wb") as file:
            outcome = [self._write_video(video, file) for video in videos]
        notes = [note for _, note in outcome if note is not None]
        for note in notes:
            _log.warning(note)
        return [length for length, _ in outcome], notes

    def _write_video(self, video: Video, file: BinaryIO) -> tuple[int, str | None]:
        repair = Repair(video)
        length = 0
        for chunk in repair.run(video.chunks(*self._size, "grey", _CHUNK_FRAMES, self._threads)):
            frames = np.ascontiguousarray(chunk.frames)
            self._hash.update(frames.data)
            self._append(file, frames)
            length += len(frames)
            self._tell(len(frames), video.name)
        return length, repair.sentence()

    def _append(self, file: BinaryIO, frames: NDArray[np.uint8]) -> None:
        try:
            file.write(frames.data)
        except OSError as error:
            raise write_error(self._path, error) from error

    def _tell(self, frames: int, video: str) -> None:
        self._done += frames
        if self._progress is not None:
            self._progress(Progress("decode", self._done, self._total, f"video {video}"))


def _split(names: list[str], lengths: list[int]) -> tuple[list[CachedVideo], list[str]]:
    """Which frames of each video are held out; videos shorter than a window are left out and named."""
    long_enough = [length >= WINDOW for length in lengths]
    short = [f"{name} ({length})" for name, length, fits in zip(names, lengths, long_enough, strict=True) if not fits]
    if not any(long_enough):
        what = f"every training video is too short: {_listing(short)}" if short else "there is no training video"
        raise ModelError(f"{what}; training needs videos of at least {WINDOW} frames, as one window is that long")
    offsets = np.concatenate([[0], np.cumsum(lengths)]).tolist()
    videos = [
        CachedVideo(name, offset, length, _held_out(length))
        for name, offset, length, fits in zip(names, offsets, lengths, long_enough, strict=False)
        if fits
    ]
    return _hold_out_whole_videos(videos), short


def _held_out(length: int) -> int:
    return max(math.ceil(length * HELD_OUT_SHARE), WINDOW) if length >= 2 * WINDOW else 0


def _hold_out_whole_videos(videos: list[CachedVideo]) -> list[CachedVideo]:
    """Where every video is shorter than two windows, the last tenth of the videos stands in for their last tenths."""
    if any(video.held_out for video in videos) or len(videos) < 2:
        return videos
    whole = math.ceil(len(videos) * HELD_OUT_SHARE)
    return videos[:-whole] + [CachedVideo(v.name, v.offset, v.length, v.length) for v in videos[-whole:]]


def _said(short: list[str]) -> list[str]:
    if not short:
        return []
    note = f"training leaves out videos shorter than a window of {WINDOW} frames: {_listing(short)}"
    _log.warning(note)
    return [note]


def _listing(items: list[str], limit: int = 8) -> str:
    """The first few items with their numbers of frames, and how many more there are."""
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return "videos (frames) " + ", ".join(items[:limit]) + more


def _windows(spans: Iterator[tuple[int, int]] | Any, stride: int) -> NDArray[np.int64]:
    starts = [np.arange(offset, offset + length - WINDOW + 1, stride) for offset, length in spans if length >= WINDOW]
    return np.concatenate([np.empty(0, np.int64), *starts]).astype(np.int64)


def _ranges(spans: Iterator[tuple[int, int]] | Any) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *(np.arange(start, start + n) for start, n in spans)]).astype(
        np.int64
    )


def _total_frames(videos: Sequence[Video]) -> int | None:
    lengths = [video.length for video in videos]
    return None if None in lengths else sum(length for length in lengths if length is not None)


def _index_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _write_index(path: Path, index: dict[str, Any]) -> None:
    with atomic_path(_index_path(path)) as temporary:
        temporary.write_text(json.dumps(index, indent=1), encoding="utf-8")


def _read_index(path: Path) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads(_index_path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"there is no frame cache at {path}: train without --resume") from None
    except ValueError as error:
        raise ModelError(f"{_index_path(path)} is damaged ({error}): train again without --resume") from None
    if not isinstance(index, dict) or index.get("format") != _FORMAT:
        raise ModelError(f"{_index_path(path)} was written by another version: train again without --resume")
    return index
