"""A whole run of scoring: what `pixelfast.score` does."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from pixelfast.errors import ArgumentError, LostFootageError
from pixelfast.files.places import AnyPath, place
from pixelfast.jobs.line import Line, calibration_of
from pixelfast.machine.forks import work_under_way
from pixelfast.machine.stopwatch import Profile, Stopwatch
from pixelfast.methods.registry import find_method
from pixelfast.notes import Notes
from pixelfast.options import USUAL_RATE
from pixelfast.pipeline.global_pass import global_pass
from pixelfast.pipeline.listing import Listing
from pixelfast.pipeline.parts import Job, Part, PartStore
from pixelfast.pipeline.scoring import score_videos
from pixelfast.progress import ProgressCallback
from pixelfast.scores import Scores
from pixelfast.scores.elsewhere import elsewhere_sentence
from pixelfast.scores.event_files import check_events_path
from pixelfast.scores.files import Out, check_outputs, make_folder, output_paths
from pixelfast.sources import Source, Video, harmless_note, open_source, turned_note
from pixelfast.sources.depth import say_depth
from pixelfast.sources.pace import scoring_pace


@dataclass(frozen=True)
class Request:
    """Where a run's results go, and how much of the source it does; `pixelfast.score` says what each means."""

    out: Out = None
    parts: str | PathLike[str] | None = None
    shard: str | None = None
    maps: bool = False
    progress: ProgressCallback | None = None
    profile: Callable[[Profile], object] | None = None
    events: str | PathLike[str] | None = None


@dataclass(frozen=True)
class Gathered:
    """What a run has when all videos are through: what was lost, and what is said aloud."""

    parts: list[Part]
    job: Job
    notes: Notes
    reused: int
    lost: list[LostFootageError]
    videos: Sequence[Video]

    def scores(self, line: Line, paths: Sequence[AnyPath], events: AnyPath | None) -> Scores:
        """The scores of what there is, and the files of them."""
        found = finish(
            self.parts, self.job, paths, notes=self.notes, watch=line.watch, threads=line.threads,
            alarm_rate=line.settings.alarm_rate, events=events,
        )  # fmt: skip
        found.reused = self.reused
        return found

    def loss(self, scores: Scores | None = None) -> LostFootageError:
        """What the run ends with where videos are lost."""
        return _loss(self.lost, self.videos, scores)


@work_under_way()
def run(source: Source, line: Line, request: Request) -> Scores:
    """Scores a source; see `pixelfast.score`."""
    _parse_share(request.shard)
    paths, folder = _places(request)
    events = None if request.events is None else check_events_path(place(request.events))
    watch = line.begin()
    found = gather(source, line, request)
    if request.shard is not None:
        found.notes.say(
            f"these are the scores of share {request.shard} alone: merge the parts in {folder} when all are there"
        )
    scores = found.scores(line, paths if request.shard is None else [], events)
    if request.profile is not None:
        request.profile(watch.profile(line.threads))
    if found.lost:
        raise found.loss(scores)
    return scores


def gather(source: Source, line: Line, request: Request) -> Gathered:
    """The parts of a source, those of its lost videos left out; a LostFootageError where none is left."""
    found, watch = prepare(source, line, request), line.watch
    notes, folder = found.notes, found.folder
    _, stages = line.open(notes)
    stages = replace(stages, maps=request.maps)
    listing, lost = Listing(found.all_videos), list[LostFootageError]()
    job = replace(
        line.job(notes),
        videos=len(found.all_videos),
        source=listing.digest,
        shares=_parse_share(request.shard).step or 1,
    )
    if folder is not None:
        make_folder(folder)
    store = PartStore(folder, job, request.maps, listing)
    with watch.flow(), store.at_work():
        parts = score_videos(found.videos, stages, store, notes, request.progress, lost=lost)
    return conclude(found, Gathered(parts, job, notes, store.reused, lost, found.videos))


@dataclass(frozen=True)
class Prepared:
    """What a run is about, before any engine is opened: all videos, those of its share, and where results go."""

    all_videos: Sequence[Video]
    videos: Sequence[Video]
    paths: list[AnyPath]
    folder: AnyPath | None
    notes: Notes


def prepare(source: Source, line: Line, request: Request) -> Prepared:
    """Finds the engine's file and the footage, and says what there is to say of both."""
    notes, share, watch = Notes(), _parse_share(request.shard), line.watch
    paths, folder = _places(request)
    choice = line.choice(sharded=request.shard is not None)
    with watch.phase("open"):
        reading = line.reading()
        all_videos = open_source(
            source, notes, reading=reading, outputs=[path for path in paths if isinstance(path, Path)]
        )
        check_outputs(paths, all_videos)
        trained = None if choice.model is None else choice.model.manifest.rate
        all_videos = scoring_pace(all_videos, trained, reading.sample_fps, notes)
    videos = all_videos[share]
    for note in choice.notes:
        line.tell(notes, note)
    with watch.phase("open"):
        say_depth(videos, reading, notes, line.threads)
    if request.maps and folder is None:
        notes.say("error maps are kept in the parts, and no parts are kept: name a folder with parts=, or out=")
    return Prepared(all_videos, videos, paths, folder, notes)


def conclude(prepared: Prepared, found: Gathered) -> Gathered:
    """Says what the files turned out to be; raises a LostFootageError where no video is left."""
    found.notes.say(*harmless_note(found.videos), *turned_note(found.videos))
    if found.lost and not found.parts:
        if isinstance(prepared.folder, Path):
            with suppress(OSError):  # other runs' parts lie there
                prepared.folder.rmdir()
        raise found.loss()
    return found


def _loss(lost: Sequence[LostFootageError], videos: Sequence[Video], scores: Scores | None = None) -> LostFootageError:
    """What the run ends with where videos are lost: each with its cause, how to insist, and the others' scores."""
    rest = "the others were" if len(lost) < len(videos) else "none was"
    causes = "; ".join(str(error) for error in lost)
    insist = "; --on-error insist (on_error='insist') repairs what has any readable frame"
    hint = insist if any(error.insist for error in lost) else ""
    how_many = "" if len(videos) == 1 and not hint else f"{len(lost):,} of {len(videos):,} videos not scored ({rest}): "
    error = LostFootageError(f"{how_many}{causes}{hint}")
    error.scores = scores
    return error


def _places(request: Request) -> tuple[list[AnyPath], AnyPath | None]:
    """The files for the scores, and the folder for the parts."""
    paths = output_paths(request.out)
    folder = place(request.parts) if request.parts is not None else None
    if folder is None and paths:
        folder = paths[0].with_name(paths[0].name + ".parts")
    if request.shard is not None and folder is None:
        raise ArgumentError("a shard leaves nothing but its parts: name a folder with parts=, or out=")
    return paths, folder


def finish(
    parts: Sequence[Part],
    job: Job,
    paths: Sequence[AnyPath],
    *,
    notes: Notes,
    watch: Stopwatch,
    threads: int,
    alarm_rate: str = USUAL_RATE,
    events: AnyPath | None = None,
) -> Scores:
    """The global pass over all parts, and the files: scores at `paths`, and their events at `events`."""
    calibration = calibration_of(job)
    with watch.phase("global"):
        spec = find_method(job.settings["method"])
        scores = global_pass(parts, spec, job.smooth, calibration, notes=notes, threads=threads, alarm_rate=alarm_rate)
        if (sentence := elsewhere_sentence(scores)) is not None:
            notes.say(sentence)
    scores.phases.update(watch.seconds())
    with watch.phase("write"):
        for path in paths:
            scores.write(path, threads=threads)
        if events is not None:
            scores.write_events(events)
    scores.phases.update(watch.seconds())
    return scores


def _parse_share(shard: str | None) -> slice:
    """Where in a source the videos of share `shard` ("i/n", 1/n to n/n) lie; all for None.

    Shares of one source are disjoint and complete.

    Raises:
        ArgumentError: the text is no share.
    """
    if shard is None:
        return slice(None)
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", shard)
    share, shares = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= share <= shares:
        raise ArgumentError(f"shard must be like 2/3 (the second of three shares, from 1/3 to 3/3), not {shard!r}")
    return slice(share - 1, None, shares)
