"""Folders of any depth: a video's name is its path below the source."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pixelfast
from footage import walking_square
from frame_folders import make_frames, names_of
from pixelfast.errors import SourceError
from pixelfast.evaluation import evaluate
from pixelfast.model import Model
from pixelfast.sources import FolderVideo, open_source
from tiny_engines import SIZE


def test_cameras_of_the_same_name_on_two_days_live_together(tmp_path: Path) -> None:
    for day in ("2026-11-02", "2026-11-01"):
        for camera in ("cam10", "cam2"):
            make_frames(tmp_path / "all" / day / camera, ["1.jpg"])
    make_frames(tmp_path / "all" / "old" / "north" / "roof" / "a", ["1.jpg"])
    make_frames(tmp_path / "all" / "single", ["1.jpg"])
    videos = open_source(tmp_path / "all")
    assert names_of(videos) == [
        "2026-11-01/cam2", "2026-11-01/cam10", "2026-11-02/cam2", "2026-11-02/cam10", "old/north/roof/a", "single",
    ]  # fmt: skip
    assert [video.folder for video in videos if isinstance(video, FolderVideo)] == [
        tmp_path / "all" / name for name in names_of(videos)
    ]
    assert names_of(open_source(tmp_path / "all" / "2026-11-01")) == ["cam2", "cam10"]
    assert names_of(open_source(tmp_path / "all" / "2026-11-01" / "cam2")) == ["cam2"]


def test_a_pattern_tells_cameras_of_one_name_apart(tmp_path: Path) -> None:
    for day in ("day1", "day2"):
        for camera in ("cam1", "cam2"):
            make_frames(tmp_path / day / camera, ["1.jpg"])
    assert names_of(open_source(f"{tmp_path}/*/cam1")) == ["day1/cam1", "day2/cam1"]
    assert names_of(open_source(f"{tmp_path}/day*")) == ["day1/cam1", "day1/cam2", "day2/cam1", "day2/cam2"]
    assert names_of(open_source(f"{tmp_path}/day1/*")) == ["cam1", "cam2"]


def test_what_is_passed_over_is_said_at_any_depth(tmp_path: Path) -> None:
    make_frames(tmp_path / "day" / "cam", ["1.jpg"])
    (tmp_path / "day" / "notes.txt").touch()
    (tmp_path / "day" / "empty").mkdir()
    (tmp_path / "hollow" / "inner").mkdir(parents=True)
    notes: list[str] = []
    assert names_of(open_source(tmp_path, notes)) == ["day/cam"]
    assert notes == [
        f"files that are no frames were passed over: 1, such as {tmp_path}/day/notes.txt",
        f"folders without frames were passed over: {tmp_path}/day/empty, {tmp_path}/hollow/inner",
    ]


def test_frames_beside_folders_are_refused_at_any_depth(tmp_path: Path) -> None:
    make_frames(tmp_path / "a" / "b" / "c", ["1.jpg"])
    make_frames(tmp_path / "a" / "b", ["cover.jpg"])
    with pytest.raises(SourceError, match=r"a/b holds both loose frames \(cover\.jpg\) and folders \(c\)"):
        open_source(tmp_path)


def test_links_that_go_round_end(tmp_path: Path) -> None:
    make_frames(tmp_path / "day" / "cam", ["1.jpg"])
    (tmp_path / "day" / "again").symlink_to(tmp_path)
    (tmp_path / "day" / "here").symlink_to(".")
    (tmp_path / "other").symlink_to(tmp_path / "day" / "cam")
    assert names_of(open_source(tmp_path)) == ["day/cam", "other"]


def test_folders_far_down_are_found(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["d"] * 300)
    make_frames(folder, ["1.jpg"])
    assert names_of(open_source(tmp_path)) == ["/".join(["d"] * 300)]


def test_deep_videos_go_through_scoring_labels_and_cleaning(
    make_source: Callable[..., Path], model: Model, tmp_path: Path
) -> None:
    names = ("2026-11-01/cam1", "2026-11-02/cam1")
    frames = [walking_square(30, seed, SIZE) for seed in (1, 2)]
    source = make_source(**dict(zip(names, frames, strict=True)))
    scores = pixelfast.score(source, model.folder, flip="never", out=tmp_path / "scores.parquet")
    assert scores.videos == names
    flat = pixelfast.score(make_source("flat", a=frames[0], b=frames[1]), model.folder, flip="never")
    assert np.array_equal(scores.raw, flat.raw)
    assert (
        sorted(path.parent for path in (tmp_path / "scores.parquet.parts").iterdir())
        == [tmp_path / "scores.parquet.parts"] * 2
    )
    assert np.array_equal(pixelfast.merge(tmp_path / "scores.parquet.parts", tmp_path / "m.parquet").raw, scores.raw)
    scores.write(tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_text(encoding="utf-8").splitlines()[1].startswith("2026-11-01/cam1_1,")
    labels = np.arange(30) % 2
    for name in names:
        (tmp_path / "labels" / name).parent.mkdir(parents=True)
        np.save(tmp_path / "labels" / f"{name}.npy", labels)
    np.save(tmp_path / "labels.npy", np.tile(labels, 2))
    assert evaluate(scores, tmp_path / "labels") == evaluate(tmp_path / "scores.csv", tmp_path / "labels.npy")
    assert pixelfast.clean(source, model.folder, tmp_path / "clean").videos == 2
    assert len(list((tmp_path / "clean" / names[1]).iterdir())) == 30


def test_no_part_is_written_through_a_link(make_source: Callable[..., Path], model: Model, tmp_path: Path) -> None:
    source, parts = make_source(v=walking_square(30, 1, SIZE)), tmp_path / "parts"
    first = pixelfast.score(source, model.folder, flip="never", parts=parts)
    (part,) = parts.iterdir()
    for smooth, target in ((5, tmp_path / "kept.arrow"), (7, tmp_path / "gone.arrow")):
        if target.name == "kept.arrow":
            part.rename(target)
        else:
            part.unlink()
        before = target.read_bytes() if target.exists() else None
        part.symlink_to(target)
        again = pixelfast.score(source, model.folder, flip="never", parts=parts, smooth=smooth)
        assert np.array_equal(again.raw, first.raw)
        assert not part.is_symlink()
        assert (target.read_bytes() if target.exists() else None) == before
