"""Which moments are shown, and what is said of them."""

from dataclasses import replace

import numpy as np
import pytest

from pixelfast.reporting import words
from pixelfast.reporting.moments import filmstrip
from pixelfast.scores.highlights import choose_moments, row_of
from pixelfast.scores.moments import top_moments
from pixelfast.scores.selecting import step_of
from pixelfast.scores.words import place
from report_footage import scores_of

BUMPS = {"a": {3: 9.0, 4: 12.0, 5: 8.0, 30: 7.0}, "b/c": {10: 20.0}}


def test_moments_are_the_events_the_highest_first() -> None:
    scores = scores_of(["a", "b/c"], 40, BUMPS)
    moments, total = choose_moments(scores, 50)
    assert total == len(scores.events()) == 3
    assert [one.number for one in moments] == [1, 2, 3]
    got = [(one.video, *scores.frame[[one.start, one.stop - 1, one.peak]].tolist(), one.value) for one in moments]
    expected = sorted(scores.events(), key=lambda event: -event.peak_value)
    assert got == [(one.video, one.start, one.end, one.peak_frame, one.peak_value) for one in expected]


def test_at_most_so_many_are_listed() -> None:
    moments, total = choose_moments(scores_of(["a", "b/c"], 40, BUMPS), 2)
    assert ([one.value for one in moments], total) == ([20.0, 12.0], 3)


@pytest.mark.parametrize("threshold", [None, 100.0])
def test_without_events_the_most_unusual_frames_are_shown(threshold: float | None) -> None:
    scores = scores_of(["a", "b/c"], 40, BUMPS, threshold=threshold)
    moments, total = choose_moments(scores, 50)
    tops = top_moments(scores)
    assert [(one.video, int(scores.frame[one.peak])) for one in moments] == [(top.video, top.frame) for top in tops]
    assert (total, any(one.event for one in moments)) == (len(tops), False)
    assert scores.notes == []  # that there are no events is said by the page


def test_no_frames_no_moments() -> None:
    assert choose_moments(scores_of([], 0, {}), 50) == ([], 0)


def test_rows_are_found_where_frame_numbers_fall() -> None:
    scores = scores_of(["a", "b"], 4, {}, frame=np.array([4, 3, 2, 1, 9, 5, 7, 6]))
    assert [row_of(scores, "b", frame) for frame in (9, 5, 7, 6)] == [4, 5, 6, 7]


def test_a_filmstrip_stays_in_its_video_and_holds_the_peak() -> None:
    scores = scores_of(["a", "b/c"], 40, BUMPS)
    for moment in choose_moments(scores, 50)[0]:
        rows = filmstrip(scores, moment)
        assert rows == sorted(set(rows))
        assert moment.peak in rows
        assert {scores.videos[scores.video_index[row]] for row in rows} == {moment.video}


def test_how_rare() -> None:
    assert words.how_rare(0.002, 1.0) == "normal footage comes this high once in 500 frames"
    assert words.how_rare(1e-5, 1.0, step=0.04) == "normal footage comes this high once in 100,000 frames (67 min)"
    assert words.how_rare(0.0, 1.0) == "no normal frame held out came this high"
    assert words.how_rare(0.0, 1.0, 1050) == "no normal frame of the 1,050 held out came this high"
    assert words.how_rare(0.9, 1.0) == "normal footage often comes this high"
    assert words.how_rare(None, 0.9999) == "higher than 99.9% of the frames scored"


def test_times_are_said_where_they_are_known() -> None:
    scores = scores_of(["a"], 40, {"a": {10: 9.0, 11: 9.5}}, seconds=3600 + np.arange(40) / 10)
    (moment,), _ = choose_moments(scores, 50)
    assert (words.when(scores, moment.peak), words.how_long(scores, moment)) == ("1:00:01", "0.2 s (2 frames)")
    unknown = replace(scores, seconds=np.full(40, np.nan))
    assert (words.when(unknown, moment.peak), words.how_long(unknown, moment)) == ("frame 11", "2 frames")
    assert (step_of(scores, slice(0, 40)), step_of(unknown, slice(0, 40))) == (pytest.approx(0.1), None)


def test_marks_are_counted_in_words() -> None:
    flipped = np.arange(40) % 2 == 0
    scores = scores_of(["a"], 40, {"a": dict.fromkeys(range(1, 11), 9.0)}, flipped=flipped)
    (moment,), _ = choose_moments(scores, 50)
    assert words.marks(scores, moment) == ["flipped: 5 of 10 frames (upside down in the footage, upright here)"]


def test_places_in_words() -> None:
    shares = (0.1, 0.5, 0.9)
    said = [place(across, down) for down in shares for across in shares]
    assert said == ["top left", "top centre", "top right", "left", "centre", "right", "bottom left", "bottom centre",
                    "bottom right"]  # fmt: skip
    assert place(1.0, 1.0) == "bottom right"


def test_reasons_begin_with_a_capital_and_there_is_always_one() -> None:
    scores = scores_of(["a"], 4, {})
    assert words.reason(scores, 0) == "Moves as nothing does here"
    assert words.reason(replace(scores, why=None), 0) == "Unlike the normal footage (density)"
