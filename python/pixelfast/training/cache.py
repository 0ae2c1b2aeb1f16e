"""The training frames, decoded once: a file of bytes that every epoch reads through the page cache."""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ModelError
from pixelfast.files.atomic import atomic_path
from pixelfast.geometry import FRAME_SIZE, WINDOW
from pixelfast.machine.threads import usable_threads
from pixelfast.notes import Notes
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import Chunk, FolderVideo, LossGuard, Repair, Video, VideoFile
from pixelfast.sources.masking import painted
from pixelfast.sources.several import in_turn

HELD_OUT_SHARE: Final = 0.1
"""Share of the frames at the end of each video that training never sees: they give the stopping rule and thresholds."""

_FORMAT: Final = 1
_CHUNK_FRAMES: Final = 256


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
        frames: read-only.
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
            LostFootageError: so much of a video cannot be read that it is not repaired.
            OutputError: the file cannot be written.
        """
        index_path, notes = path.with_suffix(".json"), Notes()
        index_path.unlink(missing_ok=True)  # an interrupted build leaves no index, so nothing to open
        lengths, digest = _write(videos, path, (height, width), notes, threads=threads, progress=progress)
        entries = _split([video.name for video in videos], lengths, notes)
        index = {
            "format": _FORMAT,
            "height": height,
            "width": width,
            "videos": [asdict(entry) for entry in entries],
            "notes": notes,
            "bytes": digest,
        }
        with atomic_path(index_path) as temporary:
            temporary.write_text(json.dumps(index, indent=1), encoding="utf-8", newline="\n")
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
            raise ModelError(f"{path} is not what its index says: train again with --fresh")
        frames = np.memmap(path, np.uint8, mode="r", shape=(count, index["height"], index["width"]))
        digest = hashlib.blake2b(json.dumps(index, sort_keys=True).encode(), digest_size=16).hexdigest()
        return cls(path, frames, entries, digest, tuple(index["notes"]))

    def painted(self, mask: str | None) -> "FrameCache":
        """Returns the same footage with what a mask covers painted over, in a file beside this; itself for no mask.

        Raises:
            OutputError: the file cannot be written.
        """
        if mask is None:
            return self
        path = self.path.with_name(f"painted-{self.path.name}")
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            for start in range(0, len(self.frames), _CHUNK_FRAMES):
                frames = painted(np.array(self.frames[start : start + _CHUNK_FRAMES]), mask)
                file.write(np.ascontiguousarray(frames).data)
        index = {**_read_index(self.path), "mask": hashlib.sha256(mask.encode()).hexdigest()}
        with atomic_path(path.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(index, indent=1), encoding="utf-8", newline="\n")
        return FrameCache.open(path)

    def train_windows(self, stride: int = 2) -> NDArray[np.int64]:
        """i64[W]: first frames of the training windows; none straddles two videos or reaches into held-out frames."""
        return _starts(((v.offset, v.training) for v in self.videos), WINDOW, stride)

    def held_out_windows(self, stride: int = 1) -> NDArray[np.int64]:
        """i64[W]: first frames of the windows of held-out frames; empty where one short video is all there is."""
        return _starts(((v.offset + v.training, v.held_out) for v in self.videos), WINDOW, stride)

    def held_out(self) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Name and held-out frames u8[n,H,W] of each video that has some."""
        for video in self.videos:
            if video.held_out:
                yield video.name, self.frames[video.offset + video.training : video.offset + video.length]

    def train_frame_ids(self) -> NDArray[np.int64]:
        """i64[n]: positions in `frames` of all frames that are trained on."""
        return _starts((v.offset, v.training) for v in self.videos)

    def held_out_frame_ids(self) -> NDArray[np.int64]:
        """i64[n]: positions in `frames` of all held-out frames."""
        return _starts((v.offset + v.training, v.held_out) for v in self.videos)


def _write(
    videos: Sequence[Video],
    path: Path,
    size: tuple[int, int],
    notes: Notes,
    *,
    threads: int | None,
    progress: ProgressCallback | None,
) -> tuple[list[int], str]:
    """Writes the repaired frames of all videos; returns how many each has, and a hex BLAKE2b over all bytes."""
    known = [video.length for video in videos if video.length is not None]
    total = sum(known) if len(known) == len(videos) else None
    digest, lengths = hashlib.blake2b(digest_size=16), list[int]()
    turns = in_turn(
        videos, partial(_decoded, size=size, threads=threads), lambda video: video,
        threads=usable_threads(threads), chunk_bytes=_CHUNK_FRAMES * size[0] * size[1],
    )  # fmt: skip
    with atomic_path(path) as temporary, temporary.open("wb") as file, closing(turns):
        for video, decoded in turns:
            repair = Repair(video)
            lengths.append(0)
            for chunk in repair.run(LossGuard(video).run(decoded)):
                frames = np.ascontiguousarray(chunk.frames)
                digest.update(frames.data)
                file.write(frames.data)
                lengths[-1] += len(frames)
                if progress is not None:
                    progress(Progress("decode", sum(lengths), total, f"video {video.name}"))
            if (sentence := repair.sentence()) is not None:
                notes.say(sentence)
            notes.say(*(video.notes if isinstance(video, VideoFile) else ()))
    return lengths, digest.hexdigest()


def _decoded(video: Video, size: tuple[int, int], threads: int | None) -> Iterator[Chunk]:
    """All frames; a folder's files are hashed on the way, so that its fingerprint does not read them once more."""
    if isinstance(video, FolderVideo):
        return video.chunks(*size, "grey", _CHUNK_FRAMES, threads, digests=True)
    return video.chunks(*size, "grey", _CHUNK_FRAMES, threads)


def _split(names: list[str], lengths: list[int], notes: Notes) -> list[CachedVideo]:
    """Which frames of each video are held out; videos shorter than a window are left out, aloud."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).tolist()
    entries = [CachedVideo(*entry, held_out_frames(entry[2])) for entry in zip(names, offsets, lengths, strict=False)]
    videos = [video for video in entries if video.length >= WINDOW]
    short = [f"{video.name} ({video.length})" for video in entries if video.length < WINDOW]
    if not videos:
        what = f"every training video is too short: {_listing(short)}" if short else "there is no training video"
        raise ModelError(f"{what}; training needs videos of at least {WINDOW} frames, as one window is that long")
    if short:
        notes.say(f"training leaves out videos shorter than a window of {WINDOW} frames: {_listing(short)}")
    return _hold_out_whole_videos(videos)


def held_out_frames(length: int) -> int:
    """Returns how many frames at the end of a video of so many are held out."""
    return max(math.ceil(length * HELD_OUT_SHARE), WINDOW) if length >= 2 * WINDOW else 0


def _hold_out_whole_videos(videos: list[CachedVideo]) -> list[CachedVideo]:
    """Where every video is shorter than two windows, the last tenth of the videos stands in for their last tenths."""
    if any(video.held_out for video in videos) or len(videos) < 2:
        return videos
    whole = math.ceil(len(videos) * HELD_OUT_SHARE)
    return videos[:-whole] + [CachedVideo(v.name, v.offset, v.length, v.length) for v in videos[-whole:]]


def _listing(items: list[str], limit: int = 8) -> str:
    """The first few items with their numbers of frames, and how many more there are."""
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return "videos (frames) " + ", ".join(items[:limit]) + more


def spread(items: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Returns all of them where they are at most `most`, else so many, evenly spaced."""
    return items[np.linspace(0, len(items) - 1, min(len(items), most)).round().astype(np.int64)]


def _starts(spans: Iterable[tuple[int, int]], length: int = 1, stride: int = 1) -> NDArray[np.int64]:
    """Where runs of `length` frames begin in spans, each of which is an offset and a number of frames."""
    starts = [np.arange(offset, offset + count - length + 1, stride) for offset, count in spans]
    return np.concatenate([np.empty(0, np.int64), *starts]).astype(np.int64)


def _read_index(path: Path) -> dict[str, Any]:
    file = path.with_suffix(".json")
    try:
        index: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"there is no frame cache at {path}: train with --fresh") from None
    except ValueError as error:
        raise ModelError(f"{file} is damaged ({error}): train again with --fresh") from None
    if not isinstance(index, dict) or index.get("format") != _FORMAT:
        raise ModelError(f"{file} was written by another version: train again with --fresh")
    return index
