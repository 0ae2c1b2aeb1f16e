"""What Plotly draws: a timeline a video, and how well the scores tell labelled frames from others."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.evaluation import auroc, average_precision
from pixelfast.evaluation.frames import from_scores
from pixelfast.evaluation.labels import read_labels
from pixelfast.files.natural import natural_key
from pixelfast.reporting import words
from pixelfast.reporting.thin import runs, thinned
from pixelfast.scores import Scores
from pixelfast.scores.files import csv_names
from pixelfast.scores.highlights import Highlight

Labels = NDArray[np.bool_]

MOST_TIMELINES: Final = 1000
"""More videos than these are left out of the page, those with the lowest peaks."""
_POINTS: Final = 240_000
"""Of all timelines together, about: two megabytes of page."""
_LEAST_COLUMNS, _MOST_COLUMNS = 100, 600
_CURVE_COLUMNS: Final = 250


def timelines(scores: Scores, moments: Sequence[Highlight], labels: Labels | None) -> tuple[list[dict[str, Any]], int]:
    """Returns what is drawn of each video, in the order of the scores, and how many videos were left out.

    Args:
        scores: of all videos.
        moments: those of the list, whose peaks are named.
        labels: bool[N], true for abnormal; None where none were given.
    """
    smoothed = scores.smoothed_raw() if len(scores) else np.empty(0)
    ends = np.cumsum(scores.lengths).tolist()
    videos = [slice(end - length, end) for end, length in zip(ends, scores.lengths.tolist(), strict=True) if length]
    kept = sorted(videos, key=lambda rows: -smoothed[rows].max())[:MOST_TIMELINES]
    columns = int(np.clip(_POINTS // (2 * max(len(kept), 1)), _LEAST_COLUMNS, _MOST_COLUMNS))
    listed: dict[str, list[Highlight]] = {}
    for moment in moments:
        listed.setdefault(moment.video, []).append(moment)
    marked = {name: getattr(scores, name) for name in words.MARKS} | ({} if labels is None else {"labelled": labels})
    drawn = []
    for rows in sorted(kept, key=lambda rows: rows.start):
        some = listed.get(scores.videos[scores.video_index[rows.start]], [])
        drawn.append(_timeline(scores, rows, smoothed[rows], columns=columns, moments=some, marked=marked))
    return drawn, len(videos) - len(kept)


def _timeline(
    scores: Scores,
    rows: slice,
    values: NDArray[np.float64],
    *,
    columns: int,
    moments: Sequence[Highlight],
    marked: Mapping[str, Labels],
) -> dict[str, Any]:
    x, timed = _positions(scores, rows)
    at = thinned(values, columns)
    level = scores.threshold
    above = runs(np.zeros(len(values), np.bool_) if level is None else values > level)
    near = max(1, len(values) // (2 * _MOST_COLUMNS))
    lanes = {name: runs(column[rows], near) for name, column in marked.items()}
    peak = rows.start + int(values.argmax())
    name = scores.videos[scores.video_index[rows.start]]
    return {
        "name": name,
        "x": _packed(x[at], "f8" if timed else "i4" if abs(x).max(initial=0) < 2**31 else "f8"),
        "y": _packed(values[at], "f4"),
        "timed": timed,
        "ends": [float(x.min()), float(x.max())],
        "lanes": [[name, _stretches(x, found)] for name, found in lanes.items() if len(found)],
        "moments": [[one.number, float(x[one.peak - rows.start]), one.value] for one in moments],
        "words": _in_words(scores, rows, peak, float(values.max()), len(above)),
        "count": len(values),
        "thinned": len(at) < len(values),
    }


def _in_words(scores: Scores, rows: slice, peak: int, highest: float, above: int) -> str:
    """What a timeline shows, for those who do not see it, and beneath its title."""
    frames = words.plural(rows.stop - rows.start, "frame")
    events = "" if scores.threshold is None else f", {words.plural(above, 'run')} above the threshold"
    return f"{frames}, highest {highest:.3g} at {words.when(scores, peak)}{events}"


def _positions(scores: Scores, rows: slice) -> tuple[NDArray[np.float64], bool]:
    """Seconds where all are known, else frame numbers, of the rows of a video; and which of the two."""
    seconds = None if scores.seconds is None else scores.seconds[rows]
    timed = seconds is not None and bool(np.isfinite(seconds).all())
    return np.asarray(seconds if timed else scores.frame[rows], np.float64), timed


def _stretches(x: NDArray[np.float64], found: NDArray[np.int64]) -> list[list[float]]:
    """Where runs begin and end: half a frame beyond, and never too short to be seen."""
    step = float(np.median(np.abs(np.diff(x)))) if len(x) > 1 else 1.0
    wide = max(step, float(np.ptp(x)) / _MOST_COLUMNS) / 2
    return [[round(float(x[first]) - wide, 3), round(float(x[last]) + wide, 3)] for first, last in found.tolist()]


def _packed(values: NDArray[Any], kind: str) -> dict[str, str]:
    """Numbers as Plotly takes them without a text for each."""
    return {"dtype": kind, "bdata": b64encode(values.astype(f"<{kind}").tobytes()).decode()}


def labels_of(path: Path, scores: Scores) -> Labels:
    """Reads the labels of the rows of scores, bool[N], from whatever `evaluate` takes.

    Raises:
        ScoresError: they cannot be read, or are not of these frames.
    """
    table = read_labels(path, from_scores(scores))
    names = csv_names(scores.videos)
    by_name = sorted(range(len(names)), key=lambda video: natural_key(names[video]))
    order = np.argsort(np.argsort(by_name)[scores.video_index], kind="stable")
    labels = np.empty(len(scores), np.bool_)
    labels[order] = table
    return labels


def curves(labels: Labels, scores: Scores) -> dict[str, Any] | None:
    """Returns the precision-recall and the ROC curve of all frames; None where labels are of one kind only."""
    abnormal = int(labels.sum())
    if abnormal in (0, len(labels)):
        return None
    values = scores.submitted
    order = np.argsort(-values, kind="stable")
    last = np.append(np.flatnonzero(np.diff(values[order])), len(order) - 1)
    hits, taken = np.cumsum(labels[order])[last], last + 1
    precision, recall, false = hits / taken, hits / abnormal, (taken - hits) / (len(labels) - abnormal)
    at, corner = thinned(precision, _CURVE_COLUMNS), thinned(recall - false, _CURVE_COLUMNS)
    return {
        "ap": average_precision(labels, values),
        "auroc": auroc(labels, values),
        "share": abnormal / len(labels),
        "precision": [[0.0, *recall[at].round(4).tolist()], [float(precision[0]), *precision[at].round(4).tolist()]],
        "roc": [[0.0, *false[corner].round(4).tolist()], [0.0, *recall[corner].round(4).tolist()]],
        "rows": [
            [share, float(precision[found]), float(false[found])]
            for share in (0.25, 0.5, 0.75, 0.9)
            for found in [int(np.searchsorted(recall, share))]
        ],
    }
