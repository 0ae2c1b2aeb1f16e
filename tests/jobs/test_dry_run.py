"""A dry run counts, measures and writes nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

import pixelfast
from films import walk, write_film
from footage import walking_square
from pixelfast.cli.run import run
from pixelfast.model import Model
from tiny_engines import SIZE

Make = Callable[..., Path]


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_counts_and_measures_and_writes_nothing(make_source: Make, model: Model, tmp_path: Path) -> None:
    source = make_source(a=walking_square(30, 1, SIZE), b=walking_square(90, 2, SIZE))
    before = everything(tmp_path)
    found = pixelfast.dry_run(source, model.folder, threads=2)
    assert everything(tmp_path) == before
    assert (found.videos, found.frames, found.measured, found.video, found.threads) == (2, 120, 90, "video b", 2)
    assert found.nbytes == sum(path.stat().st_size for path in source.rglob("*.png"))
    hours = found.hours()
    assert hours is not None
    assert hours == pytest.approx(120 / found.rate / 3600)
    assert found.hours(workers=4) == pytest.approx(hours / 4)


def test_a_share_is_counted_alone_and_a_wrong_one_refused(make_source: Make, model: Model, tmp_path: Path) -> None:
    source = make_source(a=walking_square(30, 1, SIZE), b=walking_square(90, 2, SIZE))
    before = everything(tmp_path)
    found = pixelfast.dry_run(source, model.folder, shard="1/2", exact=True)
    assert (found.videos, found.frames) == (1, 30)
    assert everything(tmp_path) == before
    with pytest.raises(pixelfast.ArgumentError, match="shard must be like 2/3"):
        pixelfast.dry_run(source, model.folder, shard="3/2")


def test_a_video_file_is_measured_by_its_beginning(model: Model, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    write_film(tmp_path / "films" / "walk.mp4", walk(90))
    found = pixelfast.dry_run(tmp_path / "films", model.folder)
    assert (found.frames, found.measured) == (90, 90)
    assert found.nbytes == (tmp_path / "films" / "walk.mp4").stat().st_size


def test_a_video_that_is_lost_is_passed_over(make_source: Make, model: Model) -> None:
    source = make_source(a=walking_square(30, 1, SIZE), b=walking_square(90, 2, SIZE))
    for path in (source / "b").iterdir():
        path.write_bytes(b"")
    assert pixelfast.dry_run(source, model.folder).video == "video a"
    for path in (source / "a").iterdir():
        path.write_bytes(b"")
    with pytest.raises(pixelfast.LostFootageError, match="no frame of video b can be read"):
        pixelfast.dry_run(source, model.folder)


def test_the_command_says_it(
    make_source: Make, model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = make_source(a=walking_square(30, 1, SIZE)), tmp_path / "scores.csv"
    before = everything(tmp_path)
    assert run(["score", str(source), "--engine", str(model.folder), "--out", str(out), "--dry-run"]) == 0
    assert everything(tmp_path) == before
    said = capsys.readouterr().out
    for one in ("videos  1", "frames  30", "frames/s, measured here on 30 frames of video a", "nothing was written"):
        assert one in said
