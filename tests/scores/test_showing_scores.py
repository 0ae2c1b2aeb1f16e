"""Scores as a person sees them, as tables of other libraries, and by video."""

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pixelfast
from pixelfast.scores import Event, Scores
from pixelfast.scores.plotting import _MOST
from pixelfast.scores.why import Why


def table(lengths: dict[str, int], seed: int = 0, **changes: object) -> Scores:
    """Scores of these videos, smoothed over 3 frames, above 0.6 a few times."""
    rng, rows = np.random.default_rng(seed), sum(lengths.values())
    raw = rng.random(rows).astype(np.float32)
    marks = {name: rng.random(rows) < 0.1 for name in ("flipped", "repaired", "noisy", "frozen")}
    rank = (np.argsort(np.argsort(raw)) + 1) / max(1, rows)
    facts = {"seconds": np.arange(rows) / 25, "tail": 1 - rank, "threshold": 0.6, **changes}
    index = np.repeat(np.arange(len(lengths), dtype=np.int32), list(lengths.values()))
    frame = np.concatenate([np.zeros(0, np.int64), *(np.arange(1, count + 1) for count in lengths.values())])
    return Scores(tuple(lengths), index, frame, raw, raw.astype(np.float64), rank, **marks, **facts)  # type: ignore[arg-type]


def explained(scores: Scores) -> Scores:
    n = len(scores)
    why = Why.of(np.arange(n, dtype=np.int32) % 6, np.zeros(n, np.int8), ["<b>"] * n, (2, 3), ("speed",))
    return replace(scores, why=why)


TWO = table({"01": 40, "cam/2": 30})


class Cells(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


# Shown


def test_a_terminal_gets_a_line_and_a_table() -> None:
    first, header, *rows = str(TWO).splitlines()
    events = len(TWO.events())
    assert first == f"2 videos, 70 frames, reconstruction, {events} events above 0.6; the most unusual:"
    assert header.split() == ["video", "frame", "rank", "score"]
    top = TWO.top(1)[0]
    assert rows[0].split() == [top.video, str(top.frame), "1.0000", f"{top.score:.4f}"]
    assert 1 <= len(rows) <= 8 and len({len(row) for row in rows}) == 1
    assert repr(TWO) == "Scores(2 videos, 70 frames, reconstruction)"


def test_where_and_why_are_shown_where_they_are_known() -> None:
    assert re.search(r"x \d+%, y \d+%  speed: <b>$", str(explained(TWO)), re.MULTILINE)


def test_a_notebook_gets_the_same_escaped() -> None:
    cells = Cells(explained(TWO)._repr_html_())
    assert {*cells.tags} == {"div", "p", "table", "thead", "tbody", "tr", "th", "td"}
    assert "speed: <b>" in cells.texts
    wild = Cells(table({"<script>alert(1)</script>\x1b[2J": 3})._repr_html_())
    assert "script" not in wild.tags
    assert "<script>alert(1)</script>\\x1b[2J" in wild.texts
    assert "\x1b" not in str(table({"\x1b[2J": 3}))


def test_scores_without_frames_or_threshold_are_shown(caplog: pytest.LogCaptureFixture) -> None:
    assert str(table({})).splitlines()[1] == "video  frame  rank  score"
    assert "0 videos" in table({})._repr_html_()
    lone = replace(TWO, threshold=None, notes=[])
    assert "no threshold" in str(lone)
    assert (lone.notes, caplog.messages) == ([], [])  # looking says nothing aloud


# Converted


def test_polars_has_every_column() -> None:
    frame, arrow = explained(TWO).to_polars(), explained(TWO).to_arrow()
    assert frame.columns == arrow.column_names
    for name in arrow.column_names:
        assert frame[name].to_list() == arrow[name].to_pylist(), name
    assert frame.filter(frame["video"] == "01").height == 40


def test_pandas_has_every_column() -> None:
    frame = TWO.to_pandas()
    assert list(frame.columns) == TWO.to_arrow().column_names
    assert frame["raw"].to_numpy().tolist() == TWO.raw.tolist()


@pytest.mark.parametrize(
    ("library", "method", "said"),
    [
        ("pandas", "to_pandas", "a pandas table needs pandas: pip install pandas"),
        ("polars", "to_polars", "a polars table needs polars: pip install polars"),
        ("plotly.graph_objects", "plot", r"a plot needs Plotly: pip install 'pixelfast\[report\]'"),
    ],
)
def test_a_missing_library_is_a_sentence(library: str, method: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    if library == "pandas":  # which Arrow looks for by itself, once a process
        monkeypatch.setattr(Scores, "to_arrow", lambda _: __import__("pandas"))
    with pytest.raises(pixelfast.ScoresError, match=said):
        getattr(TWO, method)()


# Plotted


def test_a_plot_shows_scores_threshold_and_events() -> None:
    figure = explained(TWO).plot()
    line, events = figure.data
    assert list(line.y) == TWO.smoothed_raw().tolist()
    assert line.text[40] == "video cam/2, frame 1"
    assert figure.layout.shapes[0].y0 == TWO.threshold
    found = TWO.events()
    assert list(events.y) == [event.peak_value for event in found]
    assert [line.y[x] for x in events.x] == list(events.y)
    assert events.text[0] == f"video 01, frames {found[0].start} to {found[0].end}<br><b>"
    assert tuple(figure.layout.xaxis.ticktext) == ("01", "cam/2")
    assert len(replace(TWO, threshold=None).plot().data) == 1
    assert len(table({}).plot().data) == 2


def test_of_many_frames_no_peak_is_lost() -> None:
    many = table({"a": 3 * _MOST + 7}, smooth=1)
    line = many.plot().data[0]
    assert len(line.x) <= _MOST
    assert max(line.y) == many.raw.max()
    assert [many.raw[row] for row in line.x] == list(line.y)
    assert list(line.x) == sorted(line.x)


# By video


def test_one_video_has_its_own_rows_and_the_same_ranks() -> None:
    scores, part = explained(TWO), explained(TWO)["cam/2"]
    assert (part.videos, len(part), part.threshold, part.smooth) == (("cam/2",), 30, 0.6, 3)
    for name in ("frame", "raw", "score", "rank", "flipped", "repaired", "noisy", "frozen", "seconds", "tail"):
        assert getattr(part, name).tolist() == getattr(scores, name)[40:].tolist(), name
    assert part.why is not None and scores.why is not None
    assert part.why.at(3) == scores.why.at(43)
    assert part.events() == [event for event in scores.events() if event.video == "cam/2"]
    assert part.notes is not scores.notes


@given(st.permutations(["a", "b", "c", "d"]), st.integers(0, 4))
def test_several_come_in_the_order_that_was_asked_for(names: list[str], count: int) -> None:
    scores = table({"a": 3, "b": 1, "c": 5, "d": 2}, tail=None, seconds=None)
    picked, frame = scores[names[:count]], scores.to_pandas()
    assert picked.videos == tuple(names[:count])
    rows = [row for name in picked.videos for row in frame[frame["video"] == name].itertuples(index=False)]
    assert [tuple(row) for row in picked.to_pandas().itertuples(index=False)] == [tuple(row) for row in rows]
    assert (picked.tail, picked.seconds) == (None, None)


def test_video_by_video_is_all_there_is() -> None:
    videos = list(TWO.by_video())
    assert [video.videos for video in videos] == [("01",), ("cam/2",)]
    assert TWO[[*TWO.videos]].to_arrow().equals(TWO.to_arrow(), check_metadata=True)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("1", "there is no video 1: did you mean 01"),
        ("camera/2", "there is no video camera/2: did you mean cam/2?"),
        ("zzz", "there is no video zzz: did you mean 01 or cam/2?"),
        (["01", "3"], "there is no video 3: "),
    ],
)
def test_an_unknown_video_is_a_sentence_with_near_names(asked: object, said: str) -> None:
    with pytest.raises(pixelfast.UnknownVideoError, match=re.escape(said)) as caught:
        TWO[asked]  # type: ignore[index]
    assert isinstance(caught.value, KeyError) and str(caught.value).startswith("there is no")


def test_what_is_no_name_is_refused() -> None:
    for wrong in (0, slice(3), [0], None):
        with pytest.raises(pixelfast.ArgumentError, match="by the name of a video, or by a list of names"):
            TWO[wrong]  # type: ignore[index]
    with pytest.raises(pixelfast.ScoresError, match="each once"):
        TWO[["01", "01"]]
    with pytest.raises(TypeError, match="not iterable"):
        iter(TWO)  # type: ignore[call-overload]


def test_the_rows_of_events_are_those_above_the_threshold() -> None:
    above = np.zeros(len(TWO), bool)
    for event in TWO.events():
        rows = TWO.rows_of(event)
        assert TWO.frame[rows].tolist() == list(range(event.start, event.end + 1))
        above[rows] = True
    assert above.tolist() == (TWO.smoothed_raw() > 0.6).tolist()
    with pytest.raises(pixelfast.ScoresError, match="video 01 has no frame 99: the event is one of other scores"):
        TWO.rows_of(Event("01", 1, 99, 1, 1.0))
    with pytest.raises(pixelfast.UnknownVideoError):
        TWO.rows_of(Event("03", 1, 2, 1, 1.0))
