"""What a run says at its end, and how its bars fit a narrow terminal."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import pixelfast
from footage import walking_square
from made_scores import make_scores
from pixelfast.cli.progress import _bars, _draw
from pixelfast.cli.score import describe_scores
from pixelfast.model import Model
from pixelfast.progress import Progress
from pixelfast.scores.elsewhere import elsewhere_sentence
from tiny_engines import SIZE

MakeSource = Callable[..., Path]


def raws(*above: int) -> dict[str, object]:
    """Scores of videos of 20 frames, of which so many stand above a threshold of 1."""
    raw = np.concatenate([np.arange(20) < count for count in above]).astype(np.float32) * 2
    return {"raw": raw, "threshold": 1.0, "smooth": 1}


def test_one_note_where_most_of_a_video_stands_above_the_threshold() -> None:
    names = [f"cam{number}" for number in range(6)]
    few = make_scores(dict.fromkeys(names[:2], 20), **raws(10, 0))
    assert elsewhere_sentence(few) is None
    some = elsewhere_sentence(make_scores(dict.fromkeys(names[:2], 20), **raws(10, 11)))
    assert some is not None
    assert some.startswith("most of cam1 (11 of 20 frames) stands above the threshold: this may be another scene")
    many = elsewhere_sentence(make_scores(dict.fromkeys(names, 20), **raws(20, 20, 20, 20, 20, 3)))
    assert many is not None
    assert "cam2 (20 of 20 frames) and 2 more stands" in many
    assert elsewhere_sentence(make_scores({"a": 20}, **{**raws(20), "threshold": None})) is None


def test_the_end_of_a_run_says_threshold_events_and_what_was_there() -> None:
    scores = make_scores({"a": 20, "b": 20}, **raws(5, 9), frame=np.tile(np.arange(20), 2), reused=1)
    text = describe_scores(scores, [])
    assert "threshold  raw 1, 2 events above it (the longest: b frames 0 to 8, a frames 0 to 4)" in text
    assert "reused     1 videos, scored before, by their parts" in text
    assert "none: no calibration" in describe_scores(make_scores({"a": 20}), [])


def test_the_list_is_sorted_by_what_it_shows() -> None:
    rng = np.random.default_rng(0)
    score = rng.random(400)
    scores = make_scores({"a": 400}, score=score, rank=(score.argsort().argsort() + 1) / 400, frame=np.arange(400))
    rows = [line.split() for line in describe_scores(scores, []).splitlines()[-5:]]
    for column in (2, 3):
        shown = [float(row[column]) for row in rows]
        assert shown == sorted(shown, reverse=True)


def test_parts_that_were_there_are_counted(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source = make_source(a=walking_square(20, 1, SIZE), b=walking_square(20, 2, SIZE))
    assert pixelfast.score(source / "a", model.folder, parts=tmp_path / "parts").reused == 0
    assert pixelfast.score(source, model.folder, parts=tmp_path / "parts").reused == 1


def test_merge_says_which_part_is_newer_and_where_it_comes_from(
    make_source: MakeSource, model: Model, tmp_path: Path
) -> None:
    sources = [make_source(name, a=walking_square(20, seed, SIZE)) for seed, name in enumerate(("monday", "friday"))]
    for source in sources:
        pixelfast.score(source, model.folder, parts=tmp_path / "parts")
    for age, path in enumerate(sorted((tmp_path / "parts").iterdir())):
        os.utime(path, (1000 - age, 1000 - age))
    first, second = sorted((tmp_path / "parts").iterdir())
    with pytest.raises(pixelfast.ScoresError, match=f"{first.name} is the newer one") as caught:
        pixelfast.merge(tmp_path / "parts")
    for source in sources:
        assert f"comes from {source / 'a'}" in str(caught.value)
    assert second.name in str(caught.value)


@pytest.mark.parametrize("width", [80, 100, 200])
def test_bars_keep_count_and_time(width: int) -> None:
    bars = _bars(Console(width=width, force_terminal=True, color_system=None, file=io.StringIO()))
    _draw(bars, {}, Progress("calibrate", 123_456, 240_000, "epoch 12/100, loss 0.00123, held-out 0.00145"))
    shown = Console(width=width, file=io.StringIO())
    shown.print(bars.get_renderable())
    (line,) = shown.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert "calibrate" in line
    assert "123456/240000 0:00:00 left" in line
    assert len(line) <= width
