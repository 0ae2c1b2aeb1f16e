"""Training a motion model: what it learns, what its manifest says, how it goes on after a stop."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pixelfast
from motion_models import FILES, TRAINING, plain_flows, plain_network, train, walk
from oracles import motion as oracle
from pixelfast.errors import ModelError
from pixelfast.flow.engine import FlowFacts
from pixelfast.methods.calibrating import calibrate, held_out_again
from pixelfast.methods.motion import METHOD
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.model import Model
from pixelfast.progress import Progress

MakeSource = Callable[..., Path]


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


def test_the_footage_gives_the_held_out_flows_of_the_training_again(trained: Model, tmp_path: Path) -> None:
    held_out = held_out_again(METHOD, trained, tmp_path, 1)
    again = calibrate(METHOD, trained.folder / "motion.onnx", trained.manifest.own, held_out, fps=trained.manifest.rate)
    assert tuple(again) == trained.manifest.calibrations


def test_raft_is_left_to_a_calibration_that_takes_its_time(trained: Model, tmp_path: Path) -> None:
    own = {**trained.manifest.own, "flow": {"kind": "raft"}}
    by_raft = Model(trained.folder, replace(trained.manifest, own=own))
    with pytest.raises(ModelError, match="RAFT takes long for all of the training footage; `pixelfast calibrate`"):
        held_out_again(METHOD, by_raft, tmp_path, 1)
