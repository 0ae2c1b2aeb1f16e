"""Scores: SciPy and plain loops say what the answers should be."""

import logging
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter1d

from made_scores import any_scores, equal, make_scores
from pixelfast.errors import ScoresError
from pixelfast.scores import Event, Scores

# Questions


def brute_events(scores: Scores, threshold: float) -> list[Event]:
    """Events by SciPy's mean and a loop over frames."""
    events: list[Event] = []
    for at, name in enumerate(scores.videos):
        rows = np.flatnonzero(scores.video_index == at)
        smoothed = uniform_filter1d(scores.raw[rows].astype(np.float64), scores.smooth, mode="reflect")
        run: list[int] = []
        for position in range(len(rows) + 1):
            if position < len(rows) and smoothed[position] > threshold:
                run.append(position)
            elif run:
                peak = max(run, key=lambda position: (smoothed[position], -position))
                frames = [int(scores.frame[rows[position]]) for position in (run[0], run[-1], peak)]
                events.append(Event(name, *frames, float(smoothed[peak])))
                run = []
    return events


@given(any_scores(), st.floats(0, 1))
def test_events_are_runs_above_the_threshold_within_a_video(scores: Scores, share: float) -> None:
    # Between two possible means, so that the last bit of a mean never decides.
    threshold = float(np.quantile(scores.raw, share)) + 1e-4 if len(scores) else 0.0
    found, expected = scores.events(threshold), brute_events(scores, threshold)
    assert [event[:3] for event in found] == [event[:3] for event in expected]
    assert np.allclose([event.peak_value for event in found], [event.peak_value for event in expected])
    scores.threshold = threshold
    assert scores.events() == found


def test_an_event_ends_with_its_video() -> None:
    raw = np.array([0, 9, 9, 9, 0, 0, 9, 0, 9], dtype=np.float32)
    scores = make_scores(
        {"a": 3, "b": 6}, raw=raw, frame=np.array([5, 6, 9, 1, 2, 3, 4, 5, 6]), smooth=1, threshold=4.0
    )
    assert scores.events() == [
        Event("a", 6, 9, 6, 9.0), Event("b", 1, 1, 1, 9.0), Event("b", 4, 4, 4, 9.0), Event("b", 6, 6, 6, 9.0)
    ]  # fmt: skip
    assert scores.events(9.0) == []


def test_without_a_calibration_there_are_no_events_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    scores = make_scores({"a": 30})
    with caplog.at_level(logging.WARNING, logger="pixelfast"):
        assert scores.events() == []
        assert scores.events() == []
    assert len(scores.notes) == 1
    assert scores.notes[0].startswith("no events: these scores have no threshold")
    assert set(caplog.messages) == set(scores.notes)
    assert scores.events(0.0) != []


@given(any_scores(), st.integers(1, 80))
def test_top_is_the_highest_ranks_in_order(scores: Scores, n: int) -> None:
    order = sorted(range(len(scores)), key=lambda row: (-scores.rank[row], row))[:n]
    expected = [(scores.videos[scores.video_index[row]], scores.frame[row], scores.rank[row]) for row in order]
    assert [(row.video, row.frame, row.rank) for row in scores.top(n)] == expected


def test_summary_and_repr_are_for_reading() -> None:
    rank = np.arange(1, 1501) / 1500
    marks = np.arange(1500) < 3
    scores = make_scores(
        {"01": 1000, "02": 500}, rank=rank, flipped=marks, repaired=~marks, noisy=marks & ~marks, notes=["a b"]
    )
    last = scores.frame[-1]
    assert repr(scores) == "Scores(2 videos, 1,500 frames, reconstruction)"
    assert len(scores) == 1500
    assert scores.lengths.tolist() == [1000, 500]
    assert scores.summary().splitlines() == [
        "2 videos, 1,500 frames, method reconstruction, no threshold (no calibration)",
        f"most unusual: 02 frame {last}, 02 frame {scores.frame[-2]}, 02 frame {scores.frame[-3]}",
        "frames 3 flipped, 1,497 repaired, 0 noisy",
        "note: a b",
    ]


# What is refused


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"raw": np.zeros(5)}, "raw must be float32 [5], not float64 [5]"),
        ({"score": np.zeros(4)}, "score must be float64 [5], not float64 [4]"),
        ({"rank": np.ones((5, 1))}, "rank must be float64 [5], not float64 [5, 1]"),
        ({"flipped": [False] * 5}, "flipped must be an array, bool [5], not list"),
        ({"noisy": None}, "noisy must be an array, bool [5], not NoneType"),
        ({"frame": np.arange(6)}, "video_index must be int32 [6], not int32 [5]"),
        ({"tail": np.zeros(5, dtype=np.float32)}, "tail must be float64 [5], not float32 [5]"),
        ({"score": np.array([0, 0, np.inf, 0, 0])}, "score of video a, frame 2, is inf, not a number"),
        ({"tail": np.array([0, 0, 0, 0, np.nan])}, "tail of video b, frame 4, is nan, not a number"),
        ({"tail": np.full(5, -0.1)}, "tail must lie in [0, 1]"),
        ({"rank": np.zeros(5)}, "rank must lie in (0, 1]"),
        ({"rank": np.full(5, 1.1)}, "rank must lie in (0, 1]"),
        ({"seconds": np.full(5, np.inf)}, "seconds must be finite, or NaN"),
        ({"video_index": np.array([0, 0, 0, 1, 2], dtype=np.int32)}, "video_index must lie between 0 and 1"),
        ({"video_index": np.array([-1, 0, 0, 1, 1], dtype=np.int32)}, "video_index must lie between 0 and 1"),
        ({"video_index": np.array([0, 1, 0, 1, 1], dtype=np.int32)}, "rows must lie video by video"),
        ({"videos": ("a", "a")}, "videos must be names, each once"),
        ({"videos": ("a", "")}, "videos must be names, each once"),
        ({"videos": ("a", "\udce9")}, "videos must be names, each once"),
        ({"frame": np.array([0, 7, 2, 3, 3])}, "frame 3 of video b is there twice"),
        ({"frame": np.array([7, 0, 7, 3, 4])}, "frame 7 of video a is there twice"),
        ({"method": ""}, "method must be a name"),
        ({"smooth": 2}, "smooth must be an odd number of frames, not 2"),
        ({"threshold": math.nan}, "threshold must be a finite number or None"),
        ({"notes": "a note"}, "notes must be a list of sentences"),
        ({"phases": {"decode": "1 s"}}, "phases must be seconds by name"),
    ],
)
def test_columns_that_are_not_what_they_should_be_get_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    base = {"frame": np.array([0, 1, 2, 3, 4])}
    with pytest.raises(ScoresError, match=re.escape(sentence)):
        make_scores({"a": 3, "b": 2}, **(base | changes))


def test_frames_may_come_in_any_order_within_a_video() -> None:
    assert len(make_scores({"a": 3, "b": 2}, frame=np.array([7, 0, 5, 5, 0]))) == 5


@pytest.mark.parametrize("n", [0, -1])
def test_top_of_none_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="n must be at least 1"):
        make_scores({"a": 3}).top(n)


def test_a_threshold_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold must be a finite number, not nan"):
        make_scores({"a": 3}).events(math.nan)


def test_no_frames_at_all_is_a_table_too(tmp_path: Path) -> None:
    scores = make_scores({"a": 0}, threshold=1.0)
    assert scores.events() == scores.top() == []
    assert scores.summary().startswith("1 videos, 0 frames")
    assert equal(Scores.read(scores.write(tmp_path / "scores.parquet")), scores)
    assert scores.write(tmp_path / "scores.csv").read_text() == "Id,Predicted\n"
