"""What a part must hold beside columns of the right types: else it is computed again, and no merge takes it."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pixelfast.arguments import MOST_SMOOTH

if TYPE_CHECKING:
    from pixelfast.pipeline.parts import Job, Part


_MOST_VIDEOS: Final = 10_000_000  # of a source: those that are missing are counted one by one


class WrongPartError(ValueError):
    """A part holds what no run writes; the message is a clause that says what."""


def check_part(part: "Part") -> None:
    """Raises a WrongPartError that names the first fact or value that cannot be."""
    _check_job(part.job)
    _check_facts(part)
    if part.frames is not None and part.frames != len(part.raw):
        raise WrongPartError(f"{len(part.raw)} rows for a video of {part.frames} frames")
    if not np.isfinite(part.raw).all():
        raise WrongPartError("raw scores that are not finite")
    if len(part.raw) and part.raw.min() < 0:
        raise WrongPartError(f"a raw score of {part.raw.min():g}, and an error is never below 0")
    frame = part.record.frame
    if np.any(frame[1:] <= frame[:-1]) and len(np.unique(frame)) != len(frame):
        raise WrongPartError("the same frame number twice")
    if part.why is not None and len(part.why.cell) != len(part.raw):
        raise WrongPartError("reasons for another number of frames")
    if part.record.seconds is not None and np.isinf(part.record.seconds).any():
        raise WrongPartError("times that are not finite")


def _check_facts(part: "Part") -> None:
    place = part.place
    _require("video", part.video, isinstance(part.video, str) and part.video != "")
    _require("footage", part.footage, isinstance(part.footage, str))
    _require("notes", part.notes, isinstance(part.notes, list) and all(isinstance(one, str) for one in part.notes))
    _require("frames", part.frames, part.frames is None or _is_count(part.frames))
    if place is not None:
        _require("position", place.position, _is_count(place.position) and place.position < max(1, part.job.videos))
        _require("following videos", place.following, all(isinstance(name, str) for name in place.following))


def _check_job(job: "Job") -> None:
    _require("engine", job.engine, isinstance(job.engine, str))
    _require("settings", job.settings, isinstance(job.settings, dict))
    _require("method", job.settings.get("method"), isinstance(job.settings.get("method"), str))
    _require("smooth", job.smooth, _is_count(job.smooth) and job.smooth % 2 == 1 and job.smooth <= MOST_SMOOTH)
    _require("calibration", job.calibration, job.calibration is None or isinstance(job.calibration, dict))
    _require("videos", job.videos, _is_count(job.videos) and job.videos <= _MOST_VIDEOS)
    _require("source", job.source, isinstance(job.source, str))
    _require("shares", job.shares, _is_count(job.shares) and job.shares > 0)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _require(name: str, value: Any, right: bool) -> None:
    if not right:
        raise WrongPartError(f"its {name} cannot be {value!r}")
