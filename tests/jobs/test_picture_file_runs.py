"""Scoring, sharing and cleaning of files that hold several pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixelfast
from frame_files import write_video
from pixelfast.errors import DecodeError, SourceError
from pixelfast.model import Model
from tiny_engines import SIZE


def frames(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(40, 200, (count, SIZE, SIZE), np.uint8)


def write_stack(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = [Image.fromarray(one) for one in pixels]
    first.save(path, save_all=True, append_images=rest)
    return path


def test_a_stack_scores_as_the_same_pictures_as_files(tmp_path: Path, model: Model) -> None:
    pixels = frames(40)
    stack = write_stack(tmp_path / "scan.tif", pixels)
    folder = write_video(tmp_path / "files" / "scan", pixels)
    theirs = pixelfast.score(folder, model.folder)
    scores = pixelfast.score(stack, model.folder, out=tmp_path / "s.parquet", chunk=16)
    assert scores.videos == ("scan",) and scores.frame.tolist() == list(range(40))
    np.testing.assert_array_equal(scores.raw, theirs.raw)
    assert pixelfast.score(stack, model.folder, out=tmp_path / "s.parquet").reused == 1


def test_stacks_are_shared_between_machines_and_merged(tmp_path: Path, model: Model) -> None:
    for name in ("a", "b", "c"):
        write_stack(tmp_path / "scans" / f"{name}.tif", frames(20, ord(name)))
    engine, parts = model.folder / "ae.onnx", tmp_path / "parts"
    for share in ("1/2", "2/2"):
        pixelfast.score(tmp_path / "scans", engine, parts=parts, shard=share)
    merged = pixelfast.merge(parts, tmp_path / "m.parquet")
    whole = pixelfast.score(tmp_path / "scans", engine)
    np.testing.assert_array_equal(merged.raw, whole.raw)
    assert list(merged.videos) == ["a", "b", "c"]


def test_times_of_an_animation_stand_in_the_scores(tmp_path: Path, model: Model) -> None:
    first, *rest = [Image.fromarray(one) for one in frames(20)]
    first.save(tmp_path / "loop.png", save_all=True, append_images=rest, duration=200)
    scores = pixelfast.score(tmp_path / "loop.png", model.folder)
    assert scores.seconds is not None
    np.testing.assert_allclose(scores.seconds, np.arange(20) * 0.2)


def test_a_stack_that_is_cut_off_is_repaired_aloud_or_stops(tmp_path: Path, model: Model) -> None:
    stack = write_stack(tmp_path / "scan.tif", frames(40))
    stack.write_bytes(stack.read_bytes()[: -SIZE * SIZE - 300])
    scores = pixelfast.score(stack, model.folder)
    assert scores.repaired.any() and not scores.repaired[:38].any()
    assert any("unreadable" in note and "scan.tif (picture" in note for note in scores.notes)
    with pytest.raises(DecodeError, match=r"scan\.tif \(picture 39\)|scan\.tif \(picture 40\)"):
        pixelfast.score(stack, model.folder, on_error="raise")


def test_clean_takes_no_stack(tmp_path: Path, model: Model) -> None:
    stack = write_stack(tmp_path / "scan.tif", frames(20))
    with pytest.raises(SourceError, match=r"scan\.tif is one file of several: extract the frames first"):
        pixelfast.clean(stack, model.folder, tmp_path / "out")


def test_pages_of_several_sizes_are_noted(tmp_path: Path, model: Model) -> None:
    images = [Image.fromarray(one) for one in frames(20)]
    images[10] = images[10].resize((20, 20))
    images[0].save(tmp_path / "scan.tif", save_all=True, append_images=images[1:])
    notes = pixelfast.score(tmp_path / "scan.tif", model.folder).notes
    assert any("has frames of 2 sizes" in note and "(picture 11)" in note for note in notes), json.dumps(notes)
