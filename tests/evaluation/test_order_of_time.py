"""Labels as one array follow the order of time, whatever the frames are numbered."""

from pathlib import Path

import numpy as np
import pytest

from pixelfast.errors import ScoresError
from pixelfast.evaluation import evaluate
from pixelfast.scores import Scores


def scores_of(frame: list[int], abnormal: list[int]) -> Scores:
    """One video whose score is its label."""
    value = np.array(abnormal, np.float64)
    none = np.zeros(len(frame), np.bool_)
    return Scores(
        submission="rank", videos=("a",), video_index=np.zeros(len(frame), np.int32),
        frame=np.array(frame, np.int64), raw=value.astype(np.float32), score=value, rank=value / 2 + 0.5, tail=None,
        flipped=none, repaired=none, noisy=none, seconds=None, method="reconstruction", smooth=1, threshold=None,
        notes=[], phases={},
    )  # fmt: skip


@pytest.mark.parametrize("frame", [[57, 58, 59, 0, 1, 2], [5, 4, 3, 2, 1, 0], [2**63 - 1, 3, 8, 10**18, 7, 0]])
def test_arrays_follow_time_and_csvs_the_numbers(tmp_path: Path, frame: list[int]) -> None:
    abnormal = [1, 1, 0, 0, 0, 1]
    scores = scores_of(frame, abnormal)
    (tmp_path / "each").mkdir()
    for path in (tmp_path / "all.npy", tmp_path / "each" / "a.npy"):
        np.save(path, np.array(abnormal))
    rows = "".join(f"a_{number},{label}\n" for number, label in sorted(zip(frame, abnormal, strict=True)))
    (tmp_path / "labels.csv").write_text(f"Id,Label\n{rows}", encoding="utf-8")
    scores.write(tmp_path / "scores.parquet")
    for labels in ("all.npy", "each", "labels.csv"):
        assert evaluate(scores, tmp_path / labels).auroc == 1
        assert evaluate(tmp_path / "scores.parquet", tmp_path / labels).auroc == 1
    scores.write(tmp_path / "scores.csv")
    assert evaluate(tmp_path / "scores.csv", tmp_path / "labels.csv").auroc == 1


def test_a_frame_number_beyond_64_bits_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(f"Id,Label\na_{2**63},1\n", encoding="utf-8")
    with pytest.raises(ScoresError, match=r"labels\.csv: a frame number is too large"):
        evaluate(scores_of([0, 1], [0, 1]), tmp_path / "labels.csv")
