"""From scores and their source to the page: what `pixelfast.report` does."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from pixelfast.errors import LostFootageError, SourceError
from pixelfast.files.atomic import check_writable
from pixelfast.files.places import AnyPath, place
from pixelfast.jobs.line import Line
from pixelfast.jobs.score import Request, run
from pixelfast.machine.threads import usable_threads
from pixelfast.notes import Notes
from pixelfast.options import Reading
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.reporting import words
from pixelfast.reporting.charts import curves, labels_of, timelines
from pixelfast.reporting.commands import learn_command
from pixelfast.reporting.facts import facts, lead
from pixelfast.reporting.page import require_report, write_page
from pixelfast.reporting.pictures import Shown, take_pictures
from pixelfast.reporting.where import read_kept
from pixelfast.scores import Scores
from pixelfast.scores.files import output_paths
from pixelfast.scores.highlights import Highlight, choose_moments
from pixelfast.sources import Source, Video, open_source

StrPath = str | PathLike[str]

MOMENTS = 50
"""Moments that a page shows, at most, where nothing else is asked for: about nine megabytes of pictures."""


@dataclass(frozen=True)
class Wanted:
    """What a report shows beside the scores; `pixelfast.report` says what each means.

    `engine` is what scored, and `written` the file of the scores, where they are known: for the command of a moment.
    """

    labels: StrPath | None = None
    parts: StrPath | None = None
    moments: int = MOMENTS
    title: str | None = None
    threads: int | None = None
    progress: ProgressCallback | None = None
    engine: StrPath | None = None
    written: StrPath | None = None


def write_report(scores: Scores | StrPath, source: Source, out: StrPath, wanted: Wanted) -> AnyPath:
    """Writes the page; see `pixelfast.report`."""
    require_report()
    page, parts = place(out), None if wanted.parts is None else place(wanted.parts)
    usable_threads(wanted.threads)  # whether there are so many is found out before the work
    check_writable(page)
    written = wanted.written if isinstance(scores, Scores) else scores
    if not isinstance(scores, Scores):
        found = place(scores)
        beside = found.with_name(f"{found.name}.parts")
        parts = parts or (beside if beside.is_dir() else None)
        scores = Scores.read(scores)
    labels = None if wanted.labels is None else labels_of(Path(wanted.labels), scores)
    moments, total = choose_moments(scores, wanted.moments)
    kept, notes = read_kept(parts, scores, moments), Notes()
    notes.say(*kept.notes)
    videos = _open(source, kept.reading, notes)
    shown = _pictures(videos, scores, moments, wanted, notes)
    drawn, left_out = timelines(scores, moments, labels)
    write_page(
        page,
        title=wanted.title or "Unusual moments",
        lead=lead(scores, moments, total),
        moments=[
            {
                **facts(scores, moment, shown[moment.number], kept, labels),
                "learn": learn_command(wanted.engine, source, written, moment.number),
            }
            for moment in moments
        ],
        charts={
            "threshold": scores.threshold,
            "timelines": drawn,
            "curves": None if labels is None else curves(labels, scores),
        },
        left_out=left_out,
        smooth=scores.smooth,
        notes=[*scores.notes, *(note for note in notes if note not in scores.notes)],
    )
    return page


def score_with_report(source: Source, line: Line, request: Request, report: StrPath) -> Scores:
    """Scores a source and writes the page of it, also where some of its videos were lost; see `pixelfast.score`."""
    require_report()
    check_writable(report)
    parts = request.parts
    outs = output_paths(request.out)
    if parts is None:
        first = outs[0] if outs else place(report)
        parts = first.with_name(f"{first.name}.parts")
    written = next((path for path in outs if path.suffix.lower() == ".parquet"), None)
    asked = Wanted(
        parts=parts, threads=line.threads, progress=request.progress, engine=line.choice().path, written=written
    )
    try:
        scores = run(source, line, replace(request, parts=parts))
    except LostFootageError as error:
        if isinstance(error.scores, Scores):
            write_report(error.scores, source, report, asked)
        raise
    write_report(scores, source, report, asked)
    return scores


def _open(source: Source, reading: Reading, notes: Notes) -> list[Video]:
    """The videos of the source; none where it is not there any more, which a note says.

    What opening it says aloud was said when it was scored.
    """
    logger = logging.getLogger("pixelfast")
    logger.addFilter(_silent)
    try:
        return open_source(source, reading=reading)
    except SourceError as error:
        reason = str(error)
    finally:
        logger.removeFilter(_silent)
    notes.say(f"no pictures: {reason}")
    return []


def _silent(_: logging.LogRecord) -> bool:
    return False


def _pictures(
    videos: Sequence[Video], scores: Scores, moments: Sequence[Highlight], wanted: Wanted, notes: Notes
) -> dict[int, Shown]:
    def told(done: int) -> None:
        if wanted.progress is not None:
            wanted.progress(Progress("pictures", done, len(moments)))

    shown = take_pictures(videos, scores, moments, usable_threads(wanted.threads), told)
    missing = [one.missing for one in shown.values() if one.missing]
    if missing:
        notes.say(f"{len(missing)} of {words.plural(len(moments), 'moment')} without a picture: {missing[0]}")
    return shown
