"""Error maps of the parts, laid over pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelfast.cleaning.stage import FrameRecord
from pixelfast.options import Reading
from pixelfast.pipeline.parts import Job, Part, write_part
from pixelfast.reporting.where import heat, read_kept, worst
from pixelfast.scores import Scores
from pixelfast.scores.highlights import choose_moments
from report_footage import scores_of

NAMES = ["a", "b/c"]
BUMPS = {"a": {20: 9.0}, "b/c": {3: 12.0}}


@pytest.fixture
def scores() -> Scores:
    return scores_of(NAMES, 40, BUMPS)


def maps_of(video: int) -> np.ndarray:
    return np.random.default_rng(video).random((40, 3, 4)).astype(np.float16)


def keep(folder: Path, scores: Scores, video: int, name: str, **changes: Any) -> None:
    """Writes the part of a video, as a run would have."""
    raw = scores.raw[40 * video : 40 * video + 40].copy()
    none = np.zeros(40, np.bool_)
    job = Job("density.safetensors", {"method": "density", "depth": 12}, 1, {"frames": 1050}, 2)
    record = FrameRecord(np.arange(1, 41), none, none, none, None, none)
    own = {"video": NAMES[video], "footage": "", "raw": raw, "record": record, "maps": maps_of(video), "job": job}
    folder.mkdir(exist_ok=True)
    write_part(folder / f"{name}.arrow", Part(**{**own, **changes}))


def test_maps_are_those_of_the_peaks(tmp_path: Path, scores: Scores) -> None:
    keep(tmp_path / "p", scores, 0, "a")
    keep(tmp_path / "p", scores, 1, "c")
    kept = read_kept(tmp_path / "p", scores, choose_moments(scores, 9)[0])
    np.testing.assert_array_equal(kept.maps[1], maps_of(1)[2].astype(np.float32))
    np.testing.assert_array_equal(kept.maps[2], maps_of(0)[19].astype(np.float32))
    assert (kept.reading, kept.held_out, kept.notes) == (Reading(depth=12), 1050, ())


def test_parts_of_other_scores_are_left(tmp_path: Path, scores: Scores) -> None:
    keep(tmp_path / "p", scores, 0, "a", raw=scores.raw[:40] * 2)
    kept = read_kept(tmp_path / "p", scores, choose_moments(scores, 9)[0])
    assert (kept.maps, kept.held_out) == ({}, None)
    assert kept.notes == (f"{tmp_path / 'p'} holds no parts of these scores",)


def test_what_is_missing_or_damaged_is_said(tmp_path: Path, scores: Scores) -> None:
    moments = choose_moments(scores, 9)[0]
    assert read_kept(tmp_path / "p", scores, moments).notes == (f"{tmp_path / 'p'} does not exist",)
    assert read_kept(None, scores, moments).notes == ()
    keep(tmp_path / "p", scores, 0, "a", maps=None)
    (tmp_path / "p" / "bad.arrow").write_bytes(b"no part")
    damaged, without = read_kept(tmp_path / "p", scores, moments).notes
    assert "bad.arrow is damaged" in damaged
    assert without == "2 of 2 moments have no error map: score with --maps to keep them"


def test_heat_is_clear_where_nothing_is_and_strongest_at_the_worst_cell() -> None:
    errors = np.random.default_rng(0).random((6, 9)).astype(np.float32)
    picture = heat(errors)
    assert (picture.shape, picture.dtype) == ((6, 9, 4), np.uint8)
    row, column = np.unravel_index(errors.argmax(), errors.shape)
    assert picture[row, column, 3] == picture[..., 3].max() > 100
    assert not picture[errors <= np.median(errors), 3].any()
    assert worst(errors) == ((column + 0.5) / 9, (row + 0.5) / 6)


def test_heat_of_equal_errors_is_clear() -> None:
    assert not heat(np.ones((3, 3), np.float32))[..., 3].any()
