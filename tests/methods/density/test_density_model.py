"""A density model from footage to scores, with where and why; and what is refused in a sentence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import pixelfast
from frame_files import write_video
from pixelfast.errors import EngineError, ModelError, PixelfastError
from pixelfast.scores import Scores
from street import QUICK, START, STOP, street

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import pixelfast
model = pixelfast.train("{home}/normal", "{out}/model", method="density")
assert "the model has no flip classifier" in model.manifest.notes[0], model.manifest.notes
print(len(pixelfast.score("{home}/new", "{out}/model")))
"""


@pytest.fixture(scope="module")
def scored(walked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scored") / "scores.parquet"
    pixelfast.score(walked / "new", walked / "model", out=out, maps=True)
    return out


@pytest.mark.parametrize(
    ("name", "stream", "reason"),
    [
        ("fast", "speed", "times as fast as anything seen at this place"),
        ("back", "direction", "moves left where"),
        ("left", "place", "something that was never here"),
    ],
)
def test_what_is_unusual_is_found_and_explained(scored: Path, name: str, stream: str, reason: str) -> None:
    scores = Scores.read(scored)
    rows = np.flatnonzero(scores.video_index == scores.videos.index(name))
    abnormal = np.zeros(len(rows), np.bool_)
    abnormal[START:STOP] = True
    raw = scores.raw[rows]
    ranks = raw.argsort().argsort()[abnormal]
    auroc = (ranks.sum() - len(ranks) * (len(ranks) - 1) / 2) / (len(ranks) * (len(rows) - len(ranks)))
    assert auroc > (0.75 if name == "left" else 0.9)  # a place is smoothed over 12 frames
    assert scores.why is not None
    said = scores.why.at(rows[START + 15])
    assert said.stream == stream
    assert reason in str(said.reason)


def test_the_cell_lies_on_the_thing(scored: Path) -> None:
    scores = Scores.read(scored)
    row = int(np.flatnonzero(scores.video_index == scores.videos.index("left"))[STOP - 10])
    assert scores.why is not None
    assert scores.why.grid == (19, 29)
    down, across = scores.why.at(row).cell or (0, 0)
    assert abs((across + 1) * 144 / 30 - 77) < 12  # the thing is 14 pixels wide, from 70 on
    assert abs((down + 1) * 96 / 20 - 18) < 12


def test_events_and_the_top_say_where_and_why(scored: Path) -> None:
    scores = Scores.read(scored)
    events, top = scores.events(), scores.top(3)
    assert {event.video for event in events} >= {"fast"}
    assert all(event.reason and event.stream and event.cell for event in events)
    assert all(frame.reason and frame.stream and frame.cell for frame in top)
    table = scores.to_arrow()
    assert table.column("reason").to_pylist()[0] in scores.why.reasons  # type: ignore[union-attr]


def test_a_file_keeps_all_of_it(scored: Path, tmp_path: Path) -> None:
    scores = Scores.read(scored)
    scores.write(tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == scored.read_bytes()


def test_shares_are_merged_to_the_same_bytes(walked: Path, scored: Path, tmp_path: Path) -> None:
    engine = walked / "model" / "density.safetensors"
    for share in ("1/2", "2/2"):
        pixelfast.score(walked / "new", engine, parts=tmp_path / "parts", shard=share)
    merged = pixelfast.merge(tmp_path / "parts", tmp_path / "merged.parquet")
    whole = Scores.read(scored)
    np.testing.assert_array_equal(merged.raw, whole.raw)
    assert merged.why is not None
    assert whole.why is not None
    assert [merged.why.at(row) for row in range(len(merged))] == [whole.why.at(row) for row in range(len(whole))]
    np.testing.assert_array_equal(merged.tail, whole.tail)


def test_a_second_run_takes_the_parts(walked: Path, scored: Path) -> None:
    before = scored.read_bytes()
    again = pixelfast.score(walked / "new", walked / "model", out=scored, maps=True)
    assert again.reused == 3
    assert scored.read_bytes() == before


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(walked: Path, scored: Path, threads: int) -> None:
    again = pixelfast.score(walked / "new", walked / "model", threads=threads)
    np.testing.assert_array_equal(again.raw, Scores.read(scored).raw)


def test_the_model_says_what_it_is(walked: Path) -> None:
    model = pixelfast.Model.load(walked / "model")
    own = model.manifest.own
    assert (own["height"], own["width"], own["times"]["live"]) == (96, 144, False)
    assert own["alarms"]["videos"] == 4
    assert set(model.manifest.files) >= {"density.safetensors", "flip.onnx"}
    [calibration] = model.manifest.calibrations
    assert (calibration.pool, calibration.smooth, calibration.frames) == ("mean", 1, 280)


def test_training_and_scoring_need_no_torch(walked: Path, tmp_path: Path) -> None:
    code = WITHOUT_TORCH.format(home=walked, out=tmp_path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["270"]


def test_live_looks_back_alone(walked: Path, tmp_path: Path) -> None:
    pixelfast.train(walked / "normal", tmp_path / "live", method="density", live=True, recipe=QUICK)
    frames = street(90, 9, "fast")
    write_video(tmp_path / "whole" / "01", frames)
    write_video(tmp_path / "begun" / "01", frames[:50])
    whole, begun = (pixelfast.score(tmp_path / name, tmp_path / "live") for name in ("whole", "begun"))
    np.testing.assert_array_equal(whole.raw[:25], begun.raw[:25])
    assert whole.raw[STOP - 20 : STOP - 5].min() > np.median(whole.raw)


def test_twice_the_size_gives_the_same_ranks(walked: Path, scored: Path, tmp_path: Path) -> None:
    large = np.stack([np.kron(frame, np.ones((2, 2), np.uint8)) for frame in street(90, 9, "fast")])
    write_video(tmp_path / "large" / "fast", large)
    scores, whole = pixelfast.score(tmp_path / "large", walked / "model"), Scores.read(scored)
    same = whole.raw[whole.video_index == whole.videos.index("fast")]
    assert np.corrcoef(scores.raw.argsort().argsort(), same.argsort().argsort())[0, 1] > 0.9


def test_another_shape_is_said(walked: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "new" / "01", street(40, 1)[:, :, :96])
    scores = pixelfast.score(tmp_path / "new", walked / "model")
    assert any("another shape than the training's 144x96" in note for note in scores.notes)


@pytest.mark.parametrize("settings", [{"stride": 4}, {"how": "max"}, {"pool": "worst"}])
def test_windows_and_poolings_are_refused(walked: Path, settings: dict[str, object]) -> None:
    with pytest.raises(PixelfastError, match="neither windows nor poolings"):
        pixelfast.score(walked / "new", walked / "model", **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("option", [{"epochs": 3}, {"batch": 4}, {"precision": "bf16"}])
def test_there_are_no_epochs(walked: Path, tmp_path: Path, option: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=f"looks at its footage once: leave out {next(iter(option))}"):
        pixelfast.train(walked / "normal", tmp_path / "model", method="density", **option)  # type: ignore[arg-type]


def test_tiny_frames_are_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "normal" / "01", street(40, 1)[:, :20])
    with pytest.raises(EngineError, match="too small for optical flow"):
        pixelfast.train(tmp_path / "normal", tmp_path / "model", method="density")


def test_a_file_without_its_model_is_refused(walked: Path, tmp_path: Path) -> None:
    shutil.copy(walked / "model" / "density.safetensors", tmp_path)
    with pytest.raises(PixelfastError, match=r"density\.safetensors"):
        pixelfast.score(walked / "new", tmp_path / "density.safetensors")


@pytest.mark.parametrize("fault", ["cut", "missing", "shape", "nan"])
def test_a_damaged_file_is_refused(walked: Path, tmp_path: Path, fault: str) -> None:
    from pixelfast.methods.density.stored import DensityFacts, load

    path = tmp_path / "density.safetensors"
    facts = DensityFacts.of(pixelfast.Model.load(walked / "model"))
    arrays = load_file(walked / "model" / "density.safetensors")
    if fault == "missing":
        del arrays["looks"]
    if fault == "shape":
        arrays["places"] = arrays["places"][:-1]
    if fault == "nan":
        arrays["tails"][0, 0] = np.nan
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    if fault == "cut":
        os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(EngineError, match="train"):
        load(path, facts)


def test_a_damaged_manifest_is_refused(walked: Path, tmp_path: Path) -> None:
    shutil.copytree(walked / "model", tmp_path / "model")
    text = (tmp_path / "model" / "model.json").read_text()
    (tmp_path / "model" / "model.json").write_text(text.replace('"speed": ', '"speed": -'))
    with pytest.raises(ModelError, match="speed should be a number above 0"):
        pixelfast.score(walked / "new", tmp_path / "model")


def test_there_is_nothing_to_export_or_to_compare(walked: Path) -> None:
    with pytest.raises(EngineError, match="its only engine"):
        pixelfast.export(walked / "model")
    from pixelfast.verify.run import verify

    with pytest.raises(ModelError, match="its only engine: there is no other to compare it with"):
        verify(walked / "model")


def test_the_command_says_where_and_why_within_80_columns(scored: Path) -> None:
    from pixelfast.cli.score import describe_scores

    lines = describe_scores(Scores.read(scored), []).splitlines()
    told = [line for line in lines if "%, y " in line]
    assert len(told) == 5
    assert all(len(line) <= 80 for line in told)
    assert any("speed: " in line and "times as fast as anything seen at this place" in line for line in told)


def test_long_footage_is_learnt_from_in_stretches(
    walked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelfast.methods.density.training.MOST_FRAMES", 140)
    model = pixelfast.train(walked / "normal", tmp_path / "model", method="density", recipe=QUICK)
    assert any("about 140 of 280 frames" in note for note in model.manifest.notes)
    assert model.manifest.training is not None
    assert model.manifest.training.report["frames"] == 140
    assert len(pixelfast.score(walked / "new", tmp_path / "model")) == 270
