"""`pixelfast.train` and `pixelfast.export` from footage to a calibrated model that scores."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.cli.info import describe_model
from pixelfast.errors import EngineError, ModelError
from pixelfast.methods.reconstruction.network import load_autoencoder
from pixelfast.methods.reconstruction.recipe import RECIPES, resized
from pixelfast.model import Model
from pixelfast.progress import Progress
from tiny_trainings import SMALL


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    for number in (1, 2):
        write_video(folder / "normal" / f"{number:02d}", walking_square(48, number))
    write_video(folder / "test" / "01", walking_square(40, 5))
    return folder


@pytest.fixture(scope="module")
def trained(home: Path) -> tuple[Model, list[Progress]]:
    steps: list[Progress] = []
    return pixelfast.train(home / "normal", home / "model", progress=steps.append, **SMALL), steps  # type: ignore[arg-type]


def test_training_ends_in_a_model_that_scores(home: Path, trained: tuple[Model, list[Progress]]) -> None:
    model, steps = trained
    assert set(model.manifest.files) == {
        "ae.int8.onnx", "ae.onnx", "ae.safetensors", "flip.onnx", "flip.safetensors"
    }  # fmt: skip
    assert Model.load(home / "model").manifest == model.manifest
    assert not (home / "model.training").exists()
    facts = model.manifest.training
    assert facts is not None
    assert (facts.videos, facts.frames, facts.sources) == (2, 96, (str(home / "normal"),))
    assert model.manifest.flip is not None
    assert model.manifest.flip.trusted == ((model.manifest.flip.held_out_accuracy or 0) >= 0.99)
    assert "calibrate" in {step.phase for step in steps}
    scores = pixelfast.score(home / "test", model.folder)
    assert scores.threshold is not None
    assert scores.tail is not None


def test_the_calibration_is_that_of_the_held_out_frames(home: Path, trained: tuple[Model, list[Progress]]) -> None:
    model, _ = trained
    held_out = home / "held_out"
    if not held_out.exists():
        for number in (1, 2):  # the last tenth, but at least a window
            write_video(held_out / f"{number:02d}", walking_square(48, number)[-16:])
    for pool in ("mean", "worst"):
        engine = model.folder / "ae.onnx"
        scores = pixelfast.score(held_out, engine, pool=pool, flip="never")  # type: ignore[arg-type]
        smoothed = [uniform_filter1d(scores.raw[scores.video_index == v].astype(np.float64), 3) for v in (0, 1)]
        calibration = model.calibration("ae.onnx", 1, "mean", pool, 3)
        assert calibration is not None
        assert calibration.frames == 32
        expected = np.quantile(np.concatenate(smoothed), calibration.probabilities)
        np.testing.assert_allclose(calibration.quantiles, expected, rtol=1e-4)
        assert scores.threshold == pytest.approx(calibration.threshold)


def test_an_exported_stride_is_calibrated_by_itself(home: Path, trained: tuple[Model, list[Progress]]) -> None:
    slow = pixelfast.score(home / "test", home / "model", stride=4)
    assert slow.threshold is None
    path = pixelfast.export(home / "model", stride=4)
    assert path == home / "model" / "ae.s4.onnx"
    model = Model.load(home / "model")
    assert {(one.engine, one.pool) for one in model.manifest.calibrations} == {
        (engine, pool) for engine in ("ae.onnx", "ae.int8.onnx", "ae.s4.onnx") for pool in ("mean", "worst", "rare")
    }
    fast = pixelfast.score(home / "test", home / "model", stride=4)
    assert fast.threshold is not None
    np.testing.assert_allclose(fast.raw, slow.raw, rtol=1e-4)
    before = model.manifest.calibrations
    assert pixelfast.export(model, stride=4) == path  # again, with the calibration that it has
    assert set(Model.load(home / "model").manifest.calibrations) == set(before)


def test_an_export_without_its_footage_says_so(
    home: Path, trained: tuple[Model, list[Progress]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(home / "model", tmp_path / "model")
    moved = home / "normal" / "01" / "frame_0048.png"
    data = moved.read_bytes()
    moved.unlink()
    try:
        pixelfast.export(tmp_path / "model", stride=2)
    finally:
        moved.write_bytes(data)
    assert "ae.s2.onnx has no calibration" in caplog.text
    assert "the training footage has changed" in caplog.text
    assert Model.load(tmp_path / "model").calibration("ae.s2.onnx", 2, "mean", "mean", 3) is None
    with pytest.raises(EngineError, match=r"exports onnx in fp32, int8 or bf16, and plans .* not coreml in fp32"):
        pixelfast.export(tmp_path / "model", "coreml")
    with pytest.raises(ModelError, match="stride must be 1 to 16"):
        pixelfast.export(tmp_path / "model", stride=17)


class Stopped(Exception):  # noqa: N818
    """What a test stops a training with."""


def stop_after(phase: str) -> Callable[[Progress], None]:
    def tell(step: Progress) -> None:
        if step.phase == phase:
            raise Stopped

    return tell


def test_a_training_that_was_stopped_goes_on(home: Path, trained: tuple[Model, list[Progress]], tmp_path: Path) -> None:
    out = tmp_path / "model"
    with pytest.raises(Stopped):
        pixelfast.train(home / "normal", out, progress=stop_after("flip"), **SMALL)  # type: ignore[arg-type]
    assert not out.exists()
    assert (tmp_path / "model.training" / "frames.u8").exists()
    with pytest.raises(ModelError, match=r"the footage is not what the training in .* was begun with"):
        pixelfast.train(home / "test", out, resume=True, **SMALL)  # type: ignore[arg-type]
    steps: list[Progress] = []
    model = pixelfast.train(home / "normal", out, resume=True, progress=steps.append, **SMALL)  # type: ignore[arg-type]
    assert "decode" not in {step.phase for step in steps}  # frames are decoded once
    facts, first = model.manifest.training, Model.load(home / "model").manifest.training
    assert facts is not None
    assert first is not None
    assert facts.report["held_out_losses"] == first.report["held_out_losses"]


def test_width_is_a_share_of_the_sources_channels(
    home: Path, trained: tuple[Model, list[Progress]], tmp_path: Path
) -> None:
    out = tmp_path / "model"
    with pytest.raises(Stopped):
        pixelfast.train(home / "normal", out, width_share=0.25, progress=stop_after("flip"), **SMALL)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="recipe's channels 16, now 8"):
        pixelfast.train(home / "normal", out, width_share=0.125, resume=True, **SMALL)  # type: ignore[arg-type]
    model = pixelfast.train(home / "normal", out, width_share=0.25, resume=True, **SMALL)  # type: ignore[arg-type]
    assert load_autoencoder(out / "ae.safetensors").channels == 16
    facts = model.manifest.training
    assert facts is not None
    assert facts.report["channels"] == facts.report["settings"]["autoencoder"]["channels"] == 16
    assert "autoencoder of 16-32-64-128 channels (width 0.25)" in describe_model(model)


@pytest.mark.parametrize(("width", "channels"), [(None, 64), (0.125, 8), (0.5, 32), (0.75, 48), (1, 64), (8, 512)])
def test_widths(width: float | None, channels: int) -> None:
    assert resized(RECIPES["source"], width).own.channels == channels
    assert resized(RECIPES["source"], width).flip == RECIPES["source"].flip


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (0, "width must be a positive number, not 0"),
        (-0.5, "width must be a positive number, not -0.5"),
        (float("nan"), "width must be a positive number, not nan"),
        (float("inf"), "width must be a positive number, not inf"),
        (0.1, "width must be 0.125 to 8, not 0.1"),
        (64, "width must be 0.125 to 8, not 64"),
        (0.3, "width 0.3 would be 19.2 of the source's 64 channels, which must be a whole number: try 0.296875"),
    ],
)
def test_impossible_widths_are_refused_before_the_work(home: Path, tmp_path: Path, width: float, said: str) -> None:
    with pytest.raises(ModelError, match=f"^{re.escape(said)}"):
        pixelfast.train(home / "normal", tmp_path / "model", method="reconstruction", width=width)
    with pytest.raises(ModelError, match="the motion method has none"):
        pixelfast.train(home / "normal", tmp_path / "model", method="motion", width=0.5)
    assert not list(tmp_path.iterdir())


def test_decoding_that_fails_leaves_nothing(home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wanted = {**SMALL, "progress": stop_after("decode"), "resume": True}
    with pytest.raises(Stopped):
        pixelfast.train(home / "normal", tmp_path / "model", **wanted)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
    assert "there is nothing to resume" in caplog.text
