"""Pictures of the moments out of their source."""

from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pixelfast.reporting.pictures import Shown, jpeg, png, take_pictures
from pixelfast.scores import Scores
from pixelfast.scores.highlights import choose_moments
from pixelfast.sources import Video, open_source
from report_footage import ForwardVideo, coloured, scores_of, write_footage

NAMES = ["a", "b/c"]
BUMPS = {"a": {20: 9.0}, "b/c": {3: 12.0}}


def opened(address: str) -> NDArray[np.uint8]:
    head, _, data = address.partition(";base64,")
    assert head in ("data:image/jpeg", "data:image/png")
    return np.asarray(Image.open(BytesIO(b64decode(data))))


def same(address: str, expected: NDArray[np.uint8]) -> bool:
    return float(np.abs(opened(address).astype(float) - expected).mean()) < 4


def taken(videos: list[Video], scores: Scores) -> list[Shown]:
    moments, _ = choose_moments(scores, 50)
    told: list[int] = []
    shown = take_pictures(videos, scores, moments, 1, told.append)
    assert told[-1] == len(moments)
    return [shown[moment.number] for moment in moments]


def test_pictures_are_those_of_the_frames(tmp_path: Path) -> None:
    videos = open_source(write_footage(tmp_path / "new", NAMES, 40))
    second, first = taken(videos, scores_of(NAMES, 40, BUMPS))
    assert same(first.large, coloured(0, 20))
    assert same(second.large, coloured(1, 3))
    assert (first.size, second.missing) == ((64, 36), "")
    assert list(first.strip) == [7, 11, 15, 19, 23, 27, 31]
    assert all(same(address, coloured(0, row + 1)) for row, address in first.strip.items())


def test_flipped_frames_are_shown_upright(tmp_path: Path) -> None:
    videos = open_source(write_footage(tmp_path / "new", NAMES, 40, flipped=frozenset({20})))
    scores = scores_of(NAMES, 40, BUMPS, flipped=np.tile(np.arange(1, 41) == 20, 2))
    assert same(taken(videos, scores)[1].large, coloured(0, 20))


def test_only_the_wanted_files_are_opened(tmp_path: Path) -> None:
    source = write_footage(tmp_path / "new", ["a"], 40)
    videos = open_source(source)
    for frame in (1, 2, 3, 18, 39, 40):
        (source / "a" / f"frame_{frame:04d}.jpg").write_bytes(b"broken")
    (shown,) = taken(videos, scores_of(["a"], 40, {"a": {20: 9.0}}))
    assert same(shown.large, coloured(0, 20))


def test_a_video_that_runs_forward_is_read_no_further_than_it_is_shown() -> None:
    video = ForwardVideo("a", 400)
    (shown,) = taken([video], scores_of(["a"], 400, {"a": {20: 9.0}}))
    assert same(shown.large, coloured(0, 20))
    assert video.read == 32  # its last picture is of frame 32, and chunks have 16


def test_what_the_source_lacks_is_said(tmp_path: Path) -> None:
    videos = open_source(write_footage(tmp_path / "new", ["a"], 15))
    second, first = taken(videos, scores_of(NAMES, 40, BUMPS))
    assert (first.large, first.missing) == ("", "The source has no frame 20 of video a to show.")
    assert list(first.strip) == [7, 11]
    assert (second.strip, second.missing) == ({}, "The source has no video b/c.")


@pytest.mark.parametrize("lost", [{20}, set(range(1, 41))])
def test_frames_that_cannot_be_read_are_said(lost: set[int]) -> None:
    (shown,) = taken([ForwardVideo("a", 40, frozenset(lost))], scores_of(["a"], 40, {"a": {20: 9.0}}))
    assert shown.missing == "The source has no frame 20 of video a to show."


def test_a_video_without_a_readable_frame_says_so(tmp_path: Path) -> None:
    source = write_footage(tmp_path / "new", ["a"], 3)
    videos = open_source(source)
    for file in (source / "a").iterdir():
        file.write_bytes(b"")
    (shown,) = taken(videos, scores_of(["a"], 3, {"a": {2: 9.0}}))
    assert "holds no frame that can be read" in shown.missing


def test_large_pictures_shrink_and_small_ones_stay() -> None:
    large = np.zeros((600, 1000, 3), np.uint8)
    assert opened(jpeg(large, 320)).shape == (192, 320, 3)
    assert opened(jpeg(large[:30, :40], 320)).shape == (30, 40, 3)
    assert opened(jpeg(np.zeros((1000, 1, 3), np.uint8), 100)).shape == (100, 1, 3)


def test_a_png_keeps_its_colours_and_opacity() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 4)).astype(np.uint8)
    np.testing.assert_array_equal(opened(png(picture)), picture)
