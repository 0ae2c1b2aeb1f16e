"""AP and AUROC against scikit-learn, and every form that labels come in."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from pixelfast.errors import ScoresError
from pixelfast.evaluation import Evaluation, auroc, average_precision, evaluate
from pixelfast.scores import Scores

Values = NDArray[np.float64]

labelled = st.integers(1, 60).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.bool_, n),
        st.one_of(
            hnp.arrays(np.float64, n, elements=st.floats(-1e6, 1e6)),
            hnp.arrays(np.float64, n, elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])),  # many ties
            hnp.arrays(np.float32, n, elements=st.floats(-1e6, 1e6, width=32)),
        ),
    )
)


@given(labelled)
def test_average_precision_is_scikit_learns(case: tuple[NDArray[np.bool_], Values]) -> None:
    labels, values = case
    assume(labels.any())
    assert average_precision(labels, values) == pytest.approx(average_precision_score(labels, values), abs=1e-12)


@given(labelled)
def test_auroc_is_scikit_learns(case: tuple[NDArray[np.bool_], Values]) -> None:
    labels, values = case
    assume(labels.any() and not labels.all())
    assert auroc(labels, values) == pytest.approx(roc_auc_score(labels, values), abs=1e-12)


@given(labelled)
def test_auroc_of_turned_scores_is_the_rest(case: tuple[NDArray[np.bool_], Values]) -> None:
    labels, values = case
    assume(labels.any() and not labels.all())
    assert auroc(labels, values) + auroc(labels, -values) == pytest.approx(1.0, abs=1e-12)


def test_signed_zeros_are_one_value() -> None:
    labels = np.array([True, False])
    assert auroc(labels, np.array([0.0, -0.0])) == 0.5


@pytest.mark.parametrize("metric", [average_precision, auroc])
def test_metrics_refuse_what_has_no_answer(metric: Callable[..., float]) -> None:
    with pytest.raises(ScoresError, match="of one length"):
        metric(np.ones(3, dtype=np.bool_), np.ones(2))
    with pytest.raises(ScoresError, match="value 1 is not a finite number"):
        metric(np.array([True, False]), np.array([1.0, np.nan]))
    with pytest.raises(ScoresError, match="abnormal"):
        metric(np.zeros(3, dtype=np.bool_), np.ones(3))
    with pytest.raises(ScoresError, match="abnormal"):
        metric(np.zeros(0, dtype=np.bool_), np.zeros(0))


def make_scores(method: str = "reconstruction") -> Scores:
    """Videos 2 and 10 (named with leading zeros) of 30 and 20 frames, frame numbers from 5 in steps of 2."""
    rng = np.random.default_rng(0)
    n = 50
    return Scores(
        submission="score" if method == "motion" else "rank",
        videos=("02", "10"),
        video_index=np.repeat(np.array([0, 1], dtype=np.int32), [30, 20]),
        frame=np.concatenate([5 + 2 * np.arange(30), 5 + 2 * np.arange(20)]),
        raw=rng.random(n, dtype=np.float32),
        score=rng.random(n),
        rank=(rng.permutation(n) + 1) / n,
        flipped=np.zeros(n, dtype=np.bool_),
        repaired=np.zeros(n, dtype=np.bool_),
        noisy=np.zeros(n, dtype=np.bool_),
        method=method,
    )


TRUTH = np.concatenate([np.arange(30) % 3 == 0, np.zeros(20, dtype=bool)])


def write_labels(path: Path, scores: Scores, truth: NDArray[np.bool_]) -> Path:
    names = [f"{int(scores.videos[v])}_{f}" for v, f in zip(scores.video_index, scores.frame, strict=True)]
    rows = [f"{name},{int(label)}" for name, label in zip(names, truth, strict=True)]
    np.random.default_rng(1).shuffle(rows)  # the order of rows says nothing
    path.write_text("\n".join(["Id,Label", *rows]) + "\n")
    return path


def expected(scores: Scores, values: Values) -> tuple[float, float]:
    return average_precision_score(TRUTH, values), roc_auc_score(TRUTH, values)


def figures(found: Evaluation) -> tuple[float, float]:
    return found.ap, found.auroc


def test_scores_parquet_and_csv_give_the_same(tmp_path: Path) -> None:
    scores = make_scores()
    labels = write_labels(tmp_path / "labels.csv", scores, TRUTH)
    found = [evaluate(scores, labels)]
    found += [evaluate(scores.write(tmp_path / name), labels) for name in ("s.parquet", "s.csv")]
    assert found[0] == found[1] == found[2]
    assert figures(found[0]) == pytest.approx(expected(scores, scores.rank), abs=1e-12)
    assert (found[0].frames, found[0].abnormal, found[0].abnormal_share) == (50, 10, 0.2)


def test_motion_is_judged_by_its_score(tmp_path: Path) -> None:
    scores = make_scores("motion")
    found = evaluate(scores, write_labels(tmp_path / "labels.csv", scores, TRUTH))
    assert figures(found) == pytest.approx(expected(scores, scores.score), abs=1e-12)


def test_videos_by_themselves_where_both_kinds_are(tmp_path: Path) -> None:
    scores = make_scores()
    first, second = evaluate(scores, write_labels(tmp_path / "labels.csv", scores, TRUTH)).videos
    assert (first.video, first.frames, first.abnormal) == ("2", 30, 10)
    assert first.ap == pytest.approx(average_precision_score(TRUTH[:30], scores.rank[:30]), abs=1e-12)
    assert first.auroc == pytest.approx(roc_auc_score(TRUTH[:30], scores.rank[:30]), abs=1e-12)
    assert (second.video, second.abnormal, second.ap, second.auroc) == ("10", 0, None, None)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int64, np.float32])
def test_arrays_give_the_same_as_a_csv(tmp_path: Path, dtype: type[np.generic]) -> None:
    scores = make_scores()
    by_csv = evaluate(scores, write_labels(tmp_path / "labels.csv", scores, TRUTH))
    np.save(tmp_path / "all.npy", TRUTH.astype(dtype))
    (tmp_path / "folder").mkdir()
    np.save(tmp_path / "folder" / "02.npy", TRUTH[:30].astype(dtype))
    np.save(tmp_path / "folder" / "10.npy", TRUTH[30:].astype(dtype)[:, None])
    assert evaluate(scores, tmp_path / "all.npy") == by_csv
    assert evaluate(scores, tmp_path / "folder") == by_csv


def test_one_array_follows_natural_order_not_the_tables(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("Id,Predicted\n10_1,0.9\n2_10,0.1\n2_9,0.8\n")
    np.save(tmp_path / "l.npy", np.array([1, 0, 1]))  # 2_9, 2_10, 10_1
    assert evaluate(tmp_path / "s.csv", tmp_path / "l.npy").auroc == 1.0


def test_names_with_underscores_and_padding(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("Id,Predicted\nyard_north_0007,0.9\nyard_north_8,0.1\n")
    (tmp_path / "l.csv").write_text("Id,Usage,Label\nyard_north_8,Public,0\nyard_north_7,Private,1\n")
    found = evaluate(tmp_path / "s.csv", tmp_path / "l.csv")
    assert (found.auroc, found.videos[0].video) == (1.0, "yard_north")


def test_to_dict_is_json(tmp_path: Path) -> None:
    scores = make_scores()
    found = evaluate(scores, write_labels(tmp_path / "labels.csv", scores, TRUTH))
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["auroc"] == found.auroc
    assert plain["videos"][1] == {"video": "10", "frames": 20, "abnormal": 0, "ap": None, "auroc": None}


SCORES_CSV = "Id,Predicted\n1_1,0.1\n1_2,0.9\n2_1,0.5\n"


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ("Id,Label\n1_1,0\n1_2,1\n", r"no label for 1 \(2_1\) of the 3 frames"),
        ("Id,Label\n1_1,0\n1_2,1\n2_1,0\n3_1,0\n", r"labels for 1 \(3_1\) of its 4 frames that were never scored"),
        ("Id,Label\n1_1,0\n1_2,1\n2_2,0\n", r"no label for 1 \(2_1\)"),
        ("Id,Label\n1_1,0\n1_2,1\n2_1,0\n2_01,0\n", "2_1 is there twice"),
        ("Id,Label\n1_1,0\n1_2,1\n2_1,\n", "Label of 2_1 is missing"),
        ("Id,Label\n1_1,0\n1_2,1\n2_1,nan\n", "Label of 2_1 is missing or not a finite"),
        ("Id,Label\n1_1,0\n1_2,1\n2_1,2\n", "labels are 0 for normal and 1"),
        ("Id,Label\n1_1,0\n1_2,0\n2_1,0\n", "all 3 frames are labelled normal"),
        ("Id,Label\n1_1,1\n1_2,1\n2_1,1\n", "all 3 frames are labelled abnormal"),
        ("Id,Class\n1_1,1\n1_2,1\n2_1,1\n", "must have the columns Id and Label, not Id, Class"),
        ("Id,Label\n1_1,0\n1-2,1\n2_1,0\n", "Id '1-2' is not VIDEO_FRAME"),
        ("Id,Label\n1_1,yes\n", "cannot be read as a CSV"),
        ("Id,Label\n1_1\n", "cannot be read as a CSV"),
        ("", "cannot be read as a CSV"),
        ("Id,Label\n", r"no label for 3 \(1_1, 1_2, 2_1\)"),
    ],
)
def test_labels_that_do_not_fit_are_named(tmp_path: Path, labels: str, sentence: str) -> None:
    (tmp_path / "s.csv").write_text(SCORES_CSV)
    (tmp_path / "l.csv").write_text(labels)
    with pytest.raises(ScoresError, match=sentence):
        evaluate(tmp_path / "s.csv", tmp_path / "l.csv")


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.array([0, 1]), "has 2 labels, but there are 3 frames in the scores"),
        (np.array([0.0, 1.0, np.nan]), "a label is nan"),
        (np.array(["0", "1", "0"]), "must hold numbers"),
        (np.zeros((3, 2)), r"one label a frame, not an array \[3, 2\]"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path: Path, array: NDArray[np.generic], sentence: str) -> None:
    (tmp_path / "s.csv").write_text(SCORES_CSV)
    np.save(tmp_path / "l.npy", array)
    with pytest.raises(ScoresError, match=sentence):
        evaluate(tmp_path / "s.csv", tmp_path / "l.npy")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(SCORES_CSV)
    np.save(tmp_path / "l.npy", np.array([0, {}, 1], dtype=object), allow_pickle=True)
    with pytest.raises(ScoresError, match="cannot be read as a NumPy array"):
        evaluate(tmp_path / "s.csv", tmp_path / "l.npy")


def test_folders_that_do_not_fit_are_named(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(SCORES_CSV)
    folder = tmp_path / "labels"
    folder.mkdir()
    with pytest.raises(ScoresError, match=r"holds no \.npy"):
        evaluate(tmp_path / "s.csv", folder)
    np.save(folder / "1.npy", np.array([0, 1]))
    with pytest.raises(ScoresError, match=r"no labels for 1 \(2\) of the 2 videos"):
        evaluate(tmp_path / "s.csv", folder)
    np.save(folder / "2.npy", np.array([0, 1]))
    with pytest.raises(ScoresError, match="has 2 labels, but there are 1 frames in video 2"):
        evaluate(tmp_path / "s.csv", folder)
    np.save(folder / "2.npy", np.array([0]))
    np.save(folder / "3.npy", np.array([0]))
    with pytest.raises(ScoresError, match=r"3\.npy\) videos that were never scored"):
        evaluate(tmp_path / "s.csv", folder)
    (folder / "3.npy").rename(folder / "01.npy")
    with pytest.raises(ScoresError, match="are labels of one video"):
        evaluate(tmp_path / "s.csv", folder)


@pytest.mark.parametrize("scores", ["Id,Predicted\n1_1,\n", "Id,Predicted\n1_1,nan\n", "Id,Predicted\n1_1,inf\n"])
def test_scores_must_be_finite(tmp_path: Path, scores: str) -> None:
    (tmp_path / "s.csv").write_text(scores)
    (tmp_path / "l.csv").write_text("Id,Label\n1_1,0\n")
    with pytest.raises(ScoresError, match="Predicted of 1_1 is missing or not a finite number"):
        evaluate(tmp_path / "s.csv", tmp_path / "l.csv")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(SCORES_CSV)
    (tmp_path / "l.mat").write_text("")
    with pytest.raises(ScoresError, match=r"nothing\.parquet does not exist"):
        evaluate(tmp_path / "nothing.parquet", tmp_path / "l.csv")
    with pytest.raises(ScoresError, match=r"there are no labels at .*l\.csv"):
        evaluate(tmp_path / "s.csv", tmp_path / "l.csv")
    with pytest.raises(ScoresError, match="in none of the forms"):
        evaluate(tmp_path / "s.csv", tmp_path / "l.mat")
    with pytest.raises(ScoresError, match="is a folder"):
        evaluate(tmp_path, tmp_path / "l.csv")


def test_no_warning_on_large_tables(tmp_path: Path) -> None:
    """A million frames: counts go beyond what their product could hold in 32 bits."""
    rng = np.random.default_rng(0)
    labels, values = rng.random(1_000_000) < 0.2, rng.random(1_000_000).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert auroc(labels, values) == pytest.approx(roc_auc_score(labels, values), abs=1e-9)
        assert average_precision(labels, values) == pytest.approx(average_precision_score(labels, values), abs=1e-9)
