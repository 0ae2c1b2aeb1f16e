"""Live frames by the motion method: the raw scores of the whole video."""

from pathlib import Path

import numpy as np
import pytest

import pixelfast
from motion_models import walk, with_noise
from pixelfast.model import Model
from streamed import assert_streams_as_it_scores, delays, growth


@pytest.mark.parametrize("chunk", [1, 40, 64, 500])
def test_raw_is_that_of_files(trained: Model, tmp_path: Path, chunk: int) -> None:
    frames = with_noise(walk(130, 5), [3, 50, 51, 90], 60)
    frames[70:76] = frames[70:76, ::-1]
    frames[20:32:2] = frames[19:31:2]  # doubled
    live = assert_streams_as_it_scores(trained.folder, frames, tmp_path / "a", chunk)
    assert sum(one.noisy for one in live) >= 4


@pytest.mark.parametrize("count", [1, 2, 9, 33])
def test_short_streams_are_short_videos(trained: Model, tmp_path: Path, count: int) -> None:
    assert_streams_as_it_scores(trained.folder, walk(count, 3), tmp_path / "a", 64)


def test_a_camera_that_freezes(trained: Model, tmp_path: Path) -> None:
    frames = walk(160, 4)
    frames[60:110] = frames[60]
    live = assert_streams_as_it_scores(trained.folder, frames, tmp_path / "a", 64)
    assert [one.frame for one in live if one.frozen] == list(range(85, 110))


@pytest.mark.parametrize(("start", "stop"), [(60, 84), (60, 85), (60, 86), (60, 87), (60, 300), (1, 30), (0, 40)])
@pytest.mark.parametrize("chunk", [1, 64, 500])
def test_a_frozen_stretch_of_any_length(trained: Model, tmp_path: Path, start: int, stop: int, chunk: int) -> None:
    frames = walk(310, 4)
    frames[start:stop] = frames[start]
    assert_streams_as_it_scores(trained.folder, frames[: stop + 9], tmp_path / "a", chunk, flip="never")


def test_a_frozen_camera_goes_on_giving_results(trained: Model) -> None:
    frames = walk(300, 4)
    frames[60:280] = frames[60]
    with pixelfast.Scorer(trained.folder) as scorer:
        assert max(delays(scorer, frames)) <= 64


@pytest.mark.parametrize("chunk", [1, 64])
def test_results_come_soon(trained: Model, chunk: int) -> None:
    with pixelfast.Scorer(trained.folder, chunk=chunk) as scorer:
        assert max(delays(scorer, walk(200, 5))) <= 40


def test_a_change_of_size_is_refused(trained: Model) -> None:
    with pixelfast.Scorer(trained.folder) as scorer:
        frames = [*walk(10, 1), np.zeros((72, 100), np.uint8)]
        with pytest.raises(pixelfast.SourceError, match="96x72 and, from frame 10 on, 100x72"):
            list(scorer.stream(frames))


def test_memory_stays_flat(trained: Model) -> None:
    frames = walk(60, 5)
    with pixelfast.Scorer(trained.folder) as scorer:
        assert growth(scorer, np.concatenate([frames, frames[::-1]]), 480, 1440) < 40_000
