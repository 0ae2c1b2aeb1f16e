"""Motion models that took seconds to train, for the tests of this folder."""

from pathlib import Path

import pytest

from frame_files import write_video
from motion_models import TRAINING, tiny, train
from pixelfast.model import Model


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("motion")
    for number, frames in TRAINING.items():
        write_video(folder / "normal" / number, frames)
    return folder


@pytest.fixture(scope="session")
def trained(home: Path) -> Model:
    return train(home / "normal", home / "model")


@pytest.fixture(scope="session")
def source_trained(home: Path) -> Model:
    """By the source's recipe for motion, with another seed; its classifier is of no use."""
    return train(home / "normal", home / "source", recipe=tiny("source", 4), seed=1, epochs=1)
