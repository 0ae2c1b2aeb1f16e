"""What Plotly draws, against scikit-learn and plain loops."""

import json
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from made_scores import make_scores
from pixelfast.reporting.charts import MOST_TIMELINES, curves, labels_of, timelines
from pixelfast.scores.highlights import choose_moments
from report_footage import THRESHOLD, scores_of

DTYPES = {"f4": np.float32, "f8": np.float64, "i4": np.int32}


def unpacked(packed: dict[str, str]) -> np.ndarray:
    return np.frombuffer(b64decode(packed["bdata"]), DTYPES[packed["dtype"]])


def test_a_short_video_is_drawn_whole() -> None:
    scores = scores_of(["a", "b"], 40, {"b": {3: 9.0, 4: 8.0}}, noisy=np.arange(80) % 40 == 7)
    moments, _ = choose_moments(scores, 9)
    (first, second), left_out = timelines(scores, moments, None)
    assert left_out == 0
    np.testing.assert_array_equal(unpacked(second["x"]), np.arange(1, 41))
    np.testing.assert_array_equal(unpacked(second["y"]), scores.raw[40:])
    assert (first["moments"], second["moments"]) == ([], [[1, 3.0, 9.0]])
    assert second["lanes"] == [["noisy", [[7.5, 8.5]]]]
    assert second["words"] == "40 frames, highest 9 at frame 3, 1 run above the threshold"


def test_seconds_are_the_axis_where_all_are_known() -> None:
    scores = scores_of(["a"], 40, {}, seconds=np.arange(40) / 25)
    (line,), _ = timelines(scores, [], None)
    assert line["timed"]
    np.testing.assert_array_equal(unpacked(line["x"]), np.arange(40) / 25)
    (line,), _ = timelines(scores_of(["a"], 40, {}, seconds=np.r_[np.nan, np.arange(39)]), [], None)
    assert not line["timed"]


def test_no_peak_of_three_hundred_thousand_frames_is_lost_and_the_page_stays_small() -> None:
    rng = np.random.default_rng(1)
    names, frames = [f"cam{at}" for at in range(150)], 2000
    raw = rng.random(150 * frames).astype(np.float32)
    spikes = rng.choice(150 * frames, 40, replace=False)
    raw[spikes] = 10 + rng.random(40)
    scores = scores_of(names, frames, {}, raw=raw, noisy=rng.random(150 * frames) < 0.5)
    lines, _ = timelines(scores, choose_moments(scores, 50)[0], None)
    drawn = {(at, int(x)) for at, line in enumerate(lines) for x in unpacked(line["x"])}
    assert {(spike // frames, spike % frames + 1) for spike in spikes.tolist()} <= drawn
    assert all(unpacked(line["y"]).max() == raw[at * frames :][:frames].max() for at, line in enumerate(lines))
    assert len(json.dumps(lines)) < 12e6


def test_of_more_videos_than_a_page_draws_those_with_lower_peaks_are_left_out() -> None:
    names = [f"v{at}" for at in range(MOST_TIMELINES + 3)]
    scores = scores_of(names, 2, {name: {1: 2.0 + at} for at, name in enumerate(names)}, threshold=THRESHOLD)
    lines, left_out = timelines(scores, [], None)
    assert (left_out, [line["name"] for line in lines]) == (3, names[3:])


def test_labels_are_of_the_rows_whatever_the_order_of_the_videos(tmp_path: Path) -> None:
    scores = make_scores({"10": 3, "9": 2, "cam": 2}, frame=np.array([1, 2, 3, 5, 4, 1, 2]))
    wanted = {("10", 2), ("9", 5), ("cam", 1)}
    rows = [
        (scores.videos[video], frame) for video, frame in zip(scores.video_index, scores.frame.tolist(), strict=True)
    ]
    lines = [f"{video}_{frame},{int((video, frame) in wanted)}" for video, frame in rows]
    (tmp_path / "labels.csv").write_text("\n".join(["Id,Label", *lines]))
    assert labels_of(tmp_path / "labels.csv", scores).tolist() == [row in wanted for row in rows]
    (tmp_path / "folder").mkdir()
    for name, labels in {"10": [0, 1, 0], "9": [1, 0], "cam": [1, 0]}.items():
        np.save(tmp_path / "folder" / f"{name}.npy", np.array(labels))
    assert labels_of(tmp_path / "folder", scores).tolist() == [row in wanted for row in rows]


@pytest.mark.parametrize("frames", [200, 20_000])
def test_curves_are_those_of_scikit_learn(frames: int) -> None:
    rng = np.random.default_rng(frames)
    labels = rng.random(frames) < 0.2
    raw = (labels + rng.normal(0, 1, frames)).round(3 if frames > 1000 else 1).astype(np.float32)
    scores = make_scores({"a": frames}, raw=raw, score=raw.astype(np.float64), submission="score")
    found = curves(labels, scores)
    assert found is not None
    assert found["ap"] == pytest.approx(average_precision_score(labels, raw))
    assert found["auroc"] == pytest.approx(roc_auc_score(labels, raw))
    precision, recall, _ = precision_recall_curve(labels, raw)
    points = {(round(float(x), 4), round(float(y), 4)) for x, y in zip(recall, precision, strict=True)}
    assert set(zip(*(line[1:] for line in found["precision"]), strict=True)) <= points
    x, y = np.array(found["roc"])
    false, hits, _ = roc_curve(labels, raw, drop_intermediate=False)
    corners = {(round(float(x), 4), round(float(y), 4)) for x, y in zip(false, hits, strict=True)}
    assert set(zip(*found["roc"], strict=True)) <= corners
    assert np.trapezoid(y, x) == pytest.approx(found["auroc"], abs=0.01)
    assert len(x) < 600


def test_no_curves_where_labels_are_of_one_kind() -> None:
    assert curves(np.zeros(4, np.bool_), make_scores({"a": 4})) is None
