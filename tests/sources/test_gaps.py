"""Where the frames of a folder jump in time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frame_folders import make_frames, names_of
from pixelfast.notes import Notes
from pixelfast.sources import FolderVideo, open_source
from pixelfast.sources.folder import gap_notes, without_gaps
from pixelfast.sources.gaps import gap_starts
from pixelfast.sources.numbering import number_frames

MIDNIGHT = datetime(2026, 11, 1, 23, 59, 50, tzinfo=UTC)


def gaps_of(names: list[str]) -> tuple[int, ...]:
    found = number_frames(names)
    return gap_starts(found.names, found.ids, numbered=found.by_position is None)


def after(numbers: list[int]) -> tuple[int, ...]:
    return gaps_of([f"f_{number:04d}.png" for number in numbers])


def test_a_jump_of_more_than_two_usual_steps_is_a_gap() -> None:
    whole = list(range(1, 51))
    assert after(whole) == after([7]) == after([3, 900]) == ()
    assert after([*whole, *range(120, 140)]) == (50,)
    assert after([*range(0, 500, 5), *range(600, 700, 5)]) == (100,)
    assert after(list(range(0, 500, 5))) == ()
    assert after([one for one in whole if one != 20]) == ()  # one lost frame
    assert after([one for one in whole if one not in (20, 21)]) == (19,)
    assert after([1, 2, 3, 50, 51, 52, 100, 101, 102]) == (3, 6)


def test_numbers_without_a_usual_step_have_no_gaps() -> None:
    steps = np.random.default_rng(0).exponential(100, 300).astype(int) + 1
    assert after(np.cumsum(steps).tolist()) == ()


CLOCKS = ["%Y%m%d_%H%M%S", "cam_%Y-%m-%d_%H-%M-%S", "%Y%m%d%H%M%S", "%Y-%m-%d %H.%M.%S.%f", "a%Y%m%dT%H%M%SZ"]


@pytest.mark.parametrize("form", CLOCKS)
def test_times_that_turn_over_are_no_gaps_and_lost_seconds_are(form: str) -> None:
    seconds = [*range(200), *range(260, 300)]
    names = [f"{MIDNIGHT + timedelta(seconds=second):{form}}.jpg" for second in seconds]
    assert gaps_of(names[:200]) == ()
    assert gaps_of(names) == (200,)


def test_fractions_of_seconds_and_nanoseconds_are_times() -> None:
    ticks = np.array([*range(100), *range(150, 200)])
    jitter = np.random.default_rng(0).integers(-4_000_000, 4_000_000, len(ticks))
    nanoseconds = (1_700_000_000_000_000_000 + ticks * 33_333_333 + jitter).tolist()
    assert gaps_of([f"{time}.jpg" for time in nanoseconds]) == (100,)
    assert gaps_of([f"{time // 10**9}.{time % 10**9:09d}.jpg" for time in nanoseconds]) == (100,)
    assert gaps_of([f"{time / 1000}.jpg" for time in range(0, 4000, 40)]) == ()


@settings(deadline=None)
@given(st.lists(st.integers(4, 20), min_size=2, max_size=6), st.integers(1, 30), st.randoms(use_true_random=False))
def test_gaps_are_found_whatever_the_step(lengths: list[int], step: int, chance: object) -> None:
    numbers, expected, at = list[int](), list[int](), 0
    for length in lengths:
        expected.append(len(numbers))
        numbers += range(at, at + length * step, step)
        at = numbers[-1] + chance.randint(2 * step + 1, 90 * step)  # type: ignore[attr-defined]
    assert after(numbers) == tuple(expected[1:])


def test_stretches_are_videos_and_the_gaps_are_said(tmp_path: Path) -> None:
    make_frames(tmp_path / "01", [f"{number}.png" for number in (1, 2, 3, 50, 51, 52, 100)])
    make_frames(tmp_path / "02", ["1.png", "2.png"])
    videos = open_source(tmp_path)
    stretches = without_gaps(videos)
    assert names_of(stretches) == ["01 from 1.png", "01 from 50.png", "01 from 100.png", "02"]
    assert all(isinstance(one, FolderVideo) and not one.starts for one in stretches)
    assert [chunk.frame_ids.tolist() for one in stretches[:3] for chunk in one.chunks(8, 8)] == [
        [1, 2, 3], [50, 51, 52], [100],
    ]  # fmt: skip
    assert [Path(one.describe(0)).name for one in stretches] == ["1.png", "50.png", "100.png", "1.png"]
    assert len({one.fingerprint() for one in (*videos, *stretches[:3])}) == 5
    assert gap_notes(videos) == [
        "video 01: its frames jump from 3.png to 50.png (the first of 2 gaps), more than twice its usual step: "
        "neither windows nor flow run across, and the frames after it start anew"
    ]
    assert not Notes(gap_notes(stretches))
