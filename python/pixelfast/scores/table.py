"""The result: one row a frame, and what can be asked of it."""

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core, arguments
from pixelfast.errors import OutputError, ScoresError
from pixelfast.files.atomic import atomic_path
from pixelfast.files.places import AnyPath, place
from pixelfast.model.events import EventCurve
from pixelfast.options import Submission
from pixelfast.scores import event_files, selecting, showing
from pixelfast.scores import files as score_files
from pixelfast.scores.moments import Event, RankedFrame, ranked_frames, runs_above, top_moments
from pixelfast.scores.schema import COLUMNS, check_scores
from pixelfast.scores.why import Why

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import polars as pl
    import pyarrow as pa

_logger = logging.getLogger("pixelfast")


@dataclass(eq=False, repr=False)
class Scores:
    """The scores of every frame, video by video in the order of `videos`, each in the order of time; arrays to read.

    Attributes:
        videos: the names of the videos, each once.
        video_index: i32[N], the position in `videos` that each row belongs to; never falls.
        frame: i64[N], the frame's number, once in a video.
        raw: f32[N], the reconstruction's or the motion's error.
        score: f64[N], the error after the method's normalisation and smoothing.
        rank: f64[N] in (0, 1], the share of frames at or below this one.
        flipped: bool[N], the frame stood upside down and was turned.
        repaired: bool[N], the file was truncated or unreadable.
        noisy: bool[N], the frame is far noisier than its video.
        frozen: bool[N], the frame belongs to a run of equal frames longer than a second (25 frames where times are not
            known), or that are the whole video, as a camera that has stopped gives them; left out, none does.
        reused: how many videos were scored before and taken from their parts; no file holds it.
        tail: f64[N] in [0, 1], the share of held-out normal frames at or above this one; None without a calibration.
        seconds: f64[N], the time since the start of the video, NaN where it is not known; None where it never is.
        method: the name of the method that gave them.
        submission: which column a file for submission holds: "rank" or "score".
        smooth: the length in frames (odd) of the centred mean on raw that `threshold` and `tail` go with.
        threshold: the smoothed raw score above which a frame is unusual; None without a calibration.
        notes: what was said aloud on the way, one sentence each.
        phases: seconds that each phase of this run took; no file keeps them.
        why: where in the picture and why, frame by frame; None where the method does not say.
        curve: how often normal footage gives events, by which `threshold` was set; None where nobody counted.
        alarm_rate: of events on normal footage that `threshold` was set for, as "1/hour"; None without a `curve`.

    Raises:
        ScoresError: a column has another type or length, or holds what it must not (not-a-number, a rank over 1, …).

    Examples:
        >>> pixelfast.score("new", engine="model")
        Scores(2 videos, 80 frames, reconstruction)
    """

    videos: tuple[str, ...]
    video_index: NDArray[np.int32]
    frame: NDArray[np.int64]
    raw: NDArray[np.float32]
    score: NDArray[np.float64]
    rank: NDArray[np.float64]
    flipped: NDArray[np.bool_]
    repaired: NDArray[np.bool_]
    noisy: NDArray[np.bool_]
    tail: NDArray[np.float64] | None = None
    seconds: NDArray[np.float64] | None = None
    method: str = "reconstruction"
    submission: Submission = "rank"
    smooth: int = 3
    threshold: float | None = None
    notes: list[str] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    frozen: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    reused: int = 0
    why: Why | None = None
    curve: EventCurve | None = None
    alarm_rate: str | None = None

    def __post_init__(self) -> None:
        self.videos = tuple(self.videos)
        if isinstance(self.frozen, np.ndarray) and not len(self.frozen):
            self.frozen = np.zeros(len(self.frame), np.bool_)
        check_scores(self)
        for name in COLUMNS:
            column = getattr(self, name)
            if column is not None:
                setattr(self, name, own := column.view())
                own.flags.writeable = False  # what is checked once stays so

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return f"Scores({len(self.videos):,} videos, {len(self):,} frames, {self.method})"

    def __str__(self) -> str:
        return showing.as_text(self, top_moments(self))

    def _repr_html_(self) -> str:
        return showing.as_html(self, top_moments(self))

    __iter__ = None  # over what? `by_video()`, `events()` and `top()` say it

    def __getitem__(self, videos: str | Iterable[str]) -> "Scores":
        """Returns the scores of one video, or of several in this order; ranks and threshold stay as they are.

        Raises:
            UnknownVideoError, ScoresError, ArgumentError: there is no such video, it is named twice, or is no name.

        Examples:
            >>> scores = pixelfast.Scores.read("scores.parquet")
            >>> scores["01"], scores[["02", "01"]].videos
            (Scores(1 videos, 40 frames, reconstruction), ('02', '01'))
        """
        return selecting.of_videos(self, videos)

    def by_video(self) -> "Iterator[Scores]":
        """Yields the scores of each video, in order; ranks and threshold stay as they are.

        Examples:
            >>> [len(video) for video in pixelfast.Scores.read("scores.parquet").by_video()]
            [40, 40]
        """
        return (self[video] for video in self.videos)

    def rows_of(self, event: Event) -> slice:
        """Returns where the frames of an event lie in the arrays.

        Raises:
            UnknownVideoError, ScoresError: there is no such video, or it has no such frame.

        Examples:
            >>> scores = pixelfast.Scores.read("scores.parquet")
            >>> [scores.raw[scores.rows_of(event)].shape for event in scores.events(threshold=0.0)]
            [(40,), (40,)]
        """
        return selecting.rows_of(self, event)

    @property
    def submitted(self) -> NDArray[np.float64]:
        """Returns f64[N], the values that a file for submission holds.

        Examples:
            >>> scores = pixelfast.Scores.read("scores.parquet")
            >>> bool((scores.submitted == scores.rank).all())
            True
        """
        return self.score if self.submission == "score" else self.rank

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Returns i64[V], the number of frames of each video.

        Examples:
            >>> pixelfast.Scores.read("scores.parquet").lengths.tolist()
            [40, 40]
        """
        return np.bincount(self.video_index, minlength=len(self.videos)).astype(np.int64)

    def summary(self) -> str:
        """Returns a few lines to read: how much was scored, the frames on top, what was mended, what was said aloud.

        Examples:
            >>> print(pixelfast.Scores.read("scores.parquet").summary())
            2 videos, 80 frames, method reconstruction, threshold ...
            most unusual: ...
        """
        return showing.summary(self)

    def top(self, n: int = 10) -> list[RankedFrame]:
        """Returns the `n` frames of the highest rank, the highest first; equal ones in the order of the rows.

        Raises:
            ArgumentError: `n` is no whole number, or less than 1.

        Examples:
            >>> [frame.rank for frame in pixelfast.Scores.read("scores.parquet").top(2)]
            [1.0, 0.9875]
        """
        n = arguments.whole("n", n, 1)
        lowest = np.partition(self.rank, -n)[-n] if n < len(self) else 0.0
        candidates = np.flatnonzero(self.rank >= lowest)
        order = candidates[np.argsort(-self.rank[candidates], kind="stable")][:n]
        return ranked_frames(self, order)

    def smoothed_raw(self) -> NDArray[np.float64]:
        """Returns f64[N], the mean of `raw` over `smooth` frames of a video; `threshold` is in its units.

        Examples:
            >>> pixelfast.Scores.read("scores.parquet").smoothed_raw().shape
            (80,)
        """
        return _core.smooth(self.raw, self.lengths, self.smooth)

    def events(self, threshold: float | None = None, *, alarm_rate: str | None = None) -> list[Event]:
        """Returns the runs of frames whose smoothed raw score is above the threshold, in the order of the rows.

        Args:
            threshold: in the units of `raw`; None takes the calibrated one. Where there is none either, there are no
                events, and a note says so.
            alarm_rate: instead of a threshold, the rate at which normal footage may give events, as "1/hour", "3/day"
                or "1/500frames"; None takes that of the run.

        Raises:
            ArgumentError: the threshold is no finite number, the rate is none, or both are given.
            ScoresError: a rate is asked for, and these scores do not know how often normal footage gives events.

        Examples:
            >>> for event in pixelfast.Scores.read("scores.parquet").events(threshold=0.0):
            ...     print(event.video, event.start, event.end)
            01 1 40
            02 1 40
        """
        level = selecting.level_of(self, threshold, alarm_rate)
        if level is None:
            sentence = (
                "no events: these scores have no threshold, because the engine has no calibration for these settings; "
                "give one, or score with a model folder and its own settings"
            )
            _logger.warning(sentence)
            if sentence not in self.notes:
                self.notes.append(sentence)
            return []
        return runs_above(self, arguments.number("threshold", level))

    def write(self, path: str | os.PathLike[str], *, threads: int = 1) -> AnyPath:
        """Writes what the suffix says, whole or not at all: `.csv` (`Id,Predicted`) or `.parquet` (everything).

        The same scores give the same bytes: the times in `phases` are left out.

        Args:
            path: the file, here or on a file system that PyArrow knows (`s3://bucket/scores.parquet`).
            threads: threads that format a `.csv`.

        Raises:
            ArgumentError: an argument is of a wrong type, or fewer than one thread.
            OutputError: another suffix, or the file cannot be written there.
            ScoresError: a `.csv` of videos whose names are the same without their leading zeros (`01` and `1`).

        Examples:
            >>> pixelfast.Scores.read("scores.parquet").write("submission.csv").name
            'submission.csv'
        """
        target = place(arguments.path("path", path))
        threads = arguments.whole("threads", threads, 1)
        suffix = target.suffix.lower()
        if suffix not in score_files.SUFFIXES:
            raise OutputError(f"{path} ends in neither .csv nor .parquet: name the output so that its kind is known")
        with atomic_path(target) as temporary:
            if suffix == ".csv":
                score_files.write_csv(self, temporary, threads)
            else:
                score_files.write_parquet(self, temporary)
        return target

    def write_events(self, path: str | os.PathLike[str]) -> AnyPath:
        """Writes `events()` as a `.csv`, one line an event: where, when, how high, how rare and why.

        Raises:
            ArgumentError: the path is none.
            OutputError: another suffix, or the file cannot be written there.

        Examples:
            >>> pixelfast.Scores.read("scores.parquet").write_events("events.csv").name
            'events.csv'
        """
        return event_files.write_events(self.events(), place(arguments.path("path", path)))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Reads the `.parquet` that `write` wrote.

        Raises:
            ScoresError: there is no such file, or it is not one of pixelfast's, or it is damaged.

        Examples:
            >>> pixelfast.Scores.read("scores.parquet")
            Scores(2 videos, 80 frames, reconstruction)
        """
        columns = score_files.read_parquet(place(arguments.path("path", path)))
        try:
            return cls(**columns)
        except ScoresError as error:
            raise ScoresError(f"{path} is damaged: {error}; score again") from error

    def to_arrow(self) -> "pa.Table":
        """Returns an Arrow table of all columns (`video` as a dictionary), with the facts in the schema's metadata.

        Examples:
            >>> pixelfast.Scores.read("scores.parquet").to_arrow().num_rows
            80
        """
        return score_files.to_arrow(self)

    def to_pandas(self) -> Any:
        """Returns a pandas DataFrame of all columns (`video` as a category).

        Raises:
            ScoresError: pandas is not installed.

        Examples:
            >>> len(pixelfast.Scores.read("scores.parquet").to_pandas())
            80
        """
        return showing.to_pandas(self)

    def to_polars(self) -> "pl.DataFrame":
        """Returns a polars DataFrame of all columns (`video` as a categorical).

        Raises:
            ScoresError: polars is not installed.

        Examples:
            >>> pixelfast.Scores.read("scores.parquet").to_polars().height
            80
        """
        return showing.to_polars(self)

    def plot(self) -> "go.Figure":
        """Returns a Plotly figure: smoothed raw scores in the order of the rows, the threshold, the peaks of events.

        Raises:
            ScoresError: Plotly is not installed.

        Examples:
            >>> figure = pixelfast.Scores.read("scores.parquet").plot()
            >>> figure.layout.yaxis.title.text
            'smoothed raw score'
        """
        from pixelfast.scores.plotting import plot

        return plot(self)
