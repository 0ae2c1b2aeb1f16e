"""A nudged camera is found by its pixels, its frames are put back, and it is said."""

from pathlib import Path

import numpy as np
import pytest

import pixelfast
from frame_files import write_video
from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.methods.density.steady import EVERY, Nudge, Steady
from pixelfast.scores import Scores
from street import street

PICTURE = np.median(street(40, 1), axis=0).astype(np.float32)
FRAMES = street(70, 2)


def shifted(frames: np.ndarray, right: int, down: int, start: int = 0) -> np.ndarray:
    moved = frames.copy()
    moved[start:] = np.roll(frames[start:], (down, right), axis=(1, 2))
    return moved


def steadied(frames: np.ndarray, piece: int = EVERY, usable: np.ndarray | None = None) -> tuple[np.ndarray, Steady]:
    usable = np.ones(len(frames), np.bool_) if usable is None else usable
    steady = Steady(PICTURE)
    cleaned = [Cleaned(frames[at : at + piece], usable[at : at + piece]) for at in range(0, len(frames), piece)]
    return np.concatenate([some.frames for some in steady.run(cleaned)]), steady


@pytest.mark.parametrize(("right", "down"), [(3, 0), (-2, 4), (1, -1), (0, 5)])
@pytest.mark.parametrize("start", [0, 16, 37])
@pytest.mark.parametrize("light", [1.0, 0.6])
def test_a_nudge_is_found_to_the_frame_and_the_pixel(right: int, down: int, start: int, light: float) -> None:
    frames = (shifted(FRAMES, right, down, start) * light).astype(np.uint8)
    placed, steady = steadied(frames)
    assert steady.nudges == [Nudge(start, right, down)]
    inner = slice(5, -5), slice(5, -5)
    wanted = (FRAMES * light).astype(np.uint8)
    np.testing.assert_array_equal(placed[:, *inner], wanted[:, *inner])


def test_a_still_camera_is_left_alone() -> None:
    placed, steady = steadied(FRAMES)
    assert steady.nudges == []
    np.testing.assert_array_equal(placed, FRAMES)


def test_another_scene_is_left_alone() -> None:
    other = np.random.default_rng(0).integers(0, 256, FRAMES.shape, np.uint8)
    placed, steady = steadied(other)
    assert steady.nudges == []
    np.testing.assert_array_equal(placed, other)


@pytest.mark.parametrize("piece", [1, 7, 64])
def test_pieces_do_not_matter(piece: int) -> None:
    frames = shifted(FRAMES, 3, 1, 37)
    placed, steady = steadied(frames, piece)
    assert steady.nudges == [Nudge(37, 3, 1)]
    np.testing.assert_array_equal(placed, steadied(frames)[0])


def test_frames_that_are_not_usable_are_not_asked() -> None:
    frames, usable = shifted(FRAMES, 3, 0, 40), np.ones(70, np.bool_)
    frames[38:42] = 0
    usable[38:42] = False
    assert steadied(frames, usable=usable)[1].nudges == [Nudge(42, 3, 0)]


def test_a_nudge_hardly_changes_the_scores_and_is_said(walked: Path, tmp_path: Path) -> None:
    frames = street(90, 9, "fast")
    write_video(tmp_path / "still" / "01", frames)
    write_video(tmp_path / "nudged" / "01", shifted(frames, 3, 2, 45))
    still, nudged = (pixelfast.score(tmp_path / name, walked / "model") for name in ("still", "nudged"))
    [note] = [note for note in nudged.notes if "nudged" in note]
    assert "frame_0046.png on the picture lies +3 pixels across and +2 down" in note
    assert not any("nudged" in note for note in still.notes)
    assert rank_correlation(still, nudged) > 0.9


def rank_correlation(one: Scores, other: Scores) -> float:
    return float(np.corrcoef(one.rank, other.rank)[0, 1])
