"""How many frames a second a video has, and how many of them are taken: flow is pixels a frame."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from pixelfast.errors import SourceError
from pixelfast.notes import Notes
from pixelfast.sources.folder import FolderVideo
from pixelfast.sources.picture_file import PictureFile
from pixelfast.sources.video import Video
from pixelfast.sources.video_file import VideoFile

ALIKE: Final = 1.1
"""Rates that differ by no more than this are one."""


def rate_of(video: Video) -> float | None:
    """Returns the frames a second of a video; None where nobody tells."""
    if isinstance(video, VideoFile):
        return video.header[0]
    if isinstance(video, FolderVideo):
        return video.reading.fps
    seconds = video.seconds if isinstance(video, PictureFile) else None
    steps = np.empty(0) if seconds is None else np.diff(seconds)
    return 1.0 / float(np.median(steps)) if len(steps) and np.median(steps) > 0 else None


def training_pace(videos: Sequence[Video], sample_fps: float | None, notes: Notes) -> tuple[list[Video], float | None]:
    """Returns the videos of a training with frames taken at one rate, and that rate: the lowest, where they differ.

    Raises:
        SourceError: a rate is asked for, and that of a video is not known.
    """
    rates = [rate_of(video) for video in videos]
    known = [rate for rate in rates if rate is not None]
    target = sample_fps or (min(known) if known else None)
    if sample_fps is None and known and max(known) > ALIKE * min(known):
        notes.say(
            f"the footage has {min(known):g} to {max(known):g} frames a second: all of it is learnt at the lowest "
            "rate; --sample-fps (sample_fps) chooses another"
        )
    return _taken(videos, rates, target, asked=sample_fps is not None), target


def scoring_pace(videos: Sequence[Video], trained: float | None, sample_fps: float | None, notes: Notes) -> list[Video]:
    """Returns the videos with frames taken at the rate that the model learnt; says aloud where that cannot be.

    Raises:
        SourceError: a rate is asked for, and that of a video is not known.
    """
    target = sample_fps or trained
    if target is None:
        return list(videos)
    rates = [rate_of(video) for video in videos]
    _say_another(trained, sample_fps, notes)
    slow = [one for one in zip(videos, rates, strict=True) if one[1] is not None and one[1] * ALIKE < target]
    if slow:
        more = f", as {len(slow) - 1} more videos" if len(slow) > 1 else ""
        notes.say(
            f"video {slow[0][0].name}{more} has {slow[0][1]:g} frames a second, and the model learnt {target:g}: "
            "things move farther from frame to frame than it knows, so scores rise; train with "
            f"--sample-fps {slow[0][1]:g}"
        )
    fast = [one for one in zip(videos, rates, strict=True) if one[1] is not None and one[1] > ALIKE * target]
    if fast:
        more = f" (and {len(fast) - 1} more videos)" if len(fast) > 1 else ""
        notes.say(
            f"{target:g} of the {fast[0][1]:g} frames a second of video {fast[0][0].name}{more} are scored, as the "
            "model learnt; the others get scores by interpolation"
        )
    return _taken(videos, rates, target, asked=sample_fps is not None)


def live_pace(
    name: str, rate: float | None, trained: float | None, sample_fps: float | None, notes: Notes
) -> float | None:
    """Returns how many frames a second are taken of a camera that gives `rate`, None for all; says aloud what differs.

    Raises:
        SourceError: a rate is asked for, and that of the camera is not known.
    """
    target = sample_fps or trained
    if rate is None and sample_fps is not None:
        raise SourceError(f"{name} does not tell its frames a second, so none can be left out: leave out sample_fps")
    if rate is None or target is None:
        return None
    _say_another(trained, sample_fps, notes)
    if rate * ALIKE < target:
        notes.say(
            f"{name} has {rate:g} frames a second, and the model learnt {target:g}: things move farther from frame to "
            f"frame than it knows, so scores rise; train with --sample-fps {rate:g}"
        )
    if rate <= ALIKE * target:
        return None
    notes.say(f"{target:g} of the {rate:g} frames a second of {name} are scored, as the model learnt")
    return target


def _say_another(trained: float | None, sample_fps: float | None, notes: Notes) -> None:
    if sample_fps and trained and not trained / ALIKE <= sample_fps <= trained * ALIKE:
        notes.say(
            f"the model learnt {trained:g} frames a second, and {sample_fps:g} are scored: what moves by another "
            f"distance from frame to frame looks unusual; train with --sample-fps {sample_fps:g}"
        )


def _taken(videos: Sequence[Video], rates: Sequence[float | None], target: float | None, *, asked: bool) -> list[Video]:
    if asked and None in rates:
        video = videos[rates.index(None)]
        raise SourceError(
            f"{video.describe(0)}: how many frames a second video {video.name} has is not known, so none can be left "
            "out; say it with --fps (fps)"
        )
    return [_at_rate(video, rate, target) for video, rate in zip(videos, rates, strict=True)]


def _at_rate(video: Video, rate: float | None, target: float | None) -> Video:
    if rate is None or target is None or rate <= ALIKE * target:
        return video
    if isinstance(video, VideoFile):
        video.taken = target
        return video
    return video.at_rate(target) if isinstance(video, FolderVideo | PictureFile) else video
