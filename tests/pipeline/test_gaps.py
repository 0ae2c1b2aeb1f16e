"""Frames after a gap are scored as a new video is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import pixelfast
from footage import walking_square
from frame_files import write_video
from moving_scene import moved
from pixelfast.methods.motion.recipe import RECIPES
from pixelfast.model import Model
from plain_pipeline import TOLERANCE, plain_raw, raws_of
from tiny_engines import SIZE

MakeSource = Callable[..., Path]
LENGTHS = (40, 7, 30)


def numbers() -> list[int]:
    return [*range(1, 41), *range(120, 127), *range(300, 330)]


def renumber(folder: Path, ids: Sequence[int]) -> None:
    for path, number in reversed(list(zip(sorted(folder.iterdir()), ids, strict=True))):
        path.rename(folder / f"{number:06d}{path.suffix}")


@pytest.mark.parametrize("stride", [1, 4])
@pytest.mark.parametrize("chunk", [16, 64])
def test_no_window_runs_across_a_gap(make_source: MakeSource, model: Model, stride: int, chunk: int) -> None:
    stretches = [walking_square(length, seed, SIZE) for seed, length in enumerate(LENGTHS)]
    source = make_source(v=np.concatenate(stretches))
    renumber(source / "v", numbers())
    scores = pixelfast.score(source, model.folder, stride=stride, chunk=chunk, threads=2, flip="never")
    assert scores.frame.tolist() == numbers()
    expected = np.concatenate([plain_raw(frames, stride) for frames in stretches])
    np.testing.assert_allclose(scores.raw, expected, **TOLERANCE)
    apart = pixelfast.score(
        make_source("apart", a=stretches[0], b=stretches[1], c=stretches[2]), model.folder, stride=stride, flip="never"
    )
    assert np.array_equal(scores.raw, np.concatenate(raws_of(apart)))
    (note,) = [note for note in scores.notes if "jump" in note]
    assert "video v: its frames jump from 000040.png to 000120.png (the first of 2 gaps)" in note


def test_the_gap_is_said_again_and_kept_in_the_part(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source = make_source(v=walking_square(77, 1, SIZE))
    whole = pixelfast.score(source, model.folder, flip="never", parts=tmp_path / "parts")
    assert not any("jump" in note for note in whole.notes)
    renumber(source / "v", numbers())
    for _ in range(2):
        scores = pixelfast.score(source, model.folder, flip="never", parts=tmp_path / "parts")
        assert sum("jump" in note for note in scores.notes) == 1
    assert not np.array_equal(scores.raw, whole.raw)


def panning(count: int, first: int = 0) -> NDArray[np.uint8]:
    return moved(72, 96, [(first + index, 0) for index in range(count)], seed=1)


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A motion model whose training footage has a gap."""
    home = tmp_path_factory.mktemp("motion")
    write_video(home / "normal" / "01", panning(80))
    renumber(home / "normal" / "01", [*range(1, 41), *range(500, 540)])
    plain = RECIPES["plain"]
    recipe = replace(plain, flip=replace(plain.flip, epochs=1, least_steps=4, batch=16))
    return pixelfast.train(
        home / "normal", home / "model", method="motion", recipe=recipe, flow_preset="ultrafast", threads=1
    )


def test_training_does_not_run_across_a_gap(motion: Model) -> None:
    training = motion.manifest.training
    assert training is not None
    assert (training.videos, training.frames) == (2, 80)
    assert any("its frames jump from 000040.png to 000500.png" in note for note in motion.manifest.notes)


def test_no_flow_runs_across_a_gap(make_source: MakeSource, motion: Model) -> None:
    stretches = [panning(40), panning(1, 20), panning(30, 35)]
    source = make_source(v=np.concatenate(stretches))
    scores = {}
    for name, ids in {"whole": range(71), "cut": [*range(40), 90, *range(300, 330)]}.items():
        renumber(source / "v", list(ids))
        scores[name] = pixelfast.score(source, motion.folder, flip="never", chunk=16).raw
    assert scores["whole"].argmax() in (40, 41)
    assert scores["cut"][40:42].max() < np.median(scores["cut"]) * 1.5
    apart = pixelfast.score(
        make_source("apart", a=stretches[0], b=stretches[1], c=stretches[2]), motion.folder, flip="never"
    )
    assert np.array_equal(scores["cut"], np.concatenate(raws_of(apart)))
