"""The parts of several runs, put together: what `pixelfast.merge` does."""

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

import numpy as np

from pixelfast.errors import ScoresError
from pixelfast.files.atomic import check_writable
from pixelfast.files.natural import natural_key
from pixelfast.files.places import AnyPath, place
from pixelfast.jobs.score import finish
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.machine.threads import usable_threads
from pixelfast.model.events import EventRate
from pixelfast.notes import Notes
from pixelfast.options import USUAL_RATE
from pixelfast.pipeline.listing import describe_missing, named
from pixelfast.pipeline.parts import SUFFIX, Job, Part, part_files, read_parts
from pixelfast.scores import Scores
from pixelfast.scores.event_files import check_events_path
from pixelfast.scores.files import Out, output_paths

Folders = str | PathLike[str] | Iterable[str | PathLike[str]]


def merge_parts(
    parts: Folders, out: Out, *, alarm_rate: str = USUAL_RATE, events: str | PathLike[str] | None = None
) -> Scores:
    """Scores from part files; see `pixelfast.merge`."""
    notes, watch = Notes(), Stopwatch()
    EventRate.parse(alarm_rate)
    paths, threads = output_paths(out), usable_threads(None)
    table = None if events is None else check_events_path(place(events))
    for path in paths:
        check_writable(path)
    with watch.phase("read"):
        given = _given(parts)
        # Whatever the order in which they were given, the same bytes.
        files = sorted(_files(given), key=lambda path: natural_key(str(path)))
        read = dict(zip(files, read_parts(files, threads), strict=True))
    videos = _one_a_video(read, notes)
    sources = _sources(read, all(path in read for path in given), notes)
    job = _one_job(read)
    for part in videos:
        notes.say(*part.notes)
    for some in sources:
        shares = max(part.job.shares for part in some)
        missing = describe_missing({part.video: part.place for part in some}, some[0].job.videos, shares)
        if missing is not None:
            notes.say(missing)
    return finish(videos, job, paths, notes=notes, watch=watch, threads=threads, alarm_rate=alarm_rate, events=table)


def _given(parts: Folders) -> list[AnyPath]:
    return [place(parts)] if isinstance(parts, str | PathLike) else [place(folder) for folder in parts]


def _files(parts: list[AnyPath]) -> list[AnyPath]:
    found: list[AnyPath] = []
    for folder in parts:
        files = [folder] if folder.is_file() else part_files(folder)
        if not files:
            raise ScoresError(_no_parts(folder))
        found += files
    if not found:
        raise ScoresError("no folder of parts was given")
    return found


def _no_parts(folder: AnyPath) -> str:
    """What is wrong with a folder without parts, and what to do."""
    if any(folder.glob("[!.]*.npz")):
        return f"{folder} holds only parts that an older pixelfast wrote (.npz): score again, then merge"
    what = f"holds no parts ({SUFFIX})" if folder.is_dir() else "does not exist"
    return f"{folder} {what}: give the folder that `pixelfast score` wrote its parts to"


def _one_job(read: dict[AnyPath, Part]) -> Job:
    """What all parts share; the smoothing and the calibration that the first of them has.

    Raises:
        ScoresError: they come from different engines or settings; the message says which differ.
    """
    (first_path, first), *others = read.items()
    for path, part in others:
        if part.job == first.job:
            continue
        if part.job.fingerprint() != first.job.fingerprint():
            raise ScoresError(
                f"{first_path} and {path} come from different runs and must not be mixed: "
                f"{differences(first.job, part.job)}"
            )
        if (part.job.smooth, part.job.calibration) != (first.job.smooth, first.job.calibration):
            raise ScoresError(
                f"{first_path} and {path} were written with different smoothing or calibration "
                f"(smooth {first.job.smooth} and {part.job.smooth}): score the older ones again"
            )
    return first.job


def differences(a: Job, b: Job) -> str:
    """Returns which settings of two jobs differ, and what they are."""
    names = sorted(a.settings.keys() | b.settings.keys())
    pairs = [(name, a.settings.get(name), b.settings.get(name)) for name in names]
    return ", ".join(f"{name} {left} and {right}" for name, left, right in pairs if left != right)


def _one_a_video(read: dict[AnyPath, Part], notes: Notes) -> Sequence[Part]:
    """The parts, each video once, in the order of their source, whatever the order of the files.

    Raises:
        ScoresError: two parts of one video come from different footage, or have different scores.
    """
    by_video: dict[str, tuple[AnyPath, Part]] = {}
    twice: dict[str, list[AnyPath]] = {}
    for path, part in read.items():
        other_path, other = by_video.setdefault(part.video, (path, part))
        if other.footage != part.footage:
            raise ScoresError(
                f"{other_path} and {path} are both video {part.video}, of different footage: delete the outdated one "
                f"({_ages(other_path, other, path, part)})"
            )
        if other.job.fingerprint() != part.job.fingerprint():
            continue  # of different runs, which is refused for itself
        if not np.array_equal(other.raw, part.raw):
            raise ScoresError(
                f"{other_path} and {path} are both video {part.video}, and their scores differ: delete one of them "
                f"({_ages(other_path, other, path, part)})"
            )
        if other_path != path:
            twice.setdefault(part.video, [other_path]).append(path)
    if twice:
        some = [f"{video} ({', '.join(map(str, paths))})" for video, paths in twice.items()]
        notes.say(f"videos with several equal parts, of which one is taken: {named(some, len(some))}")
    return sorted((part for _, part in by_video.values()), key=_order)


def _order(part: Part) -> tuple[int, Any]:
    """Where a part's video stands in its source, whichever way its folder lists it; else its name."""
    return (0 if part.place is None else part.place.position), natural_key(part.video)


def _sources(read: dict[AnyPath, Part], by_name: bool, notes: Notes) -> list[list[Part]]:
    """The parts of each source that they come from, the largest first; several only where each file was named.

    Raises:
        ScoresError: they come from several sources, or from one whose list of videos has changed since.
    """
    sources: dict[str, dict[AnyPath, Part]] = {}
    for path, part in read.items():
        sources.setdefault(part.job.source, {})[path] = part
    first, *others = sorted(sources.values(), key=len, reverse=True)
    if others:
        strange = [f"{path} (video {part.video})" for other in others for path, part in other.items()]
        what = (
            f"{len(first)} parts come from one source, and from another, or from what it was before its list of videos "
            f"changed: {named(strange, len(strange))}"
        )
        if not by_name:
            raise ScoresError(
                f"{what}. Delete what is outdated, score what has changed again, or name each part file to take all"
            )
        notes.say(f"{what}; all were named, and are ranked together")
    return [list({part.video: part for part in some.values()}.values()) for some in (first, *others)]


def _ages(path: AnyPath, part: Part, other_path: AnyPath, other: Part) -> str:
    """Which of two parts was written later, and where the footage of each lay."""
    written = path.stat().st_mtime_ns, other_path.stat().st_mtime_ns
    newer = "both were written at once"
    if written[0] != written[1]:
        newer = f"{(path if written[0] > written[1] else other_path).name} is the newer one"
    sources = (
        f"{one.name} comes from {some.source}" for one, some in ((path, part), (other_path, other)) if some.source
    )
    return "; ".join([newer, *sources])
