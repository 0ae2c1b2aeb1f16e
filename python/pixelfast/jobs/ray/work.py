"""What a worker of a cluster does: it holds a Scorer, and scores whole videos and segments of long ones."""

import logging
import os
import pickle
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from pixelfast.errors import PixelfastError
from pixelfast.files.places import AnyPath
from pixelfast.jobs.scorer import Scorer
from pixelfast.methods.overlap import Overlap
from pixelfast.methods.settings import Settings
from pixelfast.notes import Notes
from pixelfast.options import FlipMode
from pixelfast.pipeline.listing import Listing
from pixelfast.pipeline.parts import Job, Part, PartStore
from pixelfast.pipeline.scoring import Stages, score_videos
from pixelfast.pipeline.segments import Met, Segment, SegmentScores, score_segment
from pixelfast.sources import FolderVideo, Video


@dataclass(frozen=True)
class Orders:
    """What every worker of a run is told.

    Attributes:
        engine: its file, which all nodes see.
        settings: of the run.
        threads: of each stage of a worker.
        folder: of the parts; None keeps none.
        maps: whether error maps are kept.
        listing: of the source.
        home: the driver's working folder, which relative paths are of.
    """

    engine: Path
    settings: Settings
    threads: int
    folder: AnyPath | None
    maps: bool
    listing: Listing
    home: Path


@dataclass(frozen=True)
class Task:
    """A row: a whole video, or a segment of a long one; and the video's position in the run."""

    index: int
    video: Video | None = None
    segment: Segment | None = None

    @property
    def start(self) -> int | None:
        """Returns where the segment begins in its video; None for a whole one."""
        return None if self.segment is None else self.segment.start


@dataclass(frozen=True)
class Answer:
    """What becomes of a row.

    Attributes:
        index: the video's position in the run.
        part: of a whole video, without its error maps.
        segment: the scores of a segment.
        reused: whether the part was there already.
        met: what was met in the files of a whole video: see `SegmentScores`.
        error: why there is neither.
        start: where the segment begins in its video; None for a whole one.
    """

    index: int
    part: Part | None = None
    segment: SegmentScores | None = None
    reused: bool = False
    met: Met = field(default_factory=lambda: (set(), set(), {}))
    error: PixelfastError | None = None
    start: int | None = None


@dataclass(frozen=True)
class Opened:
    """What a worker knows once it has opened the engine: what is said of it, what parts share, what segments need."""

    notes: list[str]
    job: Job
    overlap: Overlap | None
    bridges: bool
    flip: FlipMode


class Worker:
    """Opens the engine once, then answers tasks; Ray makes one in each process of its pool."""

    def __init__(self, orders: Orders) -> None:
        logging.getLogger("pixelfast").setLevel(logging.ERROR)  # the driver says what there is to say
        with suppress(OSError):
            os.chdir(orders.home)
        self._orders, notes = orders, Notes()
        self._scorer = Scorer(orders.engine, threads=orders.threads, **vars(orders.settings))
        with self._scorer._turn() as line:
            _, stages = line.open(notes)
            self._stages: Stages = replace(stages, maps=orders.maps)
            job = replace(line.job(notes), videos=len(orders.listing.names), source=orders.listing.digest)
        needs = None if stages.spec.overlap is None else stages.spec.overlap(stages.method)
        self.opened = Opened(list(notes), job, needs, stages.clean.bridge_noisy, stages.flip)
        self._store = PartStore(orders.folder, job, orders.maps, orders.listing)

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Answers the tasks of some rows."""
        tasks = [pickle.loads(one) for one in rows["task"].to_pylist()]
        return as_rows("answer", [pickle.dumps(self._answer(task)) for task in tasks])

    def _answer(self, task: Task) -> Answer:
        try:
            if task.segment is not None:
                scored = score_segment(task.segment, self._stages, digests=self._orders.folder is not None)
                return Answer(task.index, segment=scored, start=task.start)
            assert task.video is not None
            return self._whole(task.index, task.video)
        except PixelfastError as error:
            return Answer(task.index, error=error, start=task.start)

    def _whole(self, index: int, video: Video) -> Answer:
        before = self._store.reused
        [part] = score_videos([video], self._stages, self._store, Notes(), None)
        met: Met = (set(), set(), {})
        if isinstance(video, FolderVideo):
            met = video.harmless, video.turned, video.several
        return Answer(index, replace(part, maps=None), reused=self._store.reused > before, met=met)


def as_rows(name: str, things: Sequence[bytes]) -> pa.Table:
    """Returns a table with one column of bytes, a row each."""
    return pa.table({name: pa.array(things, pa.large_binary())})
