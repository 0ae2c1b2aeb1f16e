"""Hours of training are not thrown away unasked, and are thrown away when asked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.errors import ModelError
from pixelfast.methods.reconstruction.recipe import RECIPES
from pixelfast.methods.trained import Recipe
from pixelfast.progress import Progress

WHOLE = RECIPES["default"]
OWN = replace(WHOLE.own, channels=4, epochs=1, least_steps=None)
SMALL: dict[str, Any] = {
    "method": "reconstruction",
    "recipe": Recipe("default", OWN, replace(WHOLE.flip, epochs=1, least_steps=4, batch=16)),
    "precision": "fp32",
    "batch": 8,
    "threads": 2,
}


def stop(step: Progress) -> None:
    if step.phase == "flip":
        raise InterruptedError


def test_a_stopped_training_is_kept_until_somebody_says_fresh(tmp_path: Path) -> None:
    write_video(tmp_path / "normal" / "01", walking_square(48))
    out, checkpoint = tmp_path / "model", tmp_path / "model.training" / "autoencoder.checkpoint.pt"
    with pytest.raises(InterruptedError):
        pixelfast.train(tmp_path / "normal", out, progress=stop, **SMALL)
    kept = checkpoint.read_bytes()
    write_video(tmp_path / "other" / "01", walking_square(48, seed=2))
    for footage, seed in (("normal", 0), ("normal", 1), ("other", 0)):
        with pytest.raises(ModelError, match=r"holds a training that was stopped .*--resume, or .*--fresh"):
            pixelfast.train(tmp_path / footage, out, seed=seed, **SMALL)
    with pytest.raises(ModelError, match=r"begun with other settings .*seed 0, now 1.* again with --fresh"):
        pixelfast.train(tmp_path / "normal", out, seed=1, resume=True, **SMALL)
    with pytest.raises(ModelError, match="give one of them"):
        pixelfast.train(tmp_path / "normal", out, resume=True, fresh=True, **SMALL)
    assert checkpoint.read_bytes() == kept
    model = pixelfast.train(tmp_path / "normal", out, seed=1, fresh=True, **SMALL)
    assert model.manifest.training is not None
    assert model.manifest.training.report["settings"]["seed"] == 1
    assert not checkpoint.parent.exists()
