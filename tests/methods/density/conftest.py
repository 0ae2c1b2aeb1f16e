"""Footage of the density method's tests, and a model of it."""

from pathlib import Path

import pytest

import pixelfast
from conftest import MadeOnce
from frame_files import write_video
from street import QUICK, street


def make_street(folder: Path) -> None:
    for seed in range(1, 5):
        write_video(folder / "normal" / f"{seed:02}", street(70, seed))
    for name in ("fast", "back", "left"):
        write_video(folder / "new" / name, street(90, 9, name))
    pixelfast.train(folder / "normal", folder / "model", method="density", recipe=QUICK)


@pytest.fixture(scope="session")
def walked(made_once: MadeOnce) -> Path:
    """A folder with `normal`, `new` and the `model` that was learnt from the normal footage."""
    return made_once("street", make_street)
