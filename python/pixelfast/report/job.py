"""From scores and their source to the page: what `pixelfast.report` does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from pixelfast.errors import LostFootageError, SourceError
from pixelfast.files.atomic import check_writable
from pixelfast.jobs.score import Request, run
from pixelfast.machine.threads import usable_threads
from pixelfast.methods.settings import Settings
from pixelfast.notes import Notes
from pixelfast.options import Reading
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.report import words
from pixelfast.report.charts import Labels, curves, labels_of, timelines
from pixelfast.report.moments import Moment, choose_moments, rows_of
from pixelfast.report.page import require_report, write_page
from pixelfast.report.pictures import Shown, png, take_pictures
from pixelfast.report.where import Kept, heat, read_kept, worst
from pixelfast.scores import Scores
from pixelfast.sources import Source, Video, open_source

StrPath = str | PathLike[str]

MOMENTS = 50
"""Moments that a page shows, at most, where nothing else is asked for: about nine megabytes of pictures."""


@dataclass(frozen=True)
class Wanted:
    """What a report shows beside the scores; `pixelfast.report` says what each means."""

    labels: StrPath | None = None
    parts: StrPath | None = None
    moments: int = MOMENTS
    title: str | None = None
    threads: int | None = None
    progress: ProgressCallback | None = None


def write_report(scores: Scores | StrPath, source: Source, out: StrPath, wanted: Wanted) -> Path:
    """Writes the page; see `pixelfast.report`."""
    require_report()
    out, parts = Path(out), None if wanted.parts is None else Path(wanted.parts)
    check_writable(out)
    if not isinstance(scores, Scores):
        beside = Path(f"{scores}.parts")
        parts = parts or (beside if beside.is_dir() else None)
        scores = Scores.read(scores)
    labels = None if wanted.labels is None else labels_of(Path(wanted.labels), scores)
    moments, total = choose_moments(scores, wanted.moments)
    kept, notes = read_kept(parts, scores, moments), Notes()
    for note in kept.notes:
        notes.say(note)
    videos = _open(source, kept.reading, notes)
    shown = _pictures(videos, scores, moments, wanted, notes)
    drawn, left_out = timelines(scores, moments, labels)
    write_page(
        out,
        title=wanted.title or "Unusual moments",
        lead=_lead(scores, moments, total),
        moments=[_facts(scores, moment, shown[moment.number], kept, labels) for moment in moments],
        charts={"threshold": scores.threshold, "timelines": drawn, "curves": _curves(labels, scores)},
        left_out=left_out,
        smooth=scores.smooth,
        notes=[*scores.notes, *(note for note in notes if note not in scores.notes)],
    )
    return out


def score_with_report(source: Source, engine: StrPath, settings: Settings, request: Request, report: StrPath) -> Scores:
    """Scores a source and writes the page of it, also where some of its videos were lost; see `pixelfast.score`."""
    require_report()
    check_writable(report)
    parts = request.parts
    if parts is None:
        first = request.out if isinstance(request.out, str | PathLike) else next(iter(request.out or ()), None)
        parts = f"{first or report}.parts"
    asked = Wanted(parts=parts, threads=request.threads, progress=request.progress)
    try:
        scores = run(source, engine, settings, replace(request, parts=parts))
    except LostFootageError as error:
        if isinstance(error.scores, Scores):
            write_report(error.scores, source, report, asked)
        raise
    write_report(scores, source, report, asked)
    return scores


def _open(source: Source, reading: Reading, notes: Notes) -> list[Video]:
    """The videos of the source; none where it is not there any more, which a note says."""
    said: list[str] = []
    try:
        return open_source(source, said, reading=reading)
    except SourceError as error:
        notes.say(f"no pictures: {error}")
        return []


def _pictures(
    videos: Sequence[Video], scores: Scores, moments: Sequence[Moment], wanted: Wanted, notes: Notes
) -> dict[int, Shown]:
    def told(done: int) -> None:
        if wanted.progress is not None:
            wanted.progress(Progress("pictures", done, len(moments)))

    shown = take_pictures(videos, scores, moments, usable_threads(wanted.threads), told)
    missing = [one.missing for one in shown.values() if one.missing]
    if missing:
        notes.say(f"{len(missing)} of {words.plural(len(moments), 'moment')} without a picture: {missing[0]}")
    return shown


def _lead(scores: Scores, moments: Sequence[Moment], total: int) -> str:
    """What the page is about, in a sentence or two."""
    frames, videos = words.plural(len(scores), "frame"), words.plural(len(scores.videos), "video")
    what = f"{frames} of {videos}, scored by {scores.method}."
    if not moments:
        return f"{what} There is nothing to show."
    if not moments[0].event:
        why = "there is no threshold" if scores.threshold is None else "nothing lies above the threshold"
        return f"{what} These {words.plural(len(moments), 'moment')} stand out most; {why}."
    if total > len(moments):
        return f"{what} {total:,} moments lie above the threshold; the {len(moments):,} highest are listed."
    lies = "1 moment lies" if total == 1 else f"{total:,} moments lie"
    return f"{what} {lies} above the threshold."


def _facts(scores: Scores, moment: Moment, shown: Shown, kept: Kept, labels: Labels | None) -> dict[str, Any]:
    """What the page says of one moment."""
    peak, run_rows = moment.peak, slice(moment.start, moment.stop)
    said = None if scores.why is None else scores.why.at(peak)
    point, box = _where(scores, moment, kept)
    tail = None if scores.tail is None else float(scores.tail[peak])
    step = words.step_of(scores, rows_of(scores, moment.video))
    level = scores.threshold
    times = f", {moment.value / level:.1f} times the threshold" if level and level > 0 and moment.event else ""
    frames = scores.frame[[moment.start, moment.stop - 1]].tolist()
    errors = kept.maps.get(moment.number)
    labelled = None if labels is None else int(labels[run_rows].sum())
    return {
        "number": moment.number,
        "video": moment.video,
        "when": words.when(scores, peak),
        "frame": int(scores.frame[peak]),
        "timed": words.time_of(scores, peak) is not None,
        "long": words.how_long(scores, moment) if moment.event else "",
        "first": frames[0],
        "last": frames[1],
        "reason": words.reason(scores, peak),
        "by": scores.method if said is None else f"{scores.method}, {said.stream}",
        "rare": words.how_rare(tail, float(scores.rank[peak]), kept.held_out, step),
        "score": f"{moment.value:.3g}{times}",
        "place": "" if point is None else words.place(*point),
        "point": "" if point is None else f"x {point[0]:.0%}, y {point[1]:.0%}",
        "box": box,
        "heat": "" if errors is None else png(heat(errors)),
        "marks": words.marks(scores, moment),
        "labelled": "" if labelled is None else f"{labelled:,} of {words.plural(moment.stop - moment.start, 'frame')}",
        "picture": shown,
        "strip": [
            {"picture": picture, "step": row - peak, "frame": int(scores.frame[row]), "when": words.when(scores, row)}
            for row, picture in sorted(shown.strip.items())
        ],
    }


def _where(scores: Scores, moment: Moment, kept: Kept) -> tuple[tuple[float, float] | None, tuple[float, ...] | None]:
    """The point in the picture that speaks, in shares of it; and left, top, width, height of its cell in per cent."""
    why, errors = scores.why, kept.maps.get(moment.number)
    if why is not None:
        row, column = why.at(moment.peak).cell or (0, 0)
        rows, columns = why.grid
        # A cell reaches half over its neighbours.
        box = ((column - 0.5) / columns, (row - 0.5) / rows, 2 / columns, 2 / rows)
        return ((column + 0.5) / columns, (row + 0.5) / rows), tuple(round(100 * share, 2) for share in box)
    return (None if errors is None or not np.ptp(errors) else worst(errors)), None


def _curves(labels: Labels | None, scores: Scores) -> dict[str, Any] | None:
    return None if labels is None else curves(labels, scores)
