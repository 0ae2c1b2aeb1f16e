"""The motion method from footage to scores, against its oracle on flows that the tests compute for themselves."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

import pixelfast
from frame_files import write_video
from motion_models import (
    HEIGHT,
    WIDTH,
    bridged_raw,
    plain_flows,
    plain_network,
    plain_raw,
    train,
    walk,
    with_noise,
)
from oracles import motion as oracle
from pixelfast import _core
from pixelfast.errors import EngineError, ModelError, PixelfastError, SourceError
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.model import Model
from pixelfast.pipeline.parts import read_part
from tiny_engines import write_model

MakeSource = Callable[..., Path]


# ---- scores


def test_the_whole_product_equals_the_oracle(make_source: MakeSource, trained: Model) -> None:
    videos = {"1": walk(40, 5), "2": walk(25, 6), "10": walk(9, 7)}
    scores = pixelfast.score(make_source(**videos), trained.folder, flip="never")
    assert scores.videos == ("1", "2", "10")
    assert scores.method == "motion"
    raws = [plain_raw(trained, frames) for frames in videos.values()]
    assert scores.raw.dtype == np.float32
    np.testing.assert_allclose(scores.raw, np.concatenate(raws), rtol=1e-4)
    np.testing.assert_allclose(scores.score, oracle.scores(raws), atol=1e-4)
    assert (scores.score.min(), scores.score.max()) == (0, pytest.approx(1, abs=1e-6))
    np.testing.assert_array_equal(scores.rank, oracle.rank(scores.score))
    assert spearmanr(scores.rank, oracle.scores(raws)).statistic > 0.9999
    assert not (scores.flipped.any() or scores.repaired.any() or scores.noisy.any())


def test_large_frames_are_reduced_first(make_source: MakeSource, trained: Model) -> None:
    frames = walk(12, 8, 270, 360)
    scores = pixelfast.score(make_source(big=frames), trained.folder, flip="never")
    np.testing.assert_allclose(scores.raw, plain_raw(trained, _core.resize_frames(frames, 240, 320)), rtol=1e-4)


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a")])
def test_a_video_is_scored_by_itself(make_source: MakeSource, trained: Model, order: tuple[str, ...]) -> None:
    """Whatever was scored before it: frames of other sizes too."""
    sizes = [(HEIGHT, WIDTH), (40, 48), (90, 64)]
    videos = {name: walk(12, 9, *size) for name, size in zip(order, sizes, strict=True)}
    scores = pixelfast.score(make_source(**videos), trained.folder, flip="never")
    for index, name in enumerate(scores.videos):
        alone = pixelfast.score(make_source(f"only-{name}", **{name: videos[name]}), trained.folder, flip="never")
        np.testing.assert_allclose(scores.raw[scores.video_index == index], alone.raw, rtol=1e-5)


def test_worst_cells_and_maps(make_source: MakeSource, trained: Model, tmp_path: Path) -> None:
    frames = walk(20, 5)
    source, parts = make_source(**{"01": frames}), tmp_path / "parts"
    scores = pixelfast.score(source, trained.folder, pool="worst", flip="never", maps=True, parts=parts)
    maps = oracle.error_maps(plain_network(trained), plain_flows(frames), MotionFacts.of(trained).scale)
    worst = np.sort(maps.reshape(len(maps), -1), axis=1)[:, -3:].mean(axis=1)
    np.testing.assert_allclose(scores.raw, np.sqrt(worst), rtol=1e-4)
    kept = read_part(next(parts.iterdir())).maps
    assert kept is not None
    np.testing.assert_allclose(kept, np.sqrt(maps), rtol=2e-3)
    assert scores.tail is not None


@pytest.mark.parametrize(("count", "note"), [(1, "has one frame, so no motion"), (2, "has 2 frames, too few")])
def test_very_short_videos(make_source: MakeSource, trained: Model, count: int, note: str) -> None:
    videos = {"short": walk(count, 3), "long": walk(20, 4)}
    scores = pixelfast.score(make_source(**videos), trained.folder, flip="never")
    raw = scores.raw[scores.video_index == scores.videos.index("short")]
    np.testing.assert_allclose(raw, plain_raw(trained, videos["short"]), rtol=1e-4)
    assert [said for said in scores.notes if "frame" in said] == [said for said in scores.notes if note in said]
    assert sum(note in said for said in scores.notes) == 1
    alone = pixelfast.score(make_source("alone", short=videos["short"]), trained.folder, flip="never")
    assert np.isfinite(alone.score).all()


def test_neither_chunks_nor_threads_change_a_result(make_source: MakeSource, trained: Model) -> None:
    source = make_source(**{"01": with_noise(walk(60, 5), [17, 30, 31], 40)})
    first = pixelfast.score(source, trained.folder, threads=1)
    assert np.flatnonzero(first.noisy).tolist() == [17, 30, 31]
    for chunk in (1, 7, 500):
        np.testing.assert_array_equal(pixelfast.score(source, trained.folder, threads=1, chunk=chunk).raw, first.raw)
    for threads in (2, 3, 5):
        other = pixelfast.score(source, trained.folder, threads=threads)
        np.testing.assert_allclose(other.raw, first.raw, rtol=1e-5)
        np.testing.assert_array_equal(other.noisy, first.noisy)


def test_the_file_for_submission_holds_the_score(make_source: MakeSource, trained: Model, tmp_path: Path) -> None:
    source, out = make_source(**{"1": walk(20, 5), "2": walk(15, 6)}), tmp_path / "scores.csv"
    scores = pixelfast.score(source, trained.folder, out=out)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Id"] for row in rows] == [f"1_{n}" for n in range(1, 21)] + [f"2_{n}" for n in range(1, 16)]
    np.testing.assert_allclose([float(row["Predicted"]) for row in rows], scores.score, atol=1e-6)
    assert np.abs(scores.score - scores.rank).max() > 0.01


def test_parts_are_used_again_and_are_motions_own(make_source: MakeSource, trained: Model, tmp_path: Path) -> None:
    source, parts = make_source(**{"1": walk(20, 5), "2": walk(15, 6)}), tmp_path / "parts"
    first = pixelfast.score(source, trained.folder, parts=parts)
    mine = {path.name: path.stat().st_mtime_ns for path in parts.iterdir()}
    assert len(mine) == 2
    assert {"decode", "flow", "engine"} <= set(first.phases)
    again = pixelfast.score(source, trained.folder, parts=parts)
    assert {path.name: path.stat().st_mtime_ns for path in parts.iterdir()} == mine
    assert not {"decode", "flow", "engine"} & set(again.phases)
    np.testing.assert_array_equal(again.score, first.score)
    pixelfast.score(source, write_model(tmp_path / "other").folder, parts=parts)
    assert len(set(parts.iterdir())) == 4
    merged = pixelfast.score(source, trained.folder, parts=parts)
    np.testing.assert_array_equal(merged.raw, first.raw)


def test_shards_meet_in_their_parts(make_source: MakeSource, trained: Model, tmp_path: Path) -> None:
    source, parts = make_source(**{"1": walk(20, 5), "2": walk(15, 6), "3": walk(12, 7)}), tmp_path / "parts"
    whole = pixelfast.score(source, trained.folder)
    for shard in ("1/2", "2/2"):
        pixelfast.score(source, trained.folder / "motion.onnx", parts=parts, shard=shard)
    merged = pixelfast.merge(parts, tmp_path / "scores.parquet")
    np.testing.assert_array_equal(merged.score, whole.score)
    assert merged.method == "motion"
    assert merged.threshold == whole.threshold
    assert pixelfast.score(source, trained.folder, parts=parts, shard="1/2").reused == 2


# ---- what is refused


def test_sizes_mixed_in_a_video_are_an_error(make_source: MakeSource, trained: Model) -> None:
    source = make_source(good=walk(30, 5), mixed=walk(30, 5))
    shutil.copy(write_video(source.parent / "other", walk(1, 5, 40, 50)) / "frame_0001.png", source / "mixed")
    (source / "mixed" / "frame_0001.png").rename(source / "mixed" / "frame_0099.png")
    write_video(source.parent / "first", walk(1, 5))
    shutil.copy(source.parent / "first" / "frame_0001.png", source / "mixed")
    with pytest.raises(SourceError, match=r"mixed/frame_0001.png has 96x72 and .*mixed/frame_0099.png has 50x40"):
        pixelfast.score(source, trained.folder)
    with pytest.raises(SourceError, match=r"frame_0001.png has 96x72 and .*frame_0099.png has 50x40"):
        train(source, source.parent / "never")


@pytest.mark.parametrize("wrong", [{"stride": 4}, {"how": "max"}, {"how": "median"}])
def test_there_are_no_windows(make_source: MakeSource, trained: Model, wrong: dict[str, object]) -> None:
    with pytest.raises(PixelfastError, match="the motion method has no overlapping windows: leave out stride and how"):
        pixelfast.score(make_source(**{"01": walk(12, 5)}), trained.folder, **wrong)  # type: ignore[arg-type]


def test_footage_too_small_for_flow_is_refused(make_source: MakeSource, trained: Model) -> None:
    with pytest.raises(EngineError, match="frames of 96x31 pixels are too small for optical flow"):
        pixelfast.score(make_source(low=walk(12, 5, 31, 96)), trained.folder)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"flow": "farneback"}, "flow must be dis or raft, not 'farneback'"),
        ({"flow_preset": "slow"}, "flow_preset must be one of ultrafast, fast, medium, not 'slow'"),
        ({"raft_weights": "raft.pth"}, "raft_weights are for flow='raft' only"),
        ({"precision": "int8"}, "precision must be fp32 or bf16, not 'int8'"),
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
    ],
)
def test_trainings_that_cannot_be(home: Path, tmp_path: Path, wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        train(home / "normal", tmp_path / "model", **wrong)
    assert not (tmp_path / "model").exists()


# ---- flipped, unreadable and noisy frames


def test_a_flipped_frame_is_turned_before_the_flow(make_source: MakeSource, trained: Model) -> None:
    frames = walk(40, 5)
    turned = frames.copy()
    turned[20] = frames[20, ::-1]
    source = make_source(**{"01": turned})
    left = pixelfast.score(source, trained.folder, flip="never")
    assert np.argmax(left.raw) in (20, 21)
    scores = pixelfast.score(source, trained.folder)
    assert np.flatnonzero(scores.flipped).tolist() == [20]
    assert np.argmax(scores.raw) not in (20, 21)
    np.testing.assert_allclose(scores.raw, plain_raw(trained, frames), rtol=1e-4)


def test_a_video_that_is_mostly_upside_down_is_scored_as_it_is(make_source: MakeSource, trained: Model) -> None:
    frames = walk(40, 5)
    frames[10:] = frames[10:, ::-1]
    scores = pixelfast.score(make_source(**{"01": frames}), trained.folder)
    assert any("video 01 is left as it is" in note and "more than half" in note for note in scores.notes)
    assert not scores.flipped.any()
    np.testing.assert_allclose(scores.raw, plain_raw(trained, frames), rtol=1e-4)


def test_unreadable_frames_are_repaired(make_source: MakeSource, trained: Model) -> None:
    frames = walk(20, 5)
    source = make_source(**{"01": frames})
    for number in (1, 11, 12):
        (source / "01" / f"frame_{number:04d}.png").write_bytes(b"")
    scores = pixelfast.score(source, trained.folder, flip="never")
    np.testing.assert_allclose(scores.raw, bridged_raw(trained, frames, [0, 10, 11]), rtol=1e-4)
    assert np.flatnonzero(scores.repaired).tolist() == [0, 10, 11]
    with pytest.raises(PixelfastError, match=r"frame_0001.png is empty"):
        pixelfast.score(source, trained.folder, on_error="raise")


@pytest.mark.parametrize("strength", [25.0, 50.0])
def test_noisy_frames_are_bridged(
    make_source: MakeSource, trained: Model, source_trained: Model, strength: float
) -> None:
    """Noise on frames at full size, the first and two neighbours."""
    frames = walk(40, 5, 360, 640)
    noisy = [0, 23, 24]
    source = make_source(**{"01": with_noise(frames, noisy, strength)})
    scores = pixelfast.score(source, trained.folder, flip="never")
    assert np.flatnonzero(scores.noisy).tolist() == noisy
    np.testing.assert_allclose(
        scores.raw, bridged_raw(trained, _core.resize_frames(frames, 240, 427), noisy), rtol=1e-4
    )
    assert np.argmax(scores.score) not in noisy
    left = pixelfast.score(source, source_trained.folder, flip="never")
    assert np.flatnonzero(left.noisy).tolist() == noisy
    reduced = _core.resize_frames(with_noise(frames, noisy, strength), 240, 427)
    np.testing.assert_allclose(left.raw, plain_raw(source_trained, reduced), rtol=1e-4)
    bridged = bridged_raw(source_trained, _core.resize_frames(frames, 240, 427), noisy)
    assert np.abs(left.raw / bridged - 1)[[1, 23, 24, 25]].min() > 1e-3
