"""Models of every kind that can be watched with, and what they are tried on: all video files of drawn frames."""

from pathlib import Path

import numpy as np
import pytest

import motion_models
import pixelfast
from conftest import MadeOnce
from films import write_film
from street import QUICK, street
from tiny_engines import write_model


def _make(home: Path) -> None:
    for seed in range(1, 4):
        write_film(home / "normal" / f"{seed}.mp4", street(200, seed))
    write_film(home / "new.mp4", np.concatenate([street(90, 9, "fast"), street(90, 10, "fast")]), options={"g": "25"})
    pixelfast.train(home / "normal", home / "density", recipe=QUICK, threads=1)
    pixelfast.train(home / "normal", home / "live", recipe=QUICK, threads=1, live=True)
    motion_models.train(home / "normal", home / "motion")
    write_model(home / "reconstruction")


@pytest.fixture(scope="session")
def watching(made_once: MadeOnce) -> Path:
    """A folder with the models `density`, `live`, `motion` and `reconstruction`, and `new.mp4`, in which two run."""

    def make(home: Path) -> None:
        (home / "normal").mkdir()
        _make(home)

    return made_once("watched", make)


@pytest.fixture
def new(watching: Path) -> Path:
    """The film in which somebody runs, in frames 30 to 59 and 120 to 149."""
    return watching / "new.mp4"
