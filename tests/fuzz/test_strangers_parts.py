"""Parts and scores of strangers: what they announce is refused before memory is asked for it."""

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc
from pyarrow import parquet as pq

import pixelfast
from fuzz_inputs import sound_part, sound_scores
from pixelfast.errors import ScoresError
from pixelfast.pipeline import parts
from pixelfast.pipeline.parts import read_part, write_part

Facts = dict[str, Any]


def changed_part(path: Path, about: Callable[[Facts], object], job: Callable[[Facts], object]) -> None:
    """A sound part whose facts say something else, with checksums that fit."""
    write_part(path, sound_part())
    with ipc.open_file(path) as reader:
        batch = reader.get_batch(0)
    metadata = dict(batch.schema.metadata)
    texts = []
    for name, change in ((b"part", about), (b"job", job)):
        facts = json.loads(metadata[name])
        found = change(facts)
        texts.append(found if isinstance(found, bytes) else json.dumps(facts).encode())
    sums = parts._checksums(batch.schema.names, [column.buffers()[-1] for column in batch.columns], *texts)
    batch = batch.replace_schema_metadata(dict([(b"part", texts[0]), (b"job", texts[1]), *sums]))
    with ipc.new_file(path, batch.schema) as writer:
        writer.write_batch(batch)


def same(_: Facts) -> None:
    """Nothing is changed."""


PARTS: dict[str, tuple[Callable[[Facts], object], Callable[[Facts], object]]] = {
    "a source of a trillion videos": (same, lambda job: job.update(videos=10**12)),
    "a position beyond the source": (lambda about: about.update(place=[10**12, []]), same),
    "facts that nest without end": (lambda _: b"[" * 100_000, same),
    "a job that nests without end": (same, lambda _: b'{"a":' * 100_000),
    "a smoothing of a trillion frames": (same, lambda job: job.update(smooth=10**12 + 1)),
    "a number of thousands of digits": (lambda _: b'{"frames": ' + b"9" * 5000 + b"}", same),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_with(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    changed_part(path, *PARTS[name])
    with pytest.raises(ScoresError, match="is damaged or no part of pixelfast") as caught:
        read_part(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(ScoresError, match="is damaged or no part of pixelfast"):
        pixelfast.merge(tmp_path, tmp_path / "scores.csv")


def test_a_part_whose_facts_are_not_changed_is_read(tmp_path: Path) -> None:
    changed_part(tmp_path / "a.arrow", same, same)
    assert read_part(tmp_path / "a.arrow").video == "01"


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_part_of_kilobytes_that_would_become_gigabytes(codec: str, tmp_path: Path) -> None:
    """Compressed zeros: 400 MB here, and refused before they are made."""
    path = tmp_path / "a.arrow"
    write_part(path, sound_part())
    with ipc.open_file(path) as reader:
        schema = reader.schema
    zeros = pa.record_batch({name: np.zeros(50_000_000, np.int64) for name in ("raw",)})
    with ipc.new_file(
        path, zeros.schema.with_metadata(schema.metadata), options=ipc.IpcWriteOptions(compression=codec)
    ) as writer:
        writer.write_batch(zeros)
    del zeros
    assert path.stat().st_size < 2_000_000
    before = pa.total_allocated_bytes()
    pool = pa.default_memory_pool()
    peak = pool.max_memory()
    with pytest.raises(ScoresError, match="is damaged or no part of pixelfast"):
        read_part(path)
    assert pa.total_allocated_bytes() == before
    assert pool.max_memory() == peak


def test_a_part_with_dictionaries(tmp_path: Path) -> None:
    batch = pa.record_batch({"raw": pa.array(["a", "b"]).dictionary_encode()})
    with ipc.new_file(tmp_path / "a.arrow", batch.schema) as writer:
        writer.write_batch(batch)
    with pytest.raises(ScoresError, match="is damaged or no part of pixelfast") as caught:
        read_part(tmp_path / "a.arrow")
    assert "dictionaries" in str(caught.value.__cause__)


def test_cells_as_long_as_arrow_can_say(tmp_path: Path) -> None:
    """Error maps of two thousand million values a frame, of which there are none."""
    path = tmp_path / "a.arrow"
    kind = pa.list_(pa.list_(pa.float16(), 2**31 - 1), 2**31 - 1)
    batch = pa.record_batch({"maps": pa.array([], kind)})
    with ipc.new_file(path, batch.schema) as writer:
        writer.write_batch(batch)
    with pytest.raises(ScoresError, match="is damaged or no part of pixelfast"):
        read_part(path)


# Scores


def test_scores_of_kilobytes_with_a_thousand_million_rows(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    with pq.ParquetWriter(path, pa.schema([("raw", pa.float32())]), compression="zstd") as writer:
        column = pa.DictionaryArray.from_arrays(np.zeros(5_000_000, np.int8), pa.array([0.0], pa.float32()))
        table = pa.table({"raw": column.cast(pa.float32())})
        for _ in range(5):
            writer.write_table(table)
    assert path.stat().st_size < 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(
        ScoresError, match=r"scores\.parquet has 25,000,000 rows in [0-9,]+ bytes, which no scores have"
    ) as caught:
        pixelfast.Scores.read(path)
    assert str(caught.value).startswith(f"{path} has")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB: nothing of them was made


@pytest.mark.parametrize(
    "facts", [b"[" * 100_000, b"\xff\xfe", b"{}", b"null"], ids=["nests without end", "no text", "empty", "nothing"]
)
def test_scores_whose_facts_are_none(facts: bytes, tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    sound_scores(path)
    pq.write_table(pq.read_table(path).replace_schema_metadata({b"pixelfast": facts}), path)
    with pytest.raises(ScoresError, match="but not scores that pixelfast wrote"):
        pixelfast.Scores.read(path)


def test_scores_whose_videos_are_no_texts(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    sound_scores(path)
    table = pq.read_table(path)
    lists = pa.array([[1]] * len(table), pa.list_(pa.float16()))
    at = table.column_names.index("video")
    pq.write_table(table.set_column(at, "video", lists), path)
    with pytest.raises(ScoresError, match="is damaged: its video is no text"):
        pixelfast.Scores.read(path)


def test_scores_whose_statistics_do_not_fit() -> None:
    """Found by the fuzzer: Arrow lets an exception of its C++ through."""
    with pytest.raises(ScoresError, match="cannot be read as Parquet"):
        pixelfast.Scores.read(Path(__file__).with_name("found") / "statistics_that_do_not_fit.parquet")


def test_scores_whose_group_has_more_rows_than_there_are() -> None:
    """Found by the fuzzer: 2,859 bytes, for which Arrow takes gigabytes."""
    with pytest.raises(ScoresError, match="is damaged: a group of its rows has more than there are"):
        pixelfast.Scores.read(Path(__file__).with_name("found") / "rows_of_a_group_that_do_not_fit.parquet")


@pytest.mark.parametrize("facts", [{"threshold": 10**400}, {"threshold": -(10**400)}, {"threshold": True}])
def test_scores_whose_threshold_is_no_number(tmp_path: Path, facts: dict[str, object]) -> None:
    """Found by the fuzzer: whole numbers of JSON that no float holds."""
    sound_scores(path := tmp_path / "scores.parquet")
    table = pq.read_table(path)
    kept = {key: json.loads(value) for key, value in table.schema.metadata.items()}
    changed = {key: json.dumps({**value, **facts}) for key, value in kept.items()}
    pq.write_table(table.replace_schema_metadata(changed), path)
    with pytest.raises(ScoresError, match="threshold must be a finite number or None"):
        pixelfast.Scores.read(path)
