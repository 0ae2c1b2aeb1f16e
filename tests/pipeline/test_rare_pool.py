"""`pool="rare"`: how rare the rarest cell is, by what the same cell showed in held-out normal frames."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

import pixelfast
from conftest import MadeOnce
from footage import walking_square
from frame_files import write_video
from pixelfast.errors import EngineError
from pixelfast.methods.motion import METHOD
from pixelfast.model.tails import TAILS, cell_quantiles, rarest


def test_the_rarest_cell_is_that_of_its_own_tail() -> None:
    rng = np.random.default_rng(0)
    held_out = rng.gamma(2, np.arange(1, 13), (20_000, 12)).astype(np.float32).reshape(-1, 3, 4)
    cells = cell_quantiles(held_out)
    np.testing.assert_allclose(cells, np.quantile(held_out.reshape(len(held_out), -1), 1 - TAILS, axis=0).T)
    own = held_out.reshape(len(held_out), -1)
    shares = np.stack([1 - (rankdata(own[:, at]) - 1) / len(own) for at in range(12)], -1)
    found = rarest(held_out, cells)
    oracle = -np.log10(shares.min(-1))
    inside = (oracle > 0.5) & (oracle < 3.5)
    apart = np.abs(found[inside] - oracle[inside])
    assert (float(apart.mean()) < 0.02, float(apart.max()) < 0.3) == (True, True)


def make(folder: Path) -> None:
    write_video(folder / "normal" / "01", walking_square(60, 1))
    write_video(folder / "normal" / "02", walking_square(60, 2))
    write_video(folder / "new" / "01", walking_square(40, 3))
    pixelfast.train(folder / "normal", folder / "model", method="motion", recipe="plain")


@pytest.fixture(scope="module")
def home(made_once: MadeOnce) -> Path:
    return made_once("rare-pool", make)


def test_a_run_pools_by_the_model_s_own_cells(home: Path, tmp_path: Path) -> None:
    model = pixelfast.Model.load(home / "model")
    calibration = model.calibration("motion.onnx", 1, "mean", "rare", METHOD.global_pass.smooth)
    assert calibration is not None
    assert calibration.by_cell is not None
    rare = pixelfast.score(home / "new", home / "model", pool="rare", parts=tmp_path, maps=True)
    assert rare.threshold == calibration.threshold
    [part] = tmp_path.glob("*.arrow")
    from pixelfast.pipeline.parts import read_part

    maps = read_part(part).maps
    assert maps is not None
    np.testing.assert_allclose(
        rare.raw, rarest(maps.astype(np.float32) ** 2, calibration.by_cell), rtol=0.02, atol=0.02
    )
    assert pixelfast.score(home / "new", home / "model", pool="rare", parts=tmp_path).reused == 1
    assert pixelfast.score(home / "new", home / "model", pool="worst", parts=tmp_path).reused == 0


def test_a_model_without_them_is_refused(home: Path, tmp_path: Path) -> None:
    import json
    import shutil

    shutil.copytree(home / "model", tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    facts = json.loads(path.read_text())
    facts["calibrations"] = [one for one in facts["calibrations"] if one["pool"] != "rare"]
    path.write_text(json.dumps(facts))
    with pytest.raises(EngineError, match="pool rare needs what each cell shows in held-out normal frames"):
        pixelfast.score(home / "new", tmp_path / "model", pool="rare")
