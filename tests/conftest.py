"""Fixtures of several test modules: small engines, a model that holds them, and footage as files."""

import os
import secrets
import shutil
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings
from numpy.typing import NDArray

from frame_files import write_video
from pixelfast.model import Flip, Model
from tiny_engines import write_cuboid_engine, write_frame_engine, write_model

MadeOnce = Callable[[str, Callable[[Path], object]], Path]

settings.register_profile("any load", deadline=None)  # what an example takes on a busy machine is no fault of the code
settings.load_profile("any load")

WORKER = os.environ.pop("PYTEST_XDIST_WORKER", None)  # which processes that the tests start are not
if WORKER is not None:
    # A worker a core: threads of PyTorch that wait for each other by spinning would take the other worker's.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # of those that a training asks for


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


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Makes a folder by its name, once for all workers of a run: for what takes long to make and is only read."""
    base = tmp_path_factory.getbasetemp()
    home = base if WORKER is None else base.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = home / f"made-{name}", home / f"made-{name}.done"
        with FileLock(home / f"made-{name}.lock"):
            if not done.exists():
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def raft_files(made_once: MadeOnce) -> Path:
    """A folder with random weights of RAFT, the ONNX file of them, and what the command said."""
    from made_raft import write_raft_files

    return made_once("raft", write_raft_files)


@pytest.fixture(scope="session")
def half_raft_files(made_once: MadeOnce) -> Path:
    """The same in fp16."""
    from made_raft import write_raft_files

    return made_once("raft.fp16", lambda folder: write_raft_files(folder, "--precision", "fp16"))


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("the page is not tried in a browser, for there is none: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install '.[dev]'")
    with sync_api.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Ray cluster with room for two workers of one processor each; started once, and stopped."""
    ray = pytest.importorskip("ray", reason="needs Ray: pip install '.[ray]'")
    pytest.importorskip("ray.data", reason="needs Ray Data: pip install '.[ray]'")
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # Ray's own
        token = tmp_path_factory.mktemp("ray") / "token"  # it would make one in the user's home
        token.write_text(secrets.token_hex(32))
        patch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
        ray.init(num_cpus=2, object_store_memory=200e6, include_dashboard=False, logging_level="error")
        yield
        ray.shutdown()
