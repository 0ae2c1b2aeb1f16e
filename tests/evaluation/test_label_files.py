"""Labels as people save them: pandas' True and False, masks of 0 and 255, UTF-16; and headers that promise too much."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from made_scores import make_scores
from pixelfast.errors import ScoresError
from pixelfast.evaluation import evaluate
from pixelfast.scores import Scores

LENGTHS = {"1": 7, "größe": 9}


@pytest.fixture(scope="module")
def scores() -> Scores:
    return make_scores(LENGTHS, seed=3)


def ids(scores: Scores) -> list[str]:
    names = (scores.videos[index] for index in scores.video_index)
    return [f"{name}_{frame}" for name, frame in zip(names, scores.frame, strict=True)]


TRUTH = np.random.default_rng(5).random(sum(LENGTHS.values())) < 0.4
WAYS: dict[str, Any] = {
    "bool": TRUTH,
    "0 and 1": TRUTH.astype(int),
    "0 and 255": TRUTH * 255,
    "floats": TRUTH * 255.0,
    "TRUE": np.where(TRUTH, "TRUE", "FALSE"),
    "true": np.where(TRUTH, "true", "false"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("way", WAYS)
def test_csv_as_pandas_writes_it(scores: Scores, tmp_path: Path, way: str, encoding: str) -> None:
    path = tmp_path / "labels.csv"
    pd.DataFrame({"Id": ids(scores), "Label": WAYS[way]}).to_csv(path, index=False, encoding=encoding)
    found = evaluate(scores, path)
    assert found.ap == pytest.approx(average_precision_score(TRUTH, scores.submitted), abs=1e-12)
    assert found.auroc == pytest.approx(roc_auc_score(TRUTH, scores.submitted), abs=1e-12)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("top", [1, 255])
def test_arrays_of_0_and_255(scores: Scores, tmp_path: Path, dtype: type, top: int) -> None:
    np.save(tmp_path / "labels.npy", (TRUTH * top).astype(dtype))
    folder = tmp_path / "folder"
    folder.mkdir()
    np.save(folder / "1.npy", (TRUTH[:7] * top).astype(dtype))
    np.save(folder / "größe.npy", TRUTH[7:])
    expected = roc_auc_score(TRUTH, scores.submitted)
    for labels in (tmp_path / "labels.npy", folder):
        assert evaluate(scores, labels).auroc == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("values", [[0, 1, 255], [0, 2], [0, 255, 254], [0.5, 0], [-1, 0], [np.nan, 0]])
def test_other_values_are_no_labels(scores: Scores, tmp_path: Path, values: list[float]) -> None:
    np.save(tmp_path / "labels.npy", np.resize(values, len(scores)))
    with pytest.raises(ScoresError, match=r"a label is .*: labels are 0 for normal and 1 for abnormal, or 0 and 255"):
        evaluate(scores, tmp_path / "labels.npy")


@pytest.mark.parametrize("word", ["yes", "T", "abnormal"])
def test_other_words_are_no_labels(scores: Scores, tmp_path: Path, word: str) -> None:
    rows = "".join(f"{name},{word}\n" for name in ids(scores))
    (tmp_path / "labels.csv").write_text(f"Id,Label\n{rows}", encoding="utf-8")
    with pytest.raises(ScoresError, match=f"labels.csv cannot be read as a CSV: .*{word}"):
        evaluate(scores, tmp_path / "labels.csv")


def test_a_missing_word_is_named(scores: Scores, tmp_path: Path) -> None:
    rows = "".join(f"{name},{'' if index == 3 else index > 8}\n" for index, name in enumerate(ids(scores)))
    (tmp_path / "labels.csv").write_text(f"Id,Label\n{rows}", encoding="utf-8")
    with pytest.raises(ScoresError, match=f"Label of {ids(scores)[3]} is missing"):
        evaluate(scores, tmp_path / "labels.csv")


def test_scores_are_no_words(scores: Scores, tmp_path: Path) -> None:
    rows = "".join(f"{name},True\n" for name in ids(scores))
    (tmp_path / "scores.csv").write_text(f"Id,Predicted\n{rows}", encoding="utf-8")
    np.save(tmp_path / "labels.npy", TRUTH)
    with pytest.raises(ScoresError, match=r"scores\.csv cannot be read as a CSV"):
        evaluate(tmp_path / "scores.csv", tmp_path / "labels.npy")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.lists(st.integers(-3, 2**66), min_size=1, max_size=3).filter(lambda sides: sides not in ([16], [16, 1])),
    kind=st.sampled_from(["|b1", "|u1", "<i8", "<f8"]),
)
def test_a_header_that_promises_more_than_there_is(scores: Scores, tmp_path: Path, shape: list[int], kind: str) -> None:
    path = tmp_path / "labels.npy"
    with path.open("wb") as file:
        header = {"descr": kind, "fortran_order": False, "shape": tuple(shape)}
        np.lib.format.write_array_header_2_0(file, header)
        file.write(bytes(100))
    with pytest.raises(ScoresError, match=r"labels\.npy"):
        evaluate(scores, path)


def test_a_terabyte_that_is_not_there(scores: Scores, tmp_path: Path) -> None:
    path = tmp_path / "labels.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**11,)})
        file.write(bytes(128))
    with pytest.raises(ScoresError, match="it is shorter than its header says; save it again"):
        evaluate(scores, path)
