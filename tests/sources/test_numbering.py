"""Frame numbers rise with time, whatever cameras and people call their files."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frame_folders import make_frames
from pixelfast.sources import FolderVideo, open_source
from pixelfast.sources.numbering import FRAMES_A_STRAY, number_frames

START = datetime(2026, 11, 1, 11, 59, 50, tzinfo=UTC)


def clock(form: str, count: int = 40, step: float = 1.0) -> list[str]:
    return [f"{START + timedelta(seconds=step * index):{form}}.jpg" for index in range(count)]


def series(form: str, count: int = 20, first: int = 1) -> list[str]:
    return [form.format(number) for number in range(first, first + count)]


BY_POSITION = {
    "clock": clock("cam_%H-%M-%S"),
    "clock and date": clock("%Y%m%d_%H%M%S", step=3600),
    "clock with milliseconds": clock("%H-%M-%S.%f", 60, 0.04),
    "epoch seconds": [f"{1700000000 + index / 25:.6f}.jpg" for index in range(60)],
    "epoch seconds as Python writes them": [f"cam {1700000000 + index / 20}.png" for index in range(60)],
    "seconds as Python writes them": [f"{index * 40 / 1000}.jpg" for index in range(60)],
    "a prefix that changes": series("a_{:04d}.jpg") + series("b_{:04d}.jpg"),
    "no numbers": series("frame_{}_left.jpg"),
    "too large": [f"{10**20 + number}.jpg" for number in range(20)],
}


@pytest.mark.parametrize("names", BY_POSITION.values(), ids=BY_POSITION)
def test_numbers_that_do_not_rise_are_not_used(names: list[str]) -> None:
    found = number_frames(random.Random(0).sample(names, len(names)))
    assert found.names == names
    assert found.ids.tolist() == list(range(len(names)))
    assert found.by_position is not None
    assert not found.strays


BY_NUMBER = {
    "nanoseconds": ([f"{1700000000000000000 + 33333333 * n}.jpg" for n in range(30)], 1700000000000000000),
    "as Windows numbers names": (series("frame ({}).jpg"), 1),
    "a prefix that changes while numbers rise": (series("a_{}.jpg") + series("b_{}.jpg", first=21), 1),
    "a clock as one number": (clock("%Y%m%d%H%M%S"), 20261101115950),
    "a version before it": (series("v1.{}.png", 30), 1),
}


@pytest.mark.parametrize(("names", "first"), BY_NUMBER.values(), ids=BY_NUMBER)
def test_numbers_that_rise_are_used(names: list[str], first: int) -> None:
    found = number_frames(random.Random(0).sample(names, len(names)))
    assert (found.names, found.by_position, found.ids[0]) == (names, None, first)
    assert (np.diff(found.ids) > 0).all()


@pytest.mark.parametrize(
    "strays",
    [["background.jpg"], ["1_mask.png"], ["mask_1.png"], ["0003 (1).jpg"], ["a.jpg", "b.png", "thumb_7.jpg"]],
    ids=str,
)
def test_a_few_strays_are_left_out(strays: list[str]) -> None:
    names = series("{:04d}.jpg")
    found = number_frames([*strays, *names])
    assert (found.names, found.ids.tolist()) == (names, list(range(1, 21)))
    assert (found.strays, found.by_position) == (strays, None)


@pytest.mark.parametrize("strays", [series("{}_mask.jpg"), series("b_{}.jpg", 3), ["x.jpg"] * 5], ids=len)
def test_many_pictures_of_another_series_are_no_strays(strays: list[str]) -> None:
    names = {*strays, *series("{}.jpg", 20 if len(strays) != 5 else FRAMES_A_STRAY - 1)}
    found = number_frames(list(names))
    assert (len(found.names), found.strays) == (len(names), [])
    assert found.by_position is not None


WORDS = st.sampled_from(["", "a", "cam_", "12-", "1.", "b (", "é"])
NAMES = st.builds("{}{}{}.jpg".format, WORDS, st.integers(0, 2000), st.sampled_from(["", ")", "_x", ".5"]))


@given(st.lists(NAMES, min_size=1, max_size=30, unique=True), st.randoms(use_true_random=False))
def test_frames_are_never_lost_and_their_numbers_always_rise(names: list[str], chance: random.Random) -> None:
    found = number_frames(names)
    assert sorted([*found.names, *found.strays]) == sorted(names)
    assert len(found.strays) * FRAMES_A_STRAY <= len(found.names) == len(found.ids)
    assert (np.diff(found.ids) > 0).all()
    again = number_frames(chance.sample(names, len(names)))
    assert (again.names, again.strays) == (found.names, found.strays)


def test_what_was_left_out_and_why_is_said_once(tmp_path: Path) -> None:
    make_frames(tmp_path / "01", ["12-00-58.jpg", "12-00-59.jpg", "12-01-00.jpg"])
    make_frames(tmp_path / "02", [*series("{}.jpg", 6), "mean.jpg"])
    make_frames(tmp_path / "03", ["a1.jpg", "b1.jpg"])
    notes: list[str] = []
    videos = open_source(tmp_path, notes)
    assert [video.frame_ids.tolist() for video in videos if isinstance(video, FolderVideo)] == [
        [0, 1, 2], [1, 2, 3, 4, 5, 6], [0, 1],
    ]  # fmt: skip
    assert notes == [
        f"pictures that are not of the series of frames around them were left out: {tmp_path}/02/mean.jpg",
        "frames are numbered by their position from 0 where their names hold no numbers that rise (12-01-00.jpg comes "
        f"after 12-00-59.jpg by name, but its number is not above), in: {tmp_path}/01, {tmp_path}/03",
    ]
