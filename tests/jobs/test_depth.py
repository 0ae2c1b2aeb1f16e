"""The bits that deep pictures use: found in training, kept in the model, applied and said in scoring."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pixelfast
from deep_files import deep_footage
from footage import walking_square
from pixelfast.errors import ArgumentError, ModelError
from pixelfast.methods.reconstruction.recipe import RECIPES
from pixelfast.methods.trained import Recipe
from pixelfast.model import Flip, Model
from pixelfast.notes import Notes
from pixelfast.options import Reading
from pixelfast.sources.depth import look_at_depth, say_depth, training_reading
from tiny_engines import SIZE, write_frame_engine, write_model

WHOLE = RECIPES["default"]
TINY = Recipe(
    "default",
    replace(WHOLE.own, channels=4, epochs=1, least_steps=None),
    replace(WHOLE.flip, epochs=1, least_steps=40, batch=16),
)


def twelve(frames: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The frames as 12 bits, with some noise in the lower 4."""
    noise = np.random.default_rng(3).integers(0, 16, frames.shape)
    return (frames.astype(np.uint16) << 4) + noise.astype(np.uint16)


def said(frames: NDArray[Any], folder: Path, reading: Reading, suffix: str = ".png") -> list[str]:
    notes = Notes()
    say_depth(pixelfast.open_source(deep_footage(folder, frames, suffix)), reading, notes, None)
    return list(notes)


@pytest.mark.parametrize("method", ["reconstruction", pytest.param("motion", marks=pytest.mark.long)])
def test_twelve_bits_train_and_score_as_their_upper_eight(tmp_path: Path, method: str) -> None:
    scores, depths = [], []
    for name, change in (("deep", twelve), ("plain", lambda frames: frames)):
        home = tmp_path / name
        for number in (1, 2):
            deep_footage(home / "normal" / f"{number:02d}", change(walking_square(48, number)))
        deep_footage(home / "test" / "01", change(walking_square(40, 5)))
        given: dict[str, Any] = {"method": method, "precision": "fp32", "threads": 2}
        given |= {"recipe": TINY, "batch": 8} if method == "reconstruction" else {"recipe": "plain"}
        model = pixelfast.train(home / "normal", home / "model", **given)
        depths.append(Model.load(home / "model").manifest.reading.depth)
        assert [note for note in model.manifest.notes if "bits" in note] == (
            ["16-bit frames use 12 bits: white is 4095; --depth fixes it"] if name == "deep" else []
        )
        scores.append(pixelfast.score(home / "test", home / "model"))
        assert not [note for note in scores[-1].notes if "white is" in note]
    assert depths == [12, None]
    assert np.ptp(scores[0].raw) > 0
    np.testing.assert_allclose(scores[0].raw, scores[1].raw, rtol=1e-6)
    np.testing.assert_allclose(scores[0].score, scores[1].score, atol=1e-6)


@pytest.mark.parametrize(
    ("frames", "suffix", "depth"),
    [
        (np.full((3, 8, 8), 209, np.uint16), ".png", 8),
        (np.full((3, 8, 8), 1023, np.uint16), ".tif", 10),
        (np.full((3, 8, 8), 1024, np.uint16), ".png", 12),
        (np.full((3, 8, 8), 4096, np.uint16), ".png", 14),
        (np.full((3, 8, 8), 65535, np.uint16), ".png", 16),
        (np.full((3, 8, 8), 1.0, np.float32), ".tif", 1),
        (np.full((3, 8, 8), 1.01, np.float32), ".tif", 1),
        (np.full((3, 8, 8), 255.0, np.float32), ".tif", 8),
        (np.full((3, 8, 8), 4000.0, np.float32), ".tif", 12),
        (np.full((3, 8, 8), 1e6, np.float32), ".tif", 16),
        (np.full((3, 8, 8), 200, np.uint8), ".png", None),
        (np.full((3, 8, 8), 200, np.uint8), ".jpg", None),
    ],
)
def test_the_least_depth_that_holds_the_footage(
    tmp_path: Path, frames: NDArray[Any], suffix: str, depth: int | None
) -> None:
    frames[:2] //= 2
    videos, notes = pixelfast.open_source(deep_footage(tmp_path / "video", frames, suffix)), Notes()
    reading = training_reading(videos, Reading(orientation=False), notes, None)
    assert reading == Reading(orientation=False, depth=depth)
    assert [video.reading.depth for video in videos] == [depth]  # type: ignore[attr-defined]
    given = training_reading(videos, Reading(depth=9), Notes(), None)
    assert given == Reading(depth=9)


def test_a_first_look_finds_the_one_deep_video_among_many(tmp_path: Path) -> None:
    deep_footage(tmp_path / "a", np.full((300, 8, 8), 200, np.uint8))
    deep_footage(tmp_path / "b", np.full((2, 8, 8), 900, np.uint16))
    (found,) = look_at_depth(pixelfast.open_source(tmp_path), 50, None)
    assert (found.needed, found.largest, found.bits) == (10, 900, 16)


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    dark, bright = np.full((3, 8, 8), 209, np.uint16), np.full((3, 8, 8), 60_000, np.uint16)
    assert said(bright, tmp_path / "a", Reading()) == []
    assert said(bright, tmp_path / "b", Reading(depth=12)) == [
        "16-bit frames reach 60000, and white is 4095 (depth 12): what is brighter is clipped; --depth 16 fixes it"
    ]
    assert said(dark, tmp_path / "c", Reading()) == [
        "16-bit frames reach 209, and white is 65535 (depth 16): they come out dark; --depth 8 fixes it"
    ]
    assert "dark; --depth 8" in said(dark, tmp_path / "d", Reading(depth=12))[0]
    assert said(dark, tmp_path / "e", Reading(depth=10)) == []
    floats = dark.astype(np.float32)
    assert "clipped; --depth 8" in said(floats, tmp_path / "f", Reading(), ".tif")[0]
    assert said(floats, tmp_path / "g", Reading(depth=8), ".tif") == []
    assert "dark; --depth 1 " in said(floats / 255, tmp_path / "h", Reading(depth=12), ".tif")[0]
    assert said(floats / 255, tmp_path / "i", Reading(), ".tif") == []


def test_a_lone_engine_says_it_and_takes_a_depth(tmp_path: Path) -> None:
    frames = walking_square(40, 1, SIZE)
    engine = write_frame_engine(tmp_path / "ae.onnx")
    plain = pixelfast.score(deep_footage(tmp_path / "plain", frames), engine)
    source = deep_footage(tmp_path / "deep", twelve(frames))
    blind = pixelfast.score(source, engine)
    assert len([note for note in blind.notes if "come out dark; --depth 12 fixes it" in note]) == 1
    for scores in (
        pixelfast.score(source, engine, depth=12),
        pixelfast.score(pixelfast.open_source(source), engine, depth=12),
    ):
        np.testing.assert_array_equal(scores.raw, plain.raw)
        assert not any("dark" in note for note in scores.notes)
    assert not np.allclose(blind.raw, plain.raw)


def test_clean_judges_deep_frames_at_the_models_depth(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", (1,), Flip(1.0, trusted=True), reading=Reading(depth=12))
    frames = walking_square(24, 1, SIZE)
    frames[5] = frames[5, ::-1]
    source = deep_footage(tmp_path / "deep", twelve(frames))
    report = pixelfast.clean(source, model.folder, tmp_path / "clean")
    assert (report.turned, report.unchanged) == (1, 23)
    videos = pixelfast.open_source(tmp_path / "clean", reading=Reading(depth=12))
    (chunk,) = videos[0].chunks(None, None)
    frames[5] = frames[5, ::-1]
    np.testing.assert_array_equal(chunk.frames, frames)
    flat = write_model(tmp_path / "flat", (1,), Flip(1.0, trusted=True))
    assert "--depth 12" in str(pixelfast.clean(source, flat.folder, tmp_path / "blind").notes)
    assert pixelfast.clean(source, flat.folder, tmp_path / "told", depth=12).turned == 1


@pytest.mark.parametrize("depth", [0, 2, 7, 17])
def test_depths_that_there_are_not_are_refused(tmp_path: Path, depth: int) -> None:
    for call in (pixelfast.train, pixelfast.score):
        with pytest.raises(ArgumentError, match=f"depth must be 8 to 16 bits, or 1 for floating-point.*, not {depth}"):
            call("nowhere", tmp_path / "model", depth=depth)
    model = write_model(tmp_path / "model", (1,), None, reading=Reading(depth=depth))
    with pytest.raises(ModelError, match="reading"):
        Model.load(model.folder)
