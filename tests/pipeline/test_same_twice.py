"""The same input, model and settings give the same bytes: Parquet, CSV and parts, on any threads and in any chunks."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import pixelfast
from pixelfast.machine.threads import usable_cores
from pixelfast.model import Model
from plain_pipeline import footage

MakeSource = Callable[..., Path]


def written(source: Path, engine: Path, folder: Path, **settings: int) -> dict[str, bytes]:
    """The bytes of everything that a run writes, by name."""
    folder.mkdir()
    pixelfast.score(source, engine, out=[folder / "s.parquet", folder / "s.csv"], **settings)  # type: ignore[arg-type]
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("engine", ["model", "model/ae.onnx"])
def test_every_file_of_a_run_is_the_same_bytes(
    make_source: MakeSource, model: Model, tmp_path: Path, engine: str
) -> None:
    assert model.folder == tmp_path / "model"
    source = make_source(**footage(50, 17, 5))
    first = written(source, tmp_path / engine, tmp_path / "first")
    assert len(first) == 5
    for number, settings in enumerate(
        ({}, {"threads": 1}, {"threads": 3, "chunk": 16}, {"threads": 4 * usable_cores()})
    ):
        assert written(source, tmp_path / engine, tmp_path / str(number), **settings) == first
    pixelfast.score(source, tmp_path / engine, out=tmp_path / "first" / "s.parquet", threads=1)  # from its parts
    assert (tmp_path / "first" / "s.parquet").read_bytes() == first["s.parquet"]
    merged = tmp_path / "merged.csv"
    pixelfast.merge(tmp_path / "first" / "s.parquet.parts", merged)
    assert merged.read_bytes() == first["s.csv"]


def test_anybodys_engine_whose_sums_depend_on_the_threads_is_one_digit_off(
    make_source: MakeSource, cuboid_engine: Path
) -> None:
    """Its ReduceMean is ONNX Runtime's, which divides the work by threads and by cuboids a call: README says so."""
    source = make_source(**footage(50, 17, 5))
    raws = [pixelfast.score(source, cuboid_engine, threads=threads, chunk=64).raw for threads in (1, 1, 3)]
    np.testing.assert_array_equal(raws[0], raws[1])
    np.testing.assert_allclose(raws[0], raws[2], rtol=3e-7)


def test_times_are_of_the_run_and_in_no_file(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    scores = pixelfast.score(make_source(**footage(20)), model.folder, out=path)
    assert scores.phases["total"] > 0
    assert pixelfast.Scores.read(path).phases == {}
    assert scores.write(tmp_path / "again.parquet").read_bytes() == path.read_bytes()
    assert b"total" not in (pq.read_schema(path).metadata or {})[b"pixelfast"]


def test_the_times_in_older_files_are_read(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    pixelfast.score(make_source(**footage(20)), model.folder, out=path)
    table = pq.read_table(path)
    facts = {**json.loads((table.schema.metadata or {})[b"pixelfast"]), "phases": {"decode": 1.5}}
    pq.write_table(table.replace_schema_metadata({b"pixelfast": json.dumps(facts)}), path)
    assert pixelfast.Scores.read(path).phases == {"decode": 1.5}
