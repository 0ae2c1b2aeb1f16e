"""The demo's job on a small scene: it ends with results that can be checked against each other."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pixelfast.cli.demo import describe_demo
from pixelfast.demo.job import MOST_APART, MethodReport, compare_flips, disagreements, judge, run_demo, what_happens
from pixelfast.demo.scene import SceneSpec, generate_scene
from pixelfast.errors import OutputError
from pixelfast.evaluation import evaluate
from pixelfast.model import Model
from pixelfast.progress import Progress
from pixelfast.scores import Scores
from pixelfast.scores.moments import top_moments

SPEC = SceneSpec(seed=5, height=96, width=160, train_videos=2, train_frames=40, test_videos=2, test_frames=40)


@pytest.fixture
def judged(tmp_path: Path, model: Model) -> MethodReport:
    """The scores of a small scene by a small model that needs no training."""
    return judge(generate_scene(tmp_path / "scene", SPEC), model, tmp_path)


def test_everything_lies_where_it_says(judged: MethodReport, tmp_path: Path) -> None:
    assert judged.written == (tmp_path / "reconstruction-scores.csv", tmp_path / "reconstruction-scores.parquet")
    np.testing.assert_array_equal(Scores.read(judged.written[1]).rank, judged.scores.rank)
    with judged.scene.labels.open(newline="") as labels, judged.written[0].open(newline="") as scores:
        assert [row["Id"] for row in csv.DictReader(labels)] == [row["Id"] for row in csv.DictReader(scores)]


def test_a_page_shows_it(judged: MethodReport, tmp_path: Path) -> None:
    assert judged.page == tmp_path / "reconstruction-report.html"
    text = judged.page.read_text()
    assert "80 frames of 2 videos, scored by reconstruction." in text
    assert text.count('class="heat"') == text.count('<article class="moment"') > 0
    assert not list(tmp_path.glob(".parts*"))


def test_every_frame_is_scored_and_judged(judged: MethodReport) -> None:
    assert judged.evaluation == evaluate(judged.written[0], judged.scene.labels)
    assert (judged.evaluation.frames, len(judged.scores)) == (80, 80)
    assert judged.evaluation.abnormal_share == pytest.approx(judged.scene.truth["abnormal_share"], abs=1e-4)
    assert list(judged.seconds) == ["score", "evaluate"]


def test_flips_are_counted_against_the_truth(judged: MethodReport) -> None:
    flips = judged.flips
    assert flips.found + flips.missed == sum(len(frames) for frames in judged.scene.truth["flipped"].values()) == 8
    assert flips.found + flips.false == int(judged.scores.flipped.sum())


@pytest.mark.long
def test_the_whole_job(tmp_path: Path) -> None:
    steps: list[Progress] = []
    report = run_demo(tmp_path / "new" / "demo", seed=5, epochs=1, spec=SPEC, progress=steps.append)
    folder = report.scene.folder.parent
    names = ["model", "report.html", "scores.csv", "scores.parquet"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*names, *(f"{method}-{name}" for method in ("motion", "reconstruction") for name in names), "scene"]
    )
    assert [one.scores.method for one in report.methods] == ["density", "motion", "reconstruction"]
    assert list(report.seconds) == ["scene"]
    assert {"scene", "decode", "flow", "train", "flip", "export", "score"} <= {step.phase for step in steps}
    text = describe_demo(report)
    for one in report.methods:
        assert Model.load(one.model.folder).manifest == one.model.manifest
        assert list(one.seconds) == ["train", "score", "evaluate"]
        for word in (f"{one.evaluation.ap:.4f}", str(one.written[1]), f"Upside-down frames ({one.scores.method})"):
            assert word in text
    assert all(f"look at  {one.page}" in text for one in report.methods)
    for word in ("AUROC", "80 frames", "where they disagree"):
        assert word in text
    again = run_demo(tmp_path / "new" / "demo", seed=5, epochs=1, spec=SPEC)
    assert again.scene.reused
    for one, other in zip(again.methods, report.methods, strict=True):
        np.testing.assert_array_equal(one.scores.raw, other.scores.raw)


def test_disagreements_are_the_moments_furthest_apart(judged: MethodReport) -> None:
    rank = judged.scores.rank.copy()
    high, low = int(np.argmax(rank)), int(np.argmin(rank))
    rank[[high, low]] = rank[[low, high]]
    other = replace(judged, scores=replace(judged.scores, rank=rank))
    found = disagreements(judged.scene.truth, judged, other)
    assert len(found) == 2 * MOST_APART
    for one, row in ((found[0], high), (found[MOST_APART], low)):
        assert one.frame == judged.scores.frame[row]
        assert one.ranks == (judged.scores.rank[row], rank[row])


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        run_demo(tmp_path / "file" / "demo")


def small_scores() -> Scores:
    """Two videos of 30 frames; the rank falls from the first frame of 01 to the last of 02."""
    n = 60
    return Scores(
        videos=("01", "02"),
        video_index=np.repeat(np.array([0, 1], dtype=np.int32), 30),
        frame=np.tile(np.arange(1, 31), 2),
        raw=np.ones(n, dtype=np.float32),
        score=np.ones(n),
        rank=np.arange(n, 0, -1) / n,
        flipped=np.isin(np.arange(n), [0, 1, 35]),
        repaired=np.zeros(n, dtype=np.bool_),
        noisy=np.zeros(n, dtype=np.bool_),
    )


TRUTH = {
    "events": [{"video": "01", "kind": "cart", "first": 5, "last": 9}],
    "flipped": {"01": [1, 7], "02": []},
    "heavy_noise": {"01": [], "02": [6]},
    "truncated": {"01": [], "02": []},
}


def test_flips_found_missed_and_false() -> None:
    flips = compare_flips(TRUTH, small_scores())
    assert (flips.found, flips.missed, flips.false) == (1, 1, 2)


def test_moments_are_apart() -> None:
    assert [(one.video, one.frame) for one in top_moments(small_scores())] == [
        ("01", 1),
        ("01", 16),
        ("02", 1),
        ("02", 16),
    ]
    assert len(top_moments(small_scores(), 3)) == 3


def test_what_happens_in_words() -> None:
    assert what_happens(TRUTH, "01", 7) == "cart, upside down"
    assert what_happens(TRUTH, "02", 6) == "heavy noise"
    assert what_happens(TRUTH, "02", 7) == "heavy noise"
    assert what_happens(TRUTH, "02", 8) == "nothing unusual"
    assert what_happens(TRUTH, "03", 6) == "nothing unusual"
