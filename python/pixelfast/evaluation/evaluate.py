"""Scores against labels: average precision and AUROC, over all frames and video by video."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ArgumentError, ScoresError
from pixelfast.evaluation.frames import FrameTable, from_scores, read_csv
from pixelfast.evaluation.labels import read_labels

if TYPE_CHECKING:
    from pixelfast.scores import Scores


@dataclass(frozen=True)
class VideoEvaluation:
    """One video; `ap` and `auroc` are None where all its frames are of one kind."""

    video: str
    frames: int
    abnormal: int
    ap: float | None
    auroc: float | None


@dataclass(frozen=True)
class Evaluation:
    """How well scores tell abnormal frames from normal ones.

    Attributes:
        ap: Average precision over all frames of all videos. A score that knows nothing gets about `abnormal_share`.
        auroc: Area under the ROC curve over all frames. A score that knows nothing gets about 0.5.
        abnormal_share: Share of the frames that are labelled abnormal.
        frames: How many frames were compared.
        abnormal: How many of them are labelled abnormal.
        videos: Every video by itself, in natural order.
        rbdc: Whether the error maps point at the thing: Street Scene's region-based detection criterion, the area
            under the share of abnormal regions found over false positives a frame, from 0 to 1 of these
            (`pixelfast.evaluation.regions`). None where no masks were given.
        tbdc: The same of tracks: regions of consecutive frames that overlap.

    Examples:
        >>> evaluation = pixelfast.evaluate("scores.parquet", "labels.csv")
        >>> 0 < evaluation.ap <= 1 and 0 <= evaluation.auroc <= 1
        True
    """

    ap: float
    auroc: float
    abnormal_share: float
    frames: int
    abnormal: int
    videos: tuple[VideoEvaluation, ...]
    rbdc: float | None = None
    tbdc: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain numbers, lists and dictionaries, as JSON wants them.

        Examples:
            >>> pixelfast.evaluate("scores.parquet", "labels.csv").to_dict()["frames"]
            80
        """
        return {**asdict(self), "videos": [asdict(video) for video in self.videos]}


def evaluate(scores: "Scores | str | os.PathLike[str]", labels: str | os.PathLike[str]) -> Evaluation:
    """Compares scores with labels.

    Args:
        scores: A `Scores`, the `.parquet` one was written to, or an `Id,Predicted` `.csv`.
        labels: In any form that `pixelfast.evaluate` lists: a file over all frames, sorted naturally by video, then by
            time, as the scores are; or a folder with one of each video.

    Raises:
        ScoresError: a file is missing or cannot be read, labels and scores are not of the same frames, a value is no
            finite number, or all labels are alike.
    """
    table = _table(scores)
    if not len(table):
        raise ScoresError("there are no scores to evaluate: the table is empty")
    truth = read_labels(Path(labels), table)
    abnormal = int(truth.sum())
    if abnormal in (0, len(truth)):
        kind = "abnormal" if abnormal else "normal"
        raise ScoresError(f"{labels}: all {len(truth):,} frames are labelled {kind}: AP and AUROC need both kinds")
    videos = tuple(_one_video(table, truth, index) for index in range(len(table.videos)))
    values = table.values
    share = abnormal / len(truth)
    return Evaluation(average_precision(truth, values), auroc(truth, values), share, len(truth), abnormal, videos)


def _table(scores: "Scores | str | os.PathLike[str]") -> FrameTable:
    if not isinstance(scores, str | os.PathLike):
        from pixelfast.scores import Scores

        if not isinstance(scores, Scores):
            raise ArgumentError(f"scores must be a Scores or the path of one, not {type(scores).__name__}")
        return from_scores(scores)
    path = Path(scores)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ScoresError(f"{path} {what}: give the .parquet or .csv that scoring wrote")
    if path.suffix.lower() == ".csv":
        return read_csv(path, "Predicted")
    from pixelfast.scores import Scores

    return from_scores(Scores.read(path))


def _one_video(table: FrameTable, truth: NDArray[np.bool_], index: int) -> VideoEvaluation:
    rows = table.rows(index)
    labels, values = truth[rows], table.values[rows]
    abnormal = int(labels.sum())
    both = 0 < abnormal < len(labels)
    ap, area = (average_precision(labels, values), auroc(labels, values)) if both else (None, None)
    return VideoEvaluation(table.videos[index], len(labels), abnormal, ap, area)


def average_precision(labels: NDArray[np.bool_], values: NDArray[np.floating[Any]]) -> float:
    """Returns average precision: the mean precision over abnormal frames, from the highest value down.

    The sum over thresholds of (recall - recall before) x precision, without interpolation; equal values share one
    threshold (Zhu, Recall, precision and average precision, 2004; as scikit-learn's `average_precision_score`).

    Args:
        labels: bool[N], true for abnormal.
        values: f32 or f64[N], higher for more unusual; finite.

    Raises:
        ScoresError: lengths differ, a value is not finite, or no frame is abnormal.
    """
    abnormal, taken = _counts_by_threshold(labels, values)
    if abnormal.size == 0 or abnormal[-1] == 0:
        raise ScoresError("average precision needs at least one abnormal frame: every label is 0")
    found = np.diff(abnormal, prepend=0)
    return float(np.sum(found * (abnormal / taken)) / abnormal[-1])


def auroc(labels: NDArray[np.bool_], values: NDArray[np.floating[Any]]) -> float:
    """Returns the area under the ROC curve: how often an abnormal frame is above a normal one, ties counting half.

    Arguments and errors as `average_precision`; normal frames are needed too.
    """
    abnormal, taken = _counts_by_threshold(labels, values)
    normal = taken - abnormal
    if abnormal.size == 0 or abnormal[-1] == 0 or normal[-1] == 0:
        raise ScoresError("the AUROC needs both normal and abnormal frames: the labels hold one kind only")
    width, height = np.diff(normal, prepend=0), abnormal - np.diff(abnormal, prepend=0) / 2
    return float(np.sum(width * height) / (float(abnormal[-1]) * float(normal[-1])))


def _counts_by_threshold(
    labels: NDArray[np.bool_], values: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Counts abnormal frames and all frames at or above each distinct value, the highest first."""
    if labels.shape != values.shape or labels.ndim != 1:
        raise ScoresError(f"labels {list(labels.shape)} and values {list(values.shape)} must be of one length")
    if not np.isfinite(values).all():
        raise ScoresError(f"value {int(np.flatnonzero(~np.isfinite(values))[0])} is not a finite number")
    order = np.argsort(values)[::-1]
    ordered = values[order]
    last_of_its_value = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if values.size else order
    abnormal = np.cumsum(labels[order], dtype=np.int64)[last_of_its_value]
    return abnormal, last_of_its_value.astype(np.int64) + 1
