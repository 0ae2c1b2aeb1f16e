"""Models that the first versions wrote, letter by letter, are read: their `model.json` has an entry `motion` always."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pixelfast.flow.engine import FlowFacts
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.model import FileFacts, Flip, Model, Training

CALIBRATION = """{
      "engine": "ae.s4.onnx", "precision": "fp32", "stride": 4, "how": "mean", "pool": "worst", "smooth": 3,
      "probabilities": [0.0, 0.5, 1.0], "quantiles": [0.25, 1.5, 2.0], "frames": 500
    }"""
TRAINING = """{
    "sources": ["training"], "videos": 2, "frames": 300, "report": {"loss": [0.5, 0.25], "epochs": 2}
  }"""
MOTION = """{
    "flow": {"kind": "dis", "preset": "medium", "shorter_side": 240}, "past": 8, "scale": 0.25, "bridge_noisy": true
  }"""
PLAN = """{
    "precision": "fp16", "least": 16, "best": 64, "most": 128, "compute_capability": "8.6", "flavour": "tensorrt",
    "version": "10.9", "onnx_sha256": "00"
  }"""


def first_model(folder: Path, method: str, motion: str, training: str, flip: str) -> Model:
    """Writes a folder as the first versions left it, and reads it."""
    folder.mkdir()
    names = ["raft.onnx", "motion.onnx"] if method == "motion" else ["ae.s4.onnx", "ae.fp16.plan", "flip.onnx"]
    for name in names:
        (folder / name).write_bytes(name.encode())
    files = {name: {"sha256": hashlib.sha256(name.encode()).hexdigest(), "bytes": len(name.encode())} for name in names}
    plans = f'{{"ae.fp16.plan": {PLAN}}}' if "ae.fp16.plan" in names else "{}"
    text = f"""{{
  "method": "{method}", "recipe": "default", "window": 16, "height": 128, "width": 96, "grid": 8, "stride": 1,
  "training": {training},
  "flip": {flip},
  "motion": {motion},
  "calibrations": [{CALIBRATION}],
  "files": {json.dumps(files)},
  "plans": {plans},
  "notes": ["a note"],
  "format": 1
}}
"""
    (folder / "model.json").write_text(text)
    return Model.load(folder)


FLIP = '{"held_out_accuracy": 0.998, "trusted": true, "threshold": 0.5}'


def test_the_first_motion_models_are_read(tmp_path: Path) -> None:
    model = first_model(tmp_path / "model", "motion", MOTION, TRAINING, FLIP)
    assert MotionFacts.of(model) == MotionFacts(FlowFacts("dis", "medium", 240), 8, 0.25, bridge_noisy=True)
    manifest = model.manifest
    assert manifest.stem == "motion"
    assert manifest.training == Training(("training",), 2, 300, {"loss": [0.5, 0.25], "epochs": 2})
    assert manifest.flip == Flip(0.998, trusted=True, threshold=0.5)
    assert (manifest.recipe, manifest.window, manifest.height, manifest.width, manifest.grid) == (
        "default", 16, 128, 96, 8,
    )  # fmt: skip
    assert (manifest.stride, manifest.notes) == (1, ("a note",))


def test_the_first_reconstruction_models_are_read(tmp_path: Path) -> None:
    model = first_model(tmp_path / "model", "reconstruction", "null", "null", "null")
    manifest = model.manifest
    assert (manifest.stem, manifest.training, manifest.flip, dict(manifest.own)) == ("ae", None, None, {})
    (calibration,) = manifest.calibrations
    assert (calibration.engine, calibration.stride, calibration.pool, calibration.frames) == (
        "ae.s4.onnx", 4, "worst", 500,
    )  # fmt: skip
    assert calibration.quantiles == (0.25, 1.5, 2.0)
    assert manifest.plans["ae.fp16.plan"].compute_capability == "8.6"
    assert manifest.files["flip.onnx"] == FileFacts(hashlib.sha256(b"flip.onnx").hexdigest(), 9)


@pytest.mark.parametrize("method", ["motion", "reconstruction"])
def test_what_is_read_is_written_with_the_same_entries(tmp_path: Path, method: str) -> None:
    model = first_model(tmp_path / "model", method, MOTION if method == "motion" else "null", TRAINING, FLIP)
    before: dict[str, Any] = json.loads((model.folder / "model.json").read_text())
    after = model.manifest.plain()
    assert {name: value for name, value in before.items() if value is not None} == {
        name: value for name, value in after.items() if value is not None
    }
