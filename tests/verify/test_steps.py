"""The steps after the trials: what is worth most comes first, and each knows about how long it takes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from footage import walking_square
from frame_files import write_video
from machines import WITHOUT
from made_models import measure
from pixelfast.methods.reconstruction.engine import AE
from pixelfast.model import Model, Training
from pixelfast.runtime.tensorrt.check import GpuMachine
from pixelfast.runtime.trial import Agreement, Candidate, Trial
from pixelfast.sources import open_source
from pixelfast.verify.machine import Machine, TorchGpu, merged
from pixelfast.verify.steps import Steps
from pixelfast.verify.trying import Tryout
from tiny_engines import write_model

WITH_TORCH = merged(GpuMachine("a GPU", "9.0", {}), TorchGpu("a GPU", "9.0"), torch_installed=True)
FRAMES, RATE, SECONDS = 40, 10.0, 0.5


def seconds_of(model: Model, footage: Path, machine: Machine, *, right: bool = True) -> dict[str, float]:
    candidate = Candidate(model.folder / "ae.onnx", "ae.onnx", AE, 1, lambda: None)
    trial = Trial(candidate, 2.0, Agreement("1", enough=right), {32: RATE})
    tryout = Tryout(model, open_source(footage), made_up=False, seconds=SECONDS, threads=1, machine=machine)
    return {step.name: step.seconds() for step in Steps(tryout, [trial], [AE]).in_order()}


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    write_video(tmp_path / "footage" / "01", walking_square(FRAMES))
    return tmp_path / "footage"


def test_what_is_worth_most_comes_first(tmp_path: Path, footage: Path) -> None:
    found = seconds_of(write_model(tmp_path / "model"), footage, WITHOUT)
    assert list(found) == [
        "whole score", "calibrations", "plan runner", "ceilings", "dearest kernels", "10 scores",
    ]  # fmt: skip


def test_steps_take_what_their_frames_take(tmp_path: Path, footage: Path) -> None:
    model = write_model(tmp_path / "model", training=Training((str(footage),), 1, 5000, {}))
    found = seconds_of(model, footage, WITHOUT)
    assert found["whole score"] >= FRAMES / RATE
    assert found["calibrations"] == pytest.approx(5000 * 1.1 / RATE)
    assert found["10 scores"] == pytest.approx(10 * (2.0 + 16 / RATE))
    assert found["plan runner"] == 0
    on_gpu = seconds_of(model, footage, WITH_TORCH)
    assert on_gpu["plan runner"] > 10
    assert on_gpu["ceilings"] > found["ceilings"] > 0


def test_without_an_engine_that_is_right_there_is_little_to_do(tmp_path: Path, footage: Path) -> None:
    model = write_model(tmp_path / "model", training=Training((str(footage),), 1, 5000, {}))
    found = seconds_of(model, footage, WITHOUT, right=False)
    assert found["whole score"] == found["calibrations"] == found["10 scores"] == 0


def test_engines_with_a_calibration_need_none(tmp_path: Path, footage: Path) -> None:
    model = write_model(tmp_path / "model", training=Training((str(footage),), 1, 5000, {}))
    measured = replace(model.manifest, calibrations=(measure(np.linspace(0, 1, 99)),))
    assert seconds_of(Model(model.folder, measured), footage, WITHOUT)["calibrations"] == 0
