"""Scores as files: pandas reads what is written, damage is found, nothing ends half-written."""

import json
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

from disk import file_size_limit, locked_folder
from made_scores import COLUMNS, any_scores, equal, make_scores, plain_name
from pixelfast.errors import OutputError, ScoresError
from pixelfast.scores import Scores
from pixelfast.scores.files import write_csv

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
    values = scores.score if scores.submission == "score" else scores.rank
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
    for threads in (2, 3, 7):
        write_csv(scores, tmp_path / "threads.csv", threads)
        assert (tmp_path / "threads.csv").read_bytes() == path.read_bytes()


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
            "video", "frame", "raw", "score", "rank", "tail", "flipped", "repaired", "noisy", "frozen", "seconds",
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


@pytest.mark.parametrize(("method", "submission"), [("reconstruction", "rank"), ("motion", "score")])
def test_the_first_files_of_the_format_do_not_name_their_submission(
    tmp_path: Path, method: str, submission: str
) -> None:
    scores = make_scores({"a": 4, "b": 3}, method=method, submission=submission)
    table = scores.to_arrow()
    facts = json.loads((table.schema.metadata or {})[b"pixelfast"])
    del facts["submission"]
    assert sorted(facts) == ["format", "method", "notes", "phases", "smooth", "threshold", "videos"]  # as it was then
    pq.write_table(table.replace_schema_metadata({b"pixelfast": json.dumps(facts)}), tmp_path / "first.parquet")
    read = Scores.read(tmp_path / "first.parquet")
    assert equal(read, scores)
    assert read_csv(read.write(tmp_path / "scores.csv")) == expected_rows(scores)


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
