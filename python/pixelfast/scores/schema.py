"""The columns of a table of scores, and what each must hold."""

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from pixelfast.arguments import MOST_SMOOTH
from pixelfast.errors import ScoresError
from pixelfast.model.fields import is_number
from pixelfast.options import Submission

if TYPE_CHECKING:
    from pixelfast.scores.table import Scores

COLUMNS: dict[str, type[np.generic]] = {
    "video_index": np.int32,
    "frame": np.int64,
    "raw": np.float32,
    "score": np.float64,
    "rank": np.float64,
    "tail": np.float64,
    "flipped": np.bool_,
    "repaired": np.bool_,
    "noisy": np.bool_,
    "frozen": np.bool_,
    "seconds": np.float64,
}
OPTIONAL = ("tail", "seconds")
LATER = ("frozen",)
"""What files of before lack: no frame is marked there."""


def check_scores(scores: "Scores") -> None:
    """Raises a ScoresError that names the first column, value or fact that is not of the right kind."""
    for name, dtype in COLUMNS.items():
        if name not in OPTIONAL or getattr(scores, name) is not None:
            _check_column(name, getattr(scores, name), dtype, len(scores.frame))
    if scores.why is not None and len(scores.why.cell) != len(scores.frame):
        raise ScoresError(f"why must say something of {len(scores.frame)} frames, not of {len(scores.why.cell)}")
    _check_rows(scores)
    _check_values(scores)
    _check_facts(scores)


def _check_column(name: str, column: Any, dtype: type[np.generic], rows: int) -> None:
    what = f"{np.dtype(dtype)} [{rows}]"
    if not isinstance(column, np.ndarray):
        raise ScoresError(f"{name} must be an array, {what}, not {type(column).__name__}")
    if column.dtype != dtype or column.shape != (rows,):
        raise ScoresError(f"{name} must be {what}, not {column.dtype} {list(column.shape)}")


def _check_rows(scores: "Scores") -> None:
    videos, index, frame = scores.videos, scores.video_index, scores.frame
    if not all(_is_name(name) for name in videos) or len(set(videos)) != len(videos):
        raise ScoresError(f"videos must be names, each once, not {videos!r}")
    if len(index) and not 0 <= int(index.min()) <= int(index.max()) < len(videos):
        raise ScoresError(f"video_index must lie between 0 and {len(videos) - 1}, the positions in videos")
    if np.any(index[1:] < index[:-1]):
        raise ScoresError("rows must lie video by video, in the order of videos")
    if np.all((index[1:] != index[:-1]) | (frame[1:] > frame[:-1])):
        return
    order = np.lexsort((frame, index))
    twice = np.flatnonzero((np.diff(index[order]) == 0) & (np.diff(frame[order]) == 0))
    if len(twice):
        row = order[twice[0]]
        raise ScoresError(f"frame {frame[row]} of video {videos[index[row]]} is there twice")


def _is_name(name: object) -> bool:
    """Says whether a thing is text, not empty, that UTF-8 can hold."""
    return isinstance(name, str) and name != "" and not any("\ud800" <= letter <= "\udfff" for letter in name)


def _check_values(scores: "Scores") -> None:
    for name in ("raw", "score", "rank", "tail"):
        column: NDArray[np.floating[Any]] | None = getattr(scores, name)
        if column is not None and not np.isfinite(column).all():
            row = np.flatnonzero(~np.isfinite(column))[0]
            video = scores.videos[scores.video_index[row]]
            raise ScoresError(f"{name} of video {video}, frame {scores.frame[row]}, is {column[row]}, not a number")
    rank, tail = scores.rank, scores.tail
    if len(rank) and not 0 < rank.min() <= rank.max() <= 1:
        raise ScoresError(f"rank must lie in (0, 1], not between {rank.min()} and {rank.max()}")
    if tail is not None and len(tail) and not 0 <= tail.min() <= tail.max() <= 1:
        raise ScoresError(f"tail must lie in [0, 1], not between {tail.min()} and {tail.max()}")
    if scores.seconds is not None and np.any(np.isinf(scores.seconds)):
        raise ScoresError("seconds must be finite, or NaN where the time is not known")


def _check_facts(scores: "Scores") -> None:
    if not isinstance(scores.method, str) or not scores.method:
        raise ScoresError(f"method must be a name, not {scores.method!r}")
    if scores.submission not in get_args(Submission):
        raise ScoresError(f"submission must be rank or score, not {scores.submission!r}")
    if not isinstance(scores.smooth, int) or scores.smooth < 1 or scores.smooth % 2 == 0:
        raise ScoresError(f"smooth must be an odd number of frames, not {scores.smooth!r}")
    if scores.smooth > MOST_SMOOTH:
        raise ScoresError(f"smooth must be at most {MOST_SMOOTH:,} frames, not {scores.smooth}")
    level = scores.threshold
    if level is not None and not is_number(level):
        raise ScoresError(f"threshold must be a finite number or None, not {level!r}")
    if (scores.curve is None) != (scores.alarm_rate is None):
        raise ScoresError("curve and alarm_rate go together: how often events come, and how often they may")
    if not isinstance(scores.notes, list) or not all(isinstance(note, str) for note in scores.notes):
        raise ScoresError(f"notes must be a list of sentences, not {scores.notes!r}")
    if not isinstance(scores.phases, dict) or not all(isinstance(time, int | float) for time in scores.phases.values()):
        raise ScoresError(f"phases must be seconds by name, not {scores.phases!r}")
