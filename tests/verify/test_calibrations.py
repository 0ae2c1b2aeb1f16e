"""Calibrations of engines that were exported or found right without one: they are measured and added to the model."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import pixelfast
from fake_plan import FakePlan
from footage import walking_square
from frame_files import write_video
from lazy_device import LazyDevice
from machines import WITHOUT
from pixelfast.cli.verify import print_verification
from pixelfast.methods.reconstruction.engine import AE
from pixelfast.model import Model, PlanFacts
from pixelfast.runtime.tensorrt.check import GpuMachine
from pixelfast.runtime.tensorrt.runner import TensorRtRunner
from pixelfast.runtime.trial import Agreement, Candidate, Trial
from pixelfast.verify.calibrations import add_calibrations, uncalibrated
from tiny_engines import GRID, WINDOW, window_errors, write_frame_engine
from untrained import write_untrained

SIZE = 128
HELD_OUT = 2 * 16
"""Frames: a window of each of the two videos."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Normal footage, and a model that says it was trained on that; its weights are random."""
    folder = tmp_path_factory.mktemp("home")
    write_untrained(folder, 60, 4)
    return folder


@pytest.fixture
def model(home: Path, tmp_path: Path) -> Model:
    """A copy of its own."""
    shutil.copytree(home / "model", tmp_path / "model")
    return Model.load(tmp_path / "model")


def right(model: Model, name: str, **changes: object) -> Trial:
    """An engine of the model's that was tried and is right."""
    path = model.folder / name
    candidate = Candidate(path, name, AE, 1, lambda: None, **changes)  # type: ignore[arg-type]
    return Trial(candidate, agreement=Agreement("1", enough=True))


def quantiles(model: Model, name: str, pool: str = "mean") -> NDArray[np.float64]:
    found = model.calibration(name, 1, "mean", pool, 3)
    assert found is not None
    assert found.frames == HELD_OUT
    return np.array(found.quantiles)


def with_plan(model: Model) -> Model:
    """A model of an engine that has a formula, and a plan of it."""
    plan = model.folder.parent / "ae.plan"
    plan.write_bytes(b"taken by a runner that is made up")
    onnx = write_frame_engine(model.folder.parent / "ae.onnx", size=SIZE)
    facts = PlanFacts("fp32", 16, 24, 48, "9.0", "tensorrt_rtx", "1.7.1", "0" * 64)
    return model.add({"ae.onnx": onnx, "ae.plan": plan}, plans={"ae.plan": facts})


def runs_plans(patch: pytest.MonkeyPatch) -> None:
    """Plans compute the formula, on a device that is made up."""

    def formula(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        return window_errors(frames, range(len(frames) - WINDOW + 1)).astype(np.float32)

    def opened(path: Path, _: object) -> TensorRtRunner:
        device = LazyDevice(lambda _: None)
        frames, errors = ("frames", "uint8", (-1, SIZE, SIZE)), ("window_errors", "float32", (-1, WINDOW, GRID, GRID))
        plan = FakePlan(device, formula, [frames], [errors], (16, 24, 48))
        return TensorRtRunner(path, plan.opened(), device)

    patch.setattr("pixelfast.runtime.tensorrt.runner.open_plan", opened)


def test_weights_get_what_their_onnx_file_would_get(model: Model) -> None:
    trials = [right(model, "ae.safetensors"), right(model, "ae.onnx")]
    found = uncalibrated(model, trials)
    words = add_calibrations(model, found, threads=1)
    assert words == "added to the model for ae.safetensors, ae.onnx, on 32 held-out frames of its training"
    model = Model.load(model.folder)
    assert len(model.manifest.calibrations) == 6
    for pool in ("mean", "worst", "rare"):
        np.testing.assert_allclose(
            quantiles(model, "ae.safetensors", pool), quantiles(model, "ae.onnx", pool), rtol=1e-3
        )
    assert not uncalibrated(model, trials)


def test_only_engines_that_are_right_and_run_as_in_scoring_are_measured(model: Model) -> None:
    wrong = replace(right(model, "ae.onnx"), agreement=Agreement("0.5", enough=False))
    stopped = replace(right(model, "ae.onnx"), agreement=None)
    assert not uncalibrated(model, [wrong, stopped, right(model, "ae.onnx", usual=False)])


def test_weights_in_half_precision_say_so(model: Model) -> None:
    found = uncalibrated(model, [right(model, "ae.safetensors", way=("fp16", "graph"))])
    add_calibrations(model, found, threads=1)
    assert {one.precision for one in Model.load(model.folder).manifest.calibrations} == {"fp16"}


def test_a_plan_gets_its_own(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    model = with_plan(model)
    runs_plans(monkeypatch)
    found = uncalibrated(model, [right(model, "ae.onnx"), right(model, "ae.plan", on_gpu=True)])
    add_calibrations(model, found, threads=1)
    model = Model.load(model.folder)
    np.testing.assert_allclose(quantiles(model, "ae.plan"), quantiles(model, "ae.onnx"), rtol=1e-4)


def test_footage_that_is_gone_is_said_and_leaves_the_model_as_it_is(model: Model) -> None:
    text = (model.folder / "model.json").read_text()
    training = model.manifest.training
    assert training is not None
    (model.folder / "model.json").write_text(text.replace(training.sources[0], "/gone"))
    model = Model.load(model.folder)
    before = (model.folder / "model.json").read_bytes()
    words = add_calibrations(model, uncalibrated(model, [right(model, "ae.onnx")]), threads=1)
    assert words.startswith("none for ae.onnx, whose scores have no threshold: ")
    assert "/gone" in words
    assert (model.folder / "model.json").read_bytes() == before


def test_footage_that_has_changed_is_not_taken(home: Path, model: Model, tmp_path: Path) -> None:
    write_video(tmp_path / "other" / "01", walking_square(60, 9))
    training = model.manifest.training
    assert training is not None
    changed = replace(model.manifest, training=replace(training, sources=(str(tmp_path / "other"),)))
    other = Model.write(home / "work", tmp_path / "changed", changed)
    words = add_calibrations(other, uncalibrated(other, [right(other, "ae.onnx")]), threads=1)
    assert words.endswith("the training footage has changed")


def test_verify_adds_them_and_scores_have_a_threshold(
    home: Path, model: Model, capsys: pytest.CaptureFixture[str]
) -> None:
    footage = home / "normal"
    assert pixelfast.score(footage, model.folder / "ae.safetensors").threshold is None
    print_verification(model.folder, footage, seconds=0.02, threads=1, machine=WITHOUT)
    said = capsys.readouterr().out
    assert "calibrations    added to the model for ae.onnx, ae.safetensors, on 32 held-out frames" in said
    for name in ("ae.onnx", "ae.safetensors"):
        assert pixelfast.score(footage, model.folder / name).threshold is not None
    print_verification(model.folder, footage, seconds=0.02, threads=1, machine=WITHOUT)
    assert "calibrations    every engine that is right here has its own" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("machine", "why"),
    [
        (GpuMachine("NVIDIA made up", "8.6", {}), None),
        (GpuMachine("NVIDIA made up", "9.0", {}), "it is for GPUs of compute capability 8.6"),
        (GpuMachine(None, None, {}, "this machine has no NVIDIA driver"), "this machine has no NVIDIA driver"),
    ],
)
def test_export_measures_a_plan_where_its_gpu_is(
    model: Model,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    machine: GpuMachine,
    why: str | None,
) -> None:
    def copied(graph: Path, out: Path, *_: object, **__: object) -> PlanFacts:
        shutil.copyfile(graph, out)
        return PlanFacts("fp32", 16, 24, 48, "8.6", "tensorrt_rtx", "1.7.1", "")

    write_frame_engine(model.folder.parent / "ae.onnx", size=SIZE)
    model = model.add({"ae.onnx": model.folder.parent / "ae.onnx"})
    runs_plans(monkeypatch)
    monkeypatch.setattr("pixelfast.jobs.export.read_machine", lambda: machine)
    monkeypatch.setattr("pixelfast.jobs.export.build_plan", copied)
    path = pixelfast.export(model, "plan", compute_capability="8.6", threads=1)
    model = Model.load(model.folder)
    if why is None:
        assert quantiles(model, path.name)[0] > 0
    else:
        assert not model.manifest.calibrations
        assert f"ae.plan has no calibration, so its scores have no threshold: {why}; `pixelfast verify`" in caplog.text
