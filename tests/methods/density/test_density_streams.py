"""Live frames by the density method: the raw scores, cells and reasons of the whole video."""

from pathlib import Path

import numpy as np
import pytest

import pixelfast
from streamed import assert_streams_as_it_scores, delays, growth
from street import QUICK, street


@pytest.fixture(scope="module")
def live_model(walked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("live") / "model"
    pixelfast.train(walked / "normal", out, recipe=QUICK, live=True)
    return out


@pytest.mark.parametrize("chunk", [1, 64, 300])
def test_raw_and_reasons_are_those_of_files(walked: Path, tmp_path: Path, chunk: int) -> None:
    frames = street(120, 7, "fast")
    frames[80:90:2] = frames[79:89:2]
    live = assert_streams_as_it_scores(walked / "model", frames, tmp_path / "a", chunk)
    assert all(one.reason for one in live)


@pytest.mark.parametrize("count", [1, 2, 40])
def test_so_they_are_of_a_model_that_looks_back_alone(live_model: Path, tmp_path: Path, count: int) -> None:
    assert_streams_as_it_scores(live_model, street(count, 8, "back"), tmp_path / "a", 64)


def test_it_does_not_wait(live_model: Path, walked: Path) -> None:
    frames = street(500, 9)
    with pixelfast.Scorer(live_model) as scorer:
        assert max(delays(scorer, frames)) <= 50
    with pixelfast.Scorer(walked / "model") as scorer:
        assert 100 < max(delays(scorer, frames)) <= 330


def test_a_nudged_camera(live_model: Path, tmp_path: Path) -> None:
    frames = street(100, 9)
    frames[50:] = np.roll(frames[50:], (2, 3), axis=(1, 2))
    assert_streams_as_it_scores(live_model, frames, tmp_path / "a", 64)


def test_memory_stays_flat(live_model: Path) -> None:
    with pixelfast.Scorer(live_model) as scorer:
        assert growth(scorer, street(60, 3), 480, 960) < 40_000
