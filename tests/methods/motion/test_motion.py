"""The motion method from footage to scores, against its oracle on flows that the tests compute for themselves."""

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.torch import load_file
from scipy.stats import spearmanr

import pixelfast
from frame_files import write_video
from moving_scene import moved
from oracles import motion as oracle
from pixelfast import _core
from pixelfast.errors import EngineError, ModelError, PixelfastError, SourceError
from pixelfast.flow.engine import FlowFacts
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.recipe import RECIPES
from pixelfast.methods.trained import Recipe
from pixelfast.model import Model
from pixelfast.pipeline.parts import read_part
from pixelfast.progress import Progress
from tiny_engines import write_model

Frames = NDArray[np.uint8]
MakeSource = Callable[..., Path]

HEIGHT, WIDTH = 72, 96
FILES = ("motion.safetensors", "motion.onnx", "flip.safetensors", "flip.onnx")


def tiny(recipe: str = "default", flip_steps: int = 150) -> Recipe:
    """A recipe that takes seconds: a GRU of 16 units, two epochs of two steps, a classifier that knows the scene."""
    whole = RECIPES[recipe]
    # Without augmentation: the classifier shall know this scene, soon.
    flip = replace(RECIPES["source"].flip, epochs=1, least_steps=flip_steps, batch=16, learning_rate=3e-3)
    return replace(whole, flip=flip, own=replace(whole.own, hidden=16, epochs=2, batch=16))


def train(source: Path, out: Path, **changes: object) -> Model:
    settings = {"method": "motion", "recipe": tiny(), "flow_preset": "ultrafast", "threads": 1, **changes}
    return pixelfast.train(source, out, **settings)  # type: ignore[arg-type]


def walk(count: int, seed: int, height: int = HEIGHT, width: int = WIDTH) -> Frames:
    """A camera that pans over a scene at a speed of its own, a little unsteadily."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-1, 2, (count, 2)) + np.array([1 + seed % 2, 0])
    return moved(height, width, np.cumsum(steps, axis=0).tolist(), seed=seed)


def plain_flows(frames: Frames) -> NDArray[np.float32]:
    """f32[n-1,2,64,64]: OpenCV pair by pair, an instance each, and the oracle's averages; frames of at most 240."""
    flows = [
        cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST).calc(before, after, None)
        for before, after in pairwise(frames)
    ]
    return np.array([oracle.to_grid(flow) for flow in flows], np.float32).reshape(-1, 2, 64, 64)


def plain_raw(model: Model, frames: Frames) -> NDArray[np.float64]:
    """The oracle's raw scores of a video with the weights of `model`."""
    return oracle.raw_scores(plain_network(model), plain_flows(frames), MotionFacts.of(model).scale)


def bridged_raw(model: Model, frames: Frames, bad: list[int]) -> NDArray[np.float64]:
    """The same where the flow between the good frames around bad ones is spread evenly; at the start motion goes on."""
    good = np.setdiff1d(np.arange(len(frames)), bad)
    steps = np.diff(good)
    flows = np.repeat(plain_flows(frames[good]) / steps.reshape(-1, 1, 1, 1), steps, axis=0)
    flows = np.concatenate([np.repeat(flows[:1], good[0], axis=0), flows]).astype(np.float32)
    return oracle.raw_scores(plain_network(model), flows, MotionFacts.of(model).scale)


def plain_network(model: Model) -> oracle.FlowGru:
    network = oracle.FlowGru(16)
    network.load_state_dict(load_file(model.folder / "motion.safetensors"))
    return network.eval()


def with_noise(frames: Frames, indices: list[int], strength: float) -> Frames:
    noisy = frames.astype(np.float64)
    noisy[indices] += np.random.default_rng(0).normal(0, strength, noisy[indices].shape)
    return noisy.round().clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("motion")
    for number, frames in TRAINING.items():
        write_video(folder / "normal" / number, frames)
    return folder


TRAINING = {"01": walk(40, 1), "02": walk(36, 2)}


@pytest.fixture(scope="module")
def trained(home: Path) -> Model:
    return train(home / "normal", home / "model")


@pytest.fixture(scope="module")
def source_trained(home: Path) -> Model:
    """By the source's recipe for motion, with another seed; its classifier is of no use."""
    return train(home / "normal", home / "source", recipe=tiny("source", 4), seed=1, epochs=1)


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
    with pytest.raises(EngineError, match="a shard needs an engine file, not the folder"):
        pixelfast.score(source, trained.folder, parts=parts, shard="1/2")


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


# ---- training


def test_the_manifest_knows_its_flow(trained: Model, source_trained: Model) -> None:
    manifest = Model.load(trained.folder).manifest
    assert manifest.method == "motion"
    assert set(manifest.files) == set(FILES)
    known = MotionFacts.of(trained)
    assert known.flow == FlowFacts("dis", "ultrafast", 240)
    assert (known.past, known.bridge_noisy) == (8, True)
    # The last 16 frames of a video are held out, so the flows that lead to them.
    learnt = [plain_flows(frames)[: len(frames) - 17] for frames in TRAINING.values()]
    assert known.scale == pytest.approx(float(np.concatenate(learnt).std(dtype=np.float64)), rel=1e-5)
    assert manifest.training is not None
    report = manifest.training.report
    assert (report["train_flows"], report["held_out_flows"], report["epochs"]) == (23 + 19, 32, 2)
    assert manifest.flip is not None
    assert manifest.flip.trusted
    plain = MotionFacts.of(source_trained)
    assert (plain.scale, plain.bridge_noisy, plain.flow) == (1.0, False, known.flow)
    assert (trained.folder / "motion.onnx").read_bytes() != (source_trained.folder / "motion.onnx").read_bytes()


def test_training_learns_and_says_against_what(trained: Model) -> None:
    assert trained.manifest.training is not None
    report = trained.manifest.training.report
    assert report["train_losses"][-1] < report["train_losses"][0]
    held_out = [plain_flows(frames)[-16:] for frames in TRAINING.values()]
    scale, losses = MotionFacts.of(trained).scale, {"gru": [], "before": [], "zero": []}  # type: ignore[var-annotated]
    for flows in held_out:
        raws = oracle.raw_scores(plain_network(trained), flows, scale)[1:]
        losses["gru"].extend(raws[8:] ** 2 / oracle.FLOW_VALUES)
        losses["before"].extend(((flows[8:] - flows[7:-1]) ** 2).mean(axis=(1, 2, 3)) / scale**2)
        losses["zero"].extend((flows[8:] ** 2).mean(axis=(1, 2, 3)) / scale**2)
    assert report["held_out_loss"] == pytest.approx(np.mean(losses["gru"]), rel=2e-3)
    assert report["persistence_loss"] == pytest.approx(np.mean(losses["before"]), rel=2e-3)
    assert report["zero_loss"] == pytest.approx(np.mean(losses["zero"]), rel=2e-3)


def test_the_calibration_is_that_of_the_held_out_flows(make_source: MakeSource, trained: Model) -> None:
    held_out = [plain_flows(frames)[-16:].astype(np.float16).astype(np.float32) for frames in TRAINING.values()]
    known = MotionFacts.of(trained)
    network = plain_network(trained)
    smoothed = [oracle.smooth(oracle.raw_scores(network, flows, known.scale)) for flows in held_out]
    calibration = trained.calibration("motion.onnx", 1, "mean", "mean", 7)
    assert calibration is not None
    assert calibration.frames == 34
    expected = np.quantile(np.concatenate(smoothed), calibration.probabilities)
    np.testing.assert_allclose(calibration.quantiles, expected, rtol=1e-3)
    assert trained.calibration("motion.onnx", 1, "mean", "worst", 7) is not None
    scores = pixelfast.score(make_source(**{"01": walk(30, 5)}), trained.folder)
    assert scores.threshold == pytest.approx(calibration.threshold)
    assert scores.tail is not None
    np.testing.assert_allclose(scores.tail, calibration.tail(oracle.smooth(scores.raw.astype(np.float64))))
    other = pixelfast.score(make_source(**{"02": walk(30, 5)}), trained.folder, smooth=3)
    assert (other.threshold, other.tail) == (None, None)


class Stopped(Exception):  # noqa: N818
    """What a test stops a training with."""


def test_a_resumed_training_ends_in_the_same_files(home: Path, trained: Model, tmp_path: Path) -> None:
    """Which the same seed must give in the first place."""
    steps: list[Progress] = []
    assert trained.manifest.training is not None
    same = {"precision": trained.manifest.training.report["precision"]}  # which a busy machine may measure otherwise

    def stop_in_the_second_epoch(step: Progress) -> None:
        if step.phase == "train" and "epoch 2" in (step.note or ""):
            raise Stopped

    with pytest.raises(Stopped):
        train(home / "normal", tmp_path / "model", **same, progress=stop_in_the_second_epoch)
    assert (tmp_path / "model.training" / "motion.checkpoint.pt").is_file()
    resumed = train(home / "normal", tmp_path / "model", **same, resume=True, progress=steps.append)
    assert "flow" not in {step.phase for step in steps}  # those of the first attempt
    assert {step.note[:9] for step in steps if step.phase == "train" and step.note} == {"epoch 2/2"}
    for name in FILES:
        assert (resumed.folder / name).read_bytes() == (trained.folder / name).read_bytes(), name
    assert resumed.manifest.own == trained.manifest.own
    assert resumed.manifest.calibrations == trained.manifest.calibrations
    assert not (tmp_path / "model.training").exists()


def test_another_flow_is_computed_anew(home: Path, tmp_path: Path) -> None:
    """The working folder of a training that was stopped holds flows of another preset."""

    def stop_in_training(step: Progress) -> None:
        phases.append(step.phase)
        if step.phase == "train":
            raise Stopped

    phases: list[str] = []
    for preset, computed in (("ultrafast", True), ("ultrafast", False), ("fast", True)):
        phases.clear()
        with pytest.raises(Stopped):
            train(home / "normal", tmp_path / "model", flow_preset=preset, progress=stop_in_training)
        assert ("flow" in phases) == computed


def test_videos_too_short_to_learn_from_are_refused(make_source: MakeSource, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"too short|no video"):
        train(make_source(**{"01": walk(9, 1), "02": walk(9, 2)}), tmp_path / "model")


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
