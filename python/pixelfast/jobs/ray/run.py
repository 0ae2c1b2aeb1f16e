"""A whole run on a Ray cluster: the driver lists the footage, workers score it, the driver does the global pass."""

import logging
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pixelfast.errors import LostFootageError, SourceError
from pixelfast.files.locks import sweep
from pixelfast.files.places import place
from pixelfast.jobs.line import Line
from pixelfast.jobs.ray.cluster import Cluster, Pool
from pixelfast.jobs.ray.work import Answer, Opened, Orders, Task
from pixelfast.jobs.score import Gathered, Prepared, Request, conclude, prepare
from pixelfast.pipeline.joining import Cutting, NotAsOneError, join, take_met
from pixelfast.pipeline.listing import Listing
from pixelfast.pipeline.parts import Part, PartStore
from pixelfast.pipeline.segments import SegmentScores, cut, is_cut
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.scores import Scores
from pixelfast.scores.event_files import check_events_path
from pixelfast.scores.files import make_folder
from pixelfast.sources import FolderVideo, Source
from pixelfast.sources.video_file import about_frames

_log: Final = logging.getLogger("pixelfast")


def run(source: Source, line: Line, request: Request, pool: Pool, segment_frames: int) -> Scores:
    """Scores a source; see `pixelfast.ray.score`."""
    events = None if request.events is None else check_events_path(place(request.events))
    line.begin()
    cluster = Cluster(pool)
    ready = prepare(source, line, request)
    found = _Run(ready, line, request, pool, segment_frames).gather(cluster)
    scores = found.scores(line, ready.paths, events)
    if found.lost:
        raise found.loss(scores)
    return scores


@dataclass
class _Done:
    """What has come back so far, by a video's position."""

    parts: dict[int, Part] = field(default_factory=dict)
    lost: dict[int, LostFootageError] = field(default_factory=dict)
    segments: dict[int, dict[int, SegmentScores]] = field(default_factory=dict)
    whole: dict[int, str] = field(default_factory=dict)  # why a video must be scored in one piece
    reused: int = 0


class _Run:
    """One run: what it is about, and what has become of it so far."""

    def __init__(self, ready: Prepared, line: Line, request: Request, pool: Pool, most: int) -> None:
        self._ready, self._most, self._line = ready, most, line
        self._orders = Orders(
            engine=line.choice().path.absolute(),
            settings=line.settings,
            threads=pool.threads or max(1, int(pool.num_cpus)),
            folder=ready.folder.absolute() if isinstance(ready.folder, Path) else ready.folder,
            maps=request.maps,
            listing=Listing(ready.all_videos),
            home=Path.cwd(),
        )
        self._done, self._told = _Done(), _Told(ready, request.progress)

    def gather(self, cluster: Cluster) -> Gathered:
        """The parts of the source, as `jobs.score.gather` gives them."""
        ready, done = self._ready, self._done
        opened = cluster.open(self._orders)
        ready.notes.say(*opened.notes)
        if ready.folder is not None:
            make_folder(ready.folder)
        self._store = PartStore(ready.folder, opened.job, self._orders.maps, self._orders.listing)
        self._cutting = _cutting(opened, self._line, self._most)
        with self._line.watch.flow(), self._store.at_work():
            for tasks in (self._tasks, self._whole):
                with closing(cluster.answers(tasks(), self._orders)) as answers:
                    for answer in answers:
                        self._take(answer)
        if isinstance(ready.folder, Path):
            sweep(ready.folder)  # of workers that died
        order = range(len(ready.videos))
        for index in order:
            said = [str(done.lost[index])] if index in done.lost else done.parts[index].notes
            ready.notes.say(*said)
        parts, lost = [done.parts[at] for at in order if at in done.parts], [done.lost[at] for at in sorted(done.lost)]
        return conclude(ready, Gathered(parts, opened.job, ready.notes, done.reused, lost, ready.videos))

    def _tasks(self) -> list[Task]:
        """The rows, long ones first; of a long video whose part is there, none."""
        tasks = list[tuple[int, Task]]()
        for index, video in enumerate(self._ready.videos):
            if self._cutting is None or not is_cut(video, self._most):
                tasks.append((about_frames(video) or self._most, Task(index, video)))
            elif (part := self._store.find(video)) is not None and len(part.raw) == _frames(video):
                self._done.parts[index] = part
                self._done.reused += 1
                self._told.add(index, len(part.raw))
            else:
                segments = cut(video, self._cutting.overlap, self._most)
                tasks += ((one.stop - one.start, Task(index, segment=one)) for one in segments)
        return [task for _, task in sorted(tasks, key=lambda one: -one[0])]

    def _whole(self) -> list[Task]:
        """The rows of videos that turned out not to be the sum of their segments: each in one piece."""
        for index, reason in self._done.whole.items():
            _log.info("video %s is scored in one piece: %s", self._ready.videos[index].name, reason)
        return [Task(index, self._ready.videos[index]) for index in self._done.whole]

    def _take(self, answer: Answer) -> None:
        """Takes what a worker answers; raises what must end the run."""
        index, done, video = answer.index, self._done, self._ready.videos[answer.index]
        if answer.segment is not None:
            self._take_segment(index, answer.segment)
        elif answer.start is not None and isinstance(answer.error, SourceError):
            done.whole[index] = str(answer.error)  # of the segment alone: the video may be well
        elif isinstance(answer.error, LostFootageError):
            done.lost[index] = answer.error
            self._told.add(index, video.length or 0)
        elif answer.error is not None:
            raise answer.error
        else:
            assert answer.part is not None
            done.parts[index] = answer.part
            done.reused += answer.reused and self._store.may_have(video)
            if isinstance(video, FolderVideo):
                take_met(video, answer.met)
            self._told.add(index, len(answer.part.raw))

    def _take_segment(self, index: int, scored: SegmentScores) -> None:
        done, video = self._done, self._ready.videos[index]
        self._told.add(index, len(scored.raw))
        some = done.segments.setdefault(index, {})
        some[scored.segment.start] = scored
        if len(some) * self._most < scored.segment.frames:
            return
        assert isinstance(video, FolderVideo)
        assert self._cutting is not None
        del done.segments[index]
        try:
            part = join(video, [some[start] for start in sorted(some)], self._cutting, self._store)
        except NotAsOneError as error:
            done.whole[index] = str(error)
        else:
            done.parts[index] = replace(part, maps=None)


class _Told:
    """Tells the caller how many frames are done."""

    def __init__(self, ready: Prepared, progress: ProgressCallback | None) -> None:
        self._names, self._progress = [video.name for video in ready.videos], progress
        lengths = [about_frames(video) for video in ready.videos]
        known = [length for length in lengths if length is not None]
        self._total = sum(known) if len(known) == len(lengths) else None
        self._done = 0

    def add(self, index: int, frames: int) -> None:
        """Counts so many more frames of a video as done."""
        self._done += frames
        if self._progress is not None:
            done = self._done if self._total is None else min(self._done, self._total)
            self._progress(Progress("score", done, self._total, f"video {self._names[index]}"))


def _frames(video: FolderVideo) -> int:
    return video.length if video.timeline is None else len(video.timeline.seconds)


def _cutting(opened: Opened, line: Line, most: int) -> Cutting | None:
    """How long videos are cut; None where the method needs them whole."""
    if opened.overlap is None:
        return None
    return Cutting(opened.overlap, most, opened.bridges, opened.flip, line.settings.on_error)
