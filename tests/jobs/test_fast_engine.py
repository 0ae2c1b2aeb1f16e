"""A training of the reconstruction method ends with an int8 engine: what a model's folder runs on a CPU."""

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
from pixelfast.jobs import fast_engine
from pixelfast.jobs.fast_engine import add_fast_engine
from pixelfast.methods.registry import all_methods
from pixelfast.methods.trained import TrainingJob, TrainingRequest, footage_of
from pixelfast.model import Model
from pixelfast.progress import Progress
from pixelfast.training.cache import FrameCache
from tiny_trainings import SMALL, TINY


class Stopped(Exception):  # noqa: N818
    """What a test stops a training with."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Footage, and a model that was stopped while its int8 engine was to be made."""
    folder = tmp_path_factory.mktemp("home")
    for number in (1, 2):
        write_video(folder / "normal" / f"{number:02d}", walking_square(48, number))
        write_video(folder / "held_out" / f"{number:02d}", walking_square(48, number)[-16:])

    def stop(step: Progress) -> None:
        if step.phase == "int8":
            raise Stopped

    with pytest.raises(Stopped):
        pixelfast.train(folder / "normal", folder / "stopped", progress=stop, **SMALL)  # type: ignore[arg-type]
    return folder


@pytest.fixture(scope="module")
def resumed(home: Path) -> Model:
    """The same training, gone on with."""
    for name in ("stopped", "stopped.training"):
        shutil.copytree(home / name, home / name.replace("stopped", "model"))
    return pixelfast.train(home / "normal", home / "model", resume=True, **SMALL)  # type: ignore[arg-type]


def test_a_training_that_is_stopped_then_has_its_model(home: Path) -> None:
    model = Model.load(home / "stopped")
    assert set(model.manifest.files) == {"ae.onnx", "ae.safetensors", "flip.onnx", "flip.safetensors"}
    assert pixelfast.score(home / "held_out", model.folder).threshold is not None


def test_it_is_that_of_an_export(home: Path, resumed: Model) -> None:
    assert "ae.int8.onnx" in resumed.manifest.files
    assert Model.load(resumed.folder).manifest == resumed.manifest
    assert not (home / "model.training").exists()
    before = (resumed.folder / "ae.int8.onnx").read_bytes()
    pixelfast.export(resumed, precision="int8", threads=2)
    again = Model.load(resumed.folder)
    assert (resumed.folder / "ae.int8.onnx").read_bytes() == before
    assert set(again.manifest.calibrations) == set(resumed.manifest.calibrations)
    assert again.manifest.notes == resumed.manifest.notes


@pytest.mark.parametrize("pool", ["mean", "worst"])
def test_the_folder_runs_it_with_a_calibration_of_its_own(home: Path, resumed: Model, pool: str) -> None:
    scores = pixelfast.score(home / "held_out", resumed.folder, pool=pool, flip="never")  # type: ignore[arg-type]
    named = pixelfast.score(home / "held_out", resumed.folder / "ae.int8.onnx", pool=pool, flip="never")  # type: ignore[arg-type]
    np.testing.assert_array_equal(scores.raw, named.raw)
    calibration, other = (resumed.calibration(name, 1, "mean", pool, 3) for name in ("ae.int8.onnx", "ae.onnx"))
    assert calibration is not None
    assert other is not None
    assert calibration.precision == "int8"
    smoothed = [uniform_filter1d(scores.raw[scores.video_index == v].astype(np.float64), 3) for v in (0, 1)]
    np.testing.assert_allclose(
        calibration.quantiles, np.quantile(np.concatenate(smoothed), calibration.probabilities), rtol=1e-4
    )
    assert scores.threshold == pytest.approx(calibration.threshold)
    assert calibration.threshold != other.threshold


@pytest.fixture
def stopped(home: Path, tmp_path: Path) -> Callable[[], Model]:
    """Goes on with a copy of the model that has no int8 engine yet."""
    shutil.copytree(home / "stopped", tmp_path / "a model")
    model = Model.load(tmp_path / "a model")
    cache = FrameCache.build(footage_of(model), tmp_path / "frames.u8", threads=1)
    job = TrainingJob(TrainingRequest(), TINY, {}, cache, tmp_path, threads=1)
    return lambda: add_fast_engine(model, job)


def files(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def test_it_is_said_with_its_time(stopped: Callable[[], Model], caplog: pytest.LogCaptureFixture) -> None:
    model = stopped()
    assert re.search(r"ae.int8.onnx, for CPUs, was made in \d+\.\d s$", caplog.messages[-1])
    assert not [note for note in model.manifest.notes if "was made in" in note], "times are not the model's"
    assert [note for note in model.manifest.notes if note.startswith("int8 keeps the order of the frames")]


@pytest.mark.parametrize("name", ["nncf", "openvino"])
def test_without_what_makes_it_that_is_said(
    stopped: Callable[[], Model], name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fast_engine, "find_spec", lambda one: None if one == name else one)
    model = stopped()
    assert "ae.int8.onnx" not in model.manifest.files
    (said,) = caplog.messages
    assert f"as {name} cannot be found: pip install 'pixelfast[all]', then pixelfast export '" in said
    assert said.endswith("a model' --precision int8")


@pytest.mark.parametrize(
    "wrong",
    [
        ("pixelfast.scores.agreement.LEAST_AGREEMENT", 1.5, r"ae.int8.onnx was not written: .* below 1.5"),
        ("pixelfast.methods.reconstruction.exporting.write_int8", lambda *_: 1 // 0, "by zero"),
    ],
)
def test_what_goes_wrong_costs_nothing_else(
    stopped: Callable[[], Model],
    home: Path,
    wrong: tuple[str, object, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    changed, value, said = wrong
    monkeypatch.setattr(changed, value)
    model = stopped()
    assert files(model.folder) == files(home / "stopped")
    assert re.fullmatch(
        f"no int8 engine was made, .*{said}.*; the model is whole without it, and pixelfast export .* tries again",
        caplog.messages[-1],
    )


def test_other_methods_have_none() -> None:
    ends = {one.name: one.exports and one.exports.after_training for one in all_methods().values()}
    assert ends == {"reconstruction": "int8", "motion": None, "density": None}
