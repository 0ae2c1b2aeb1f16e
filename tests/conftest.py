"""Fixtures of several test modules: small engines, a model that holds them, and footage as files."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from frame_files import write_video
from pixelfast.model import Flip, Model
from tiny_engines import write_cuboid_engine, write_frame_engine, write_model


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard() -> None:
    """A job in the background ignores Ctrl-C, and hands that on to the processes that the tests start and interrupt."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What pixelfast remembers of this machine stays out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def frame_engine(tmp_path: Path) -> Path:
    """A lone engine of frames, stride 1."""
    return write_frame_engine(tmp_path / "ae.onnx")


@pytest.fixture
def cuboid_engine(tmp_path: Path) -> Path:
    """A lone engine of cuboids."""
    return write_cuboid_engine(tmp_path / "theirs.onnx")


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """A model folder with engines for strides 1 and 4 and a trusted flip classifier."""
    return write_model(tmp_path / "model", (1, 4), Flip(held_out_accuracy=1.0, trusted=True))


@pytest.fixture
def make_source(tmp_path: Path) -> Callable[..., Path]:
    """Writes videos (name=frames) under a folder and gives the folder."""

    def make(folder: str = "footage", **videos: NDArray[np.uint8]) -> Path:
        for name, frames in videos.items():
            write_video(tmp_path / folder / name, frames)
        return tmp_path / folder

    return make
