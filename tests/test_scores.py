"""Scores: pandas reads what is written; SciPy and plain loops say what the answers should be."""

import logging
import math
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter1d
from scipy.stats import rankdata

from disk import file_size_limit, locked_folder
from pixelfast.errors import OutputError, ScoresError
from pixelfast.scores import Event, Scores

COLUMNS = ("video_index", "frame", "raw", "score", "rank", "flipped", "repaired", "noisy", "tail", "seconds")
FACTS = ("videos", "method", "smooth", "threshold", "notes", "phases")


def make_scores(lengths: dict[str, int], seed: int = 0, **changes: Any) -> Scores:
    """Scores of random frames: frame numbers with gaps, raw values with ties."""
    rng = np.random.default_rng(seed)
    total = sum(lengths.values())
    raw = rng.integers(0, max(total, 1), total).astype(np.float32) / 7
    frames = [np.sort(rng.choice(3 * length, length, replace=False)) for length in lengths.values()]
    columns = {
        "videos": tuple(lengths),
        "video_index": np.repeat(np.arange(len(lengths), dtype=np.int32), list(lengths.values())),
        "frame": np.concatenate([*frames, np.empty(0)]).astype(np.int64),
        "raw": raw,
        "score": rng.random(total),
        "rank": rankdata(raw) / max(total, 1),
        "flipped": rng.random(total) < 0.1,
        "repaired": rng.random(total) < 0.1,
        "noisy": rng.random(total) < 0.1,
    }
    return Scores(**{**columns, **changes})


def equal(one: Scores, other: Scores) -> bool:
    for name in COLUMNS:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine is None or theirs is None:
            if mine is not theirs:
                return False
        elif mine.dtype != theirs.dtype or not np.array_equal(mine, theirs, equal_nan=name == "seconds"):
            return False
    return all(getattr(one, name) == getattr(other, name) for name in FACTS)


VIDEO_NAME = st.one_of(
    st.integers(0, 30).map(str),
    st.integers(0, 30).map("{:03d}".format),
    st.integers(0, 30).map("cam_{}".format),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
    st.sampled_from(["a,b", 'say "hi"', "two\nlines", "cr\rlf", " spaced ", "_", "", "NA", "=1+1"]).filter(bool),
)


def plain_name(name: str) -> str:
    return str(int(name)) if name.isascii() and name.isdigit() else name


@st.composite
def any_scores(draw: st.DrawFn) -> Scores:
    names = draw(
        st.lists(
            VIDEO_NAME, min_size=1, max_size=6, unique_by=lambda name: name.lstrip("0") if name.isdigit() else name
        )
    )
    lengths = {name: draw(st.integers(0, 12)) for name in names}
    total = sum(lengths.values())
    finite = st.floats(allow_nan=False, allow_infinity=False)
    share = st.floats(0, 1, exclude_min=True)
    shuffle = np.random.default_rng(draw(st.integers(0, 99)))
    frames = [shuffle.choice(40, length, replace=False) for length in lengths.values()]
    return make_scores(
        lengths,
        frame=np.concatenate(frames).astype(np.int64),
        score=np.array(draw(st.lists(finite, min_size=total, max_size=total)), dtype=np.float64),
        rank=np.array(draw(st.lists(share, min_size=total, max_size=total)), dtype=np.float64),
        tail=draw(st.sampled_from([None, np.linspace(0, 1, total)])),
        seconds=draw(st.sampled_from([None, np.where(np.arange(total) % 2, np.nan, np.arange(total) / 25)])),
        method=draw(st.sampled_from(["reconstruction", "motion"])),
        smooth=draw(st.sampled_from([1, 3, 7])),
        threshold=draw(st.one_of(st.none(), finite)),
        notes=draw(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=2)),
        phases=draw(st.dictionaries(st.sampled_from(["decode", "engine"]), st.floats(0, 1e6))),
    )


# CSV


def chunks_of(name: str) -> list[tuple[int, Any]]:
    """The natural order again, letter by letter: text before numbers is compared as text, numbers as numbers."""
    parts: list[Any] = [""]
    for letter in name.casefold():
        is_digit = letter in "0123456789"
        if is_digit != (len(parts) % 2 == 0):
            parts.append("")
        parts[-1] += letter
    if len(parts) % 2 == 0:
        parts.append("")
    return [int(part) if at % 2 else part for at, part in enumerate(parts)]


def expected_rows(scores: Scores) -> list[tuple[str, float]]:
    """`Id` and `Predicted` row by row."""
    values = scores.score if scores.method == "motion" else scores.rank
    rows = []
    for at in range(len(scores)):
        video = scores.videos[scores.video_index[at]]
        name = f"{plain_name(video)}_{scores.frame[at]}"
        rows.append((chunks_of(video), video, int(scores.frame[at]), name, float(values[at])))
    return [row[3:] for row in sorted(rows, key=lambda row: row[:3])]


def read_csv(path: Path) -> list[tuple[str, float]]:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert list(table.columns) == ["Id", "Predicted"]
    return [(name, float(value)) for name, value in zip(table["Id"], table["Predicted"], strict=True)]


@settings(max_examples=200)
@given(any_scores())
def test_csv_reads_back_exactly_sorted_and_unpadded(tmp_path_factory: pytest.TempPathFactory, scores: Scores) -> None:
    path = scores.write(tmp_path_factory.mktemp("csv") / "scores.csv")
    assert read_csv(path) == expected_rows(scores)


def test_csv_as_a_person_sees_it(tmp_path: Path) -> None:
    scores = Scores(
        videos=("010", "9", "walk, fast"),
        video_index=np.array([0, 0, 1, 2, 2], dtype=np.int32),
        frame=np.array([7, 100, 3, 10, 9]),
        raw=np.zeros(5, dtype=np.float32),
        score=np.zeros(5),
        rank=np.array([0.2, 1.0, 1 / 3, 1e-7, 0.8]),
        flipped=np.zeros(5, dtype=bool),
        repaired=np.zeros(5, dtype=bool),
        noisy=np.zeros(5, dtype=bool),
    )
    text = scores.write(tmp_path / "scores.CSV").read_bytes().decode()
    assert text == (
        'Id,Predicted\n9_3,0.3333333333333333\n10_7,0.2\n10_100,1\n"walk, fast_9",0.8\n"walk, fast_10",1e-7\n'
    )


def test_names_that_collide_without_zeros_are_an_error_that_names_both(tmp_path: Path) -> None:
    scores = make_scores({"1": 2, "7": 1, "01": 2})
    with pytest.raises(
        ScoresError, match=r"videos 1 and 01 are both 1 in the CSV's Id: rename one, or write \.parquet"
    ):
        scores.write(tmp_path / "scores.csv")
    assert list(tmp_path.iterdir()) == []
    assert equal(Scores.read(scores.write(tmp_path / "scores.parquet")), scores)


def test_close_ranks_stay_distinct(tmp_path: Path) -> None:
    rank = 1 - np.arange(1000)[::-1] * 2.0**-53
    scores = make_scores({"1": 1000}, rank=rank)
    values = [value for _, value in read_csv(scores.write(tmp_path / "scores.csv"))]
    assert np.array_equal(values, rank)
    assert len(set(values)) == 1000


def test_millions_of_rows_are_written_in_seconds_by_more_than_one_block(tmp_path: Path) -> None:
    scores = make_scores({f"{number:03d}": 20_000 for number in range(60)})
    start = time.process_time()
    path = scores.write(tmp_path / "scores.csv")
    seconds = time.process_time() - start
    table = pd.read_csv(path, dtype=str)
    assert np.array_equal(table["Predicted"].to_numpy().astype(np.float64), scores.rank)
    ids = [f"{video}_{frame}" for video, frame in zip(scores.video_index, scores.frame, strict=True)]
    assert table["Id"].tolist() == ids
    assert seconds < 4  # 0.7 s where it was written


# Parquet, Arrow, pandas


@settings(max_examples=100)
@given(any_scores())
def test_parquet_reads_back_exactly(tmp_path_factory: pytest.TempPathFactory, scores: Scores) -> None:
    folder = tmp_path_factory.mktemp("fold=1")  # a name that Arrow would take for a partition
    assert equal(Scores.read(scores.write(folder / "scores.parquet")), scores)


def test_other_readers_see_all_columns(tmp_path: Path) -> None:
    scores = make_scores({"01": 5, "b": 3}, tail=np.linspace(0, 1, 8), seconds=np.array([np.nan, *range(7)]))
    path = scores.write(tmp_path / "scores.parquet")
    for table in (pd.read_parquet(path), scores.to_pandas()):
        assert list(table.columns) == [
            "video", "frame", "raw", "score", "rank", "tail", "flipped", "repaired", "noisy", "seconds",
        ]  # fmt: skip
        assert table["video"].tolist() == ["01"] * 5 + ["b"] * 3
        for name in COLUMNS[1:]:
            assert np.array_equal(table[name].to_numpy(), getattr(scores, name), equal_nan=name == "seconds")
    arrow = scores.to_arrow()
    assert arrow.num_rows == 8
    assert arrow["seconds"].null_count == 1
    assert arrow.schema.field("video").type == pa.dictionary(pa.int32(), pa.string())


def test_rows_that_another_tool_reordered_are_still_understood(tmp_path: Path) -> None:
    scores = make_scores({"a": 3, "b": 2})
    table = scores.to_arrow()
    plain = table.set_column(0, "video", table["video"].cast(pa.string()))
    pq.write_table(plain, tmp_path / "plain.parquet", row_group_size=2)
    assert equal(Scores.read(tmp_path / "plain.parquet"), scores)


def damaged_files(folder: Path) -> dict[Path, str]:
    """Files that are no scores, and what is said about each."""
    good = make_scores({"a": 40}).write(folder / "good.parquet")
    table = pq.read_table(good)
    key, facts = b"pixelfast", (table.schema.metadata or {})[b"pixelfast"]

    def rewritten(name: str, table: pa.Table, facts: bytes | None = facts) -> Path:
        pq.write_table(table.replace_schema_metadata({key: facts} if facts is not None else None), folder / name)
        return folder / name

    (folder / "text.parquet").write_text("Id,Predicted")
    (folder / "empty.parquet").touch()
    (folder / "scores.csv").write_text("Id,Predicted\na_1,0.5\n")
    content = bytearray(good.read_bytes())
    (folder / "cut.parquet").write_bytes(content[: len(content) // 2])
    content[8:200] = bytes(192)
    (folder / "holes.parquet").write_bytes(content)
    nan = pa.array(np.full(40, np.nan, dtype=np.float32))
    others = pa.array(["z"] * 40).dictionary_encode()
    return {
        folder / "none.parquet": "does not exist: give a .parquet",
        folder: "is a folder, not a file of scores",
        folder / "scores.csv": "is a CSV, which holds no raw scores: give the .parquet",
        folder / "text.parquet": "cannot be read as Parquet",
        folder / "empty.parquet": "cannot be read as Parquet",
        folder / "cut.parquet": "cannot be read as Parquet",
        folder / "holes.parquet": "cannot be read as Parquet",
        rewritten("foreign.parquet", table, None): "is Parquet, but not scores that pixelfast wrote",
        rewritten("nonsense.parquet", table, b"{"): "is Parquet, but not scores that pixelfast wrote",
        rewritten("newer.parquet", table, facts.replace(b'"format": 1', b'"format": 2')): "has format 2 and this",
        rewritten("facts.parquet", table, facts.replace(b'"smooth"', b'"smoth"')): "is damaged: its facts are",
        rewritten("videos.parquet", table, facts.replace(b'["a"]', b"[3]")): "is damaged: its list of videos",
        rewritten("even.parquet", table, facts.replace(b'"smooth": 3', b'"smooth": 4')): "smooth must be an odd number",
        rewritten("notes.parquet", table, facts.replace(b'"notes": []', b'"notes": [7]')): "notes must be a list",
        rewritten("lacking.parquet", table.drop(["rank"])): "is damaged: it has no column rank",
        rewritten("wide.parquet", table.set_column(2, "raw", table["raw"].cast(pa.float64()))): "raw must be float32",
        rewritten("nan.parquet", table.set_column(2, "raw", nan)): "raw of video a, frame",
        rewritten("other.parquet", table.set_column(0, "video", others)): "rows of a video that is not in its list",
    }


def test_files_that_are_no_scores_get_a_sentence_that_names_them(tmp_path: Path) -> None:
    for path, sentence in damaged_files(tmp_path).items():
        with pytest.raises(ScoresError) as caught:
            Scores.read(path)
        assert str(path) in str(caught.value)
        assert sentence in str(caught.value), caught.value
        assert "\n" not in str(caught.value)


# Writing whole or not at all


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, suffix: str) -> None:
    path = make_scores({"a": 3}).write(tmp_path / f"scores.{suffix}")
    before = path.read_bytes()
    big = make_scores({"a": 50_000})
    with file_size_limit(20_000), pytest.raises(OutputError, match=rf"scores\.{suffix} cannot be written: "):
        big.write(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_folders_that_cannot_be_written_get_a_sentence(tmp_path: Path, suffix: str) -> None:
    scores = make_scores({"a": 3})
    with pytest.raises(OutputError, match="there is no folder"):
        scores.write(tmp_path / "none" / f"scores.{suffix}")
    with locked_folder() as folder, pytest.raises(OutputError, match="there is no permission to write there"):
        scores.write(folder / f"scores.{suffix}")


@pytest.mark.parametrize("name", ["scores", "scores.txt", "scores.csv.gz", ".csv"])
def test_an_unknown_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=re.escape(f"{name} ends in neither .csv nor .parquet")):
        make_scores({"a": 3}).write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


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
