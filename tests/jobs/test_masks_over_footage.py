"""Masks: what lies under one counts in no method, the model keeps it, and footage proposes one."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import pixelfast
from films import walk, write_film
from pixelfast import _core
from pixelfast.errors import ArgumentError, ModelError
from pixelfast.sources.masking import PAINT, covered, mask_at, mask_specs, painted, read_masks
from street import QUICK

Frames = NDArray[np.uint8]
SIZE = (96, 128)


def drawn(mask: Any, path: Path) -> Path:
    cv2.imwrite(str(path), mask.astype(np.uint8) * 255)
    return path


# What a mask is


def test_rectangles_and_pictures_are_put_together(tmp_path: Path) -> None:
    white = np.zeros(SIZE)
    white[80:, :] = 1
    mask = read_masks(["0,0,10,20", (100, 0, 500, 8), drawn(white, tmp_path / "m.png")], SIZE)
    expected = white.astype(bool)
    expected[:20, :10] = expected[:8, 100:] = True
    assert mask is not None and (mask_at(mask, *SIZE) == expected).all()
    assert covered(mask) == expected.mean()


def test_a_picture_of_another_size_and_the_same_shape_is_scaled(tmp_path: Path) -> None:
    white = np.zeros((48, 64))
    white[:24] = 1
    mask = read_masks([drawn(white, tmp_path / "m.png")], SIZE)
    assert mask is not None and covered(mask) == 0.5


@pytest.mark.parametrize("size", [(128, 128), (32, 32), (96, 128), (200, 300)])
def test_no_pixel_with_a_part_of_what_is_covered_is_left(size: tuple[int, int]) -> None:
    mask = read_masks(["30,40,23,17"], SIZE)
    assert mask is not None
    frame = np.zeros((1, *SIZE), np.uint8)
    frame[:, 40:57, 30:53] = 255
    small = _core.resize_frames(frame, *size)
    assert not painted(small, mask)[0][~mask_at(mask, *size)].any()
    assert (painted(small, mask)[0][mask_at(mask, *size)] == PAINT).all()


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("nothing.png", "mask nothing.png does not exist"),
        ("1,2,3", "mask 1,2,3 does not exist: give a picture .*or x,y,w,h"),
        ("200,0,5,5", "lies outside of the footage, which is 128x96 pixels"),
        ("0,0,0,5", "lies outside"),
        ("0,0,128,96", "covers the whole picture"),
    ],
)
def test_what_is_no_mask_gets_a_sentence(spec: str, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        read_masks([spec], SIZE)


def test_pictures_that_are_no_masks(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="is black throughout"):
        read_masks([drawn(np.zeros(SIZE), tmp_path / "black.png")], SIZE)
    with pytest.raises(ArgumentError, match="is 96x96 pixels, and the footage 128x96"):
        read_masks([drawn(np.ones((96, 96)), tmp_path / "square.png")], SIZE)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ArgumentError, match=r"text\.png"):
        read_masks([tmp_path / "text.png"], SIZE)


def test_one_mask_or_several() -> None:
    assert mask_specs(None) == () and mask_specs("a.png") == ("a.png",)
    assert mask_specs((1, 2, 3, 4)) == ((1, 2, 3, 4),)
    assert mask_specs(["a.png", (1, 2, 3, 4)]) == ("a.png", (1, 2, 3, 4))
    with pytest.raises(ArgumentError, match="a mask is a picture or x,y,w,h"):
        mask_specs([3])  # type: ignore[list-item]


# In training and scoring


def with_flicker(frames: Frames) -> Frames:
    """The same, with a corner that flickers wildly."""
    changed = frames.copy()
    changed[:, :24, :32] = np.random.default_rng(5).integers(16, 236, (len(frames), 24, 32))
    return changed


QUICKLY: dict[str, dict[str, Any]] = {
    "density": {"recipe": QUICK},
    "motion": {"epochs": 1},
    "reconstruction": {"epochs": 1, "width_share": 0.125},
}


@pytest.mark.parametrize("method", QUICKLY)
def test_what_lies_under_a_mask_counts_in_no_method(method: str, tmp_path: Path) -> None:
    frames = walk(80)
    write_film(tmp_path / "normal.mkv", frames, codec="ffv1")
    for name, shown in (("calm.mkv", frames[:40]), ("wild.mkv", with_flicker(frames[:40]))):
        write_film(tmp_path / name, shown, codec="ffv1")
    model = pixelfast.train(
        tmp_path / "normal.mkv", tmp_path / "model", method=method, mask="0,0,32,24", **QUICKLY[method]
    )
    assert model.manifest.reading.mask is not None and covered(model.manifest.reading.mask) == 24 * 32 / (96 * 128)
    calm, wild = (pixelfast.score(tmp_path / name, model.folder) for name in ("calm.mkv", "wild.mkv"))
    assert (calm.raw == wild.raw).all()
    again = pixelfast.Model.load(model.folder)
    assert again.manifest.reading == model.manifest.reading


def test_a_damaged_mask_gets_a_sentence(tmp_path: Path) -> None:
    write_film(tmp_path / "a.mkv", walk(60), codec="ffv1")
    model = pixelfast.train(tmp_path / "a.mkv", tmp_path / "model", recipe=QUICK, mask=(0, 0, 9, 9))
    text = (model.folder / "model.json").read_text()
    assert model.manifest.reading.mask is not None
    (model.folder / "model.json").write_text(text.replace(model.manifest.reading.mask, "AAAA"))
    with pytest.raises(ModelError, match="its mask is no picture"):
        pixelfast.score(tmp_path / "a.mkv", model.folder)


# What footage proposes


def watched(seconds: int = 12, rate: int = 10) -> Frames:
    """A walk under a burnt-in clock, beside a tree in the wind."""
    frames = walk(seconds * rate, 240, 320)
    rng = np.random.default_rng(3)
    for index, frame in enumerate(frames):
        frame[0:20, 8:170] = 16
        text = f"2026-11-29 12:00:{index // rate:02}"
        cv2.putText(frame, text, (10, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, 235, 1)
        frame[160:220, 240:300] = rng.integers(30, 200, (60, 60))
    return frames


@pytest.mark.parametrize("kind", ["film", "folder"])
def test_a_clock_and_a_tree_are_proposed(kind: str, tmp_path: Path) -> None:
    frames = watched()
    source = tmp_path / ("cam.mkv" if kind == "film" else "cam")
    if kind == "film":
        write_film(source, frames, codec="ffv1", rate=10)
    else:
        source.mkdir()
        for index, frame in enumerate(frames):
            cv2.imwrite(str(source / f"{index:04}.png"), frame)
    found = pixelfast.propose_mask(source, tmp_path / "mask.png")
    assert found.out is not None and found.preview == tmp_path / "mask.preview.png"
    mask = cv2.imread(str(found.out), cv2.IMREAD_GRAYSCALE) > 0
    assert mask.shape == (240, 320)
    assert mask[165:215, 245:295].all()  # the tree
    assert mask[4:15, 114:127].all()  # the seconds
    assert mask[4:15, 12:112].mean() > 0.9  # the date beside them
    walker = np.zeros_like(mask)
    walker[32:150, :] = True
    assert mask[walker].mean() < 0.02 and mask.mean() < 0.15
    preview = cv2.imread(str(found.preview))
    assert preview.shape == (240, 320, 3) and preview[190, 270, 2] > preview[190, 270, 0] + 50
    pixelfast.train(source, tmp_path / "model", recipe=QUICK, mask=found.out)


def test_a_calm_picture_proposes_nothing(tmp_path: Path) -> None:
    write_film(tmp_path / "a.mkv", walk(100), codec="ffv1", rate=10)
    found = pixelfast.propose_mask(tmp_path / "a.mkv", tmp_path / "mask.png")
    assert found.out is None and not (tmp_path / "mask.png").exists()
