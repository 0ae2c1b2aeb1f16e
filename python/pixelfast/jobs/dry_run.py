"""What a run would be, before it is one: frames, bytes, and hours by a rate that is measured on the footage."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from pixelfast.errors import LostFootageError
from pixelfast.jobs.line import Line
from pixelfast.jobs.score import Request, prepare
from pixelfast.notes import Notes
from pixelfast.pipeline.parts import Job, PartStore
from pixelfast.pipeline.scoring import Stages, score_videos
from pixelfast.progress import duration
from pixelfast.sources import FolderVideo, PictureFile, Source, Video, VideoFile
from pixelfast.sources.excerpt import Excerpt
from pixelfast.sources.video_file import about_frames

_LOOKS: Final = (64, 256, 2048)
"""Frames that are scored, one after the other: the first ones warm up, the last ones only where that is soon done."""

_SOON_SECONDS: Final = 2.0


@dataclass(frozen=True)
class DryRun:
    """What `pixelfast.score` would have to do, and how long it would take here.

    Attributes:
        videos: how many there are.
        frames: of all of them, of video files as their headers say; None where one does not say it.
        nbytes: of their files.
        rate: frames a second, as measured.
        measured: the frames that were scored to measure it.
        video: the video that they are of.
        threads: what decoder and engine could use, each.

    Examples:
        >>> found = pixelfast.dry_run("new", engine="model")
        >>> found.videos, found.frames, found.rate > 0
        (2, 80, True)
    """

    videos: int
    frames: int | None
    nbytes: int
    rate: float
    measured: int
    video: str
    threads: int

    def hours(self, workers: int = 1) -> float | None:
        """Returns how long it takes so many workers like this machine; None where the frames are not known.

        Examples:
            >>> found = pixelfast.dry_run("new", engine="model")
            >>> round(found.hours() / found.hours(workers=4))
            4
        """
        return None if self.frames is None else self.frames / self.rate / 3600 / workers

    def rows(self) -> list[tuple[str, str]]:
        """Returns names and what they are, for people.

        Examples:
            >>> pixelfast.dry_run("new", engine="model").rows()[0]
            ('videos', '2')
        """
        hours, each = self.hours(), f"with {self.threads} threads" if self.threads > 1 else "with one thread"
        frames = "not known: a video file does not say it" if self.frames is None else f"{self.frames:,}"
        long = "not known" if hours is None else f"{hours:.2f} hours ({duration(hours * 3600)}) for one worker"
        return [
            ("videos", f"{self.videos:,}"),
            ("frames", frames),
            ("bytes", f"{self.nbytes:,} ({self.nbytes / 1e9:,.2f} GB) to read"),
            ("rate", f"{self.rate:,.0f} frames/s, measured here on {self.measured:,} frames of {self.video}, {each}"),
            ("time", f"{long}, if nothing of it is there yet; nothing was written"),
        ]


def look_ahead(source: Source, line: Line, shard: str | None = None) -> DryRun:
    """Counts a source and measures a little of it; see `pixelfast.dry_run`."""
    found = prepare(source, line, Request(parts=None if shard is None else "parts", shard=shard))
    _, stages = line.open(found.notes)
    job, videos = line.job(found.notes), found.videos
    lengths = [about_frames(video) for video in videos]
    known = [length for length in lengths if length is not None]
    order = sorted(range(len(videos)), key=lambda index: -(lengths[index] or 0))
    rate, measured, name = _measure([videos[index] for index in order], stages, job)
    frames, nbytes = sum(known) if len(known) == len(lengths) else None, sum(map(_bytes, videos))
    return DryRun(len(videos), frames, nbytes, rate, measured, f"video {name}", line.threads)


def _measure(videos: Sequence[Video], stages: Stages, job: Job) -> tuple[float, int, str]:
    """Frames a second on the first video of which some can be scored, how many frames these were, and its name."""
    failed: LostFootageError | None = None
    for video in videos:
        try:
            for most in _LOOKS:
                clip, started = _beginning(video, most), time.perf_counter()
                [part] = score_videos([clip], replace(stages, maps=False), PartStore(None, job, False), _Unsaid(), None)
                seconds = time.perf_counter() - started
                if most > _LOOKS[0] and seconds > _SOON_SECONDS:
                    break
        except LostFootageError as error:
            failed = failed or error
        else:
            return len(part.raw) / seconds, len(part.raw), video.name
    assert failed is not None, "a source holds a video at least"
    raise failed


class _Unsaid(Notes):
    """Sentences about the first frames of a video alone."""

    def say(self, *sentences: str) -> None:
        """Keeps sentences without logging them."""
        self.extend(sentences)


def _beginning(video: Video, most: int) -> Video:
    if isinstance(video, FolderVideo):
        return video.segment(0, min(most, video.length))
    return Excerpt(video, 0, most - 1)


def _bytes(video: Video) -> int:
    """The size of a video's files; those that cannot be looked at count nothing."""
    if isinstance(video, FolderVideo):
        return sum(map(_size, map(video.describe, range(video.length))))
    return _size(str(video.path)) if isinstance(video, PictureFile | VideoFile) else 0


def _size(file: str) -> int:
    with suppress(OSError):
        return os.stat(file).st_size  # noqa: PTH116 - a video may have a million
    return 0
