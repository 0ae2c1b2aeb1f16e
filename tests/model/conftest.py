"""A trained model, as most tests of the folder want it."""

from pathlib import Path

import pytest

from made_models import MANIFEST, make_workdir
from pixelfast.model import Model


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    return make_workdir(tmp_path)


@pytest.fixture
def model(workdir: Path, tmp_path: Path) -> Model:
    return Model.write(workdir, tmp_path / "model", MANIFEST)
