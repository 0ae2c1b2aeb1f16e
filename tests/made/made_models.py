"""Model folders with made-up files, for the tests."""

from pathlib import Path
from typing import Any

import numpy as np

from pixelfast.model import Calibration, Flip, Manifest, Training

CONTENT = {"ae.safetensors": b"weights" * 999, "ae.onnx": b"graph" * 999, "flip.onnx": b"flip", "flip.safetensors": b""}


def measure(values: np.ndarray, **changes: Any) -> Calibration:
    settings = {"engine": "ae.onnx", "precision": "fp32", "stride": 1, "how": "mean", "pool": "mean", "smooth": 3}
    return Calibration.measure(values, **{**settings, **changes})


MANIFEST = Manifest(
    method="reconstruction",
    recipe="default",
    window=16,
    height=128,
    width=128,
    grid=8,
    training=Training(("training",), 16, 2550, {"loss": [0.1, 0.05], "epochs": 2}),
    flip=Flip(0.998, trusted=True),
    calibrations=(measure(np.linspace(0, 1, 500)), measure(np.linspace(0, 1, 500), pool="worst")),
    notes=("a note",),
)


def make_workdir(tmp_path: Path) -> Path:
    """What training leaves: trained files, and others that are no part of a model."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    (folder / "autoencoder.checkpoint.pt").write_bytes(b"later")
    (folder / "frames.u8").write_bytes(bytes(1000))
    return folder


def content_of(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}
