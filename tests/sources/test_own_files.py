"""Folders that pixelfast itself leaves beside frames are passed over; anybody else's are not."""

import logging
from pathlib import Path

import pytest

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.errors import SourceError
from tiny_engines import write_model


@pytest.fixture
def video(tmp_path: Path) -> Path:
    write_video(tmp_path / "cam", walking_square(20))
    return tmp_path / "cam"


def test_scoring_into_the_video_folder_twice(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = write_model(tmp_path / "model").folder
    monkeypatch.chdir(video)
    first = pixelfast.score(".", engine, out="scores.csv")
    written = Path("scores.csv").read_bytes()
    assert Path("scores.csv.parts").is_dir()
    assert len(pixelfast.score(".", engine, out="scores.csv")) == len(first) == 20
    assert Path("scores.csv").read_bytes() == written


def test_the_scores_of_this_very_run_are_no_strange_files(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = write_model(tmp_path / "model").folder
    monkeypatch.chdir(video)
    (video / "notes.txt").write_text("somebody's")
    for out in ("scores.csv", ["scores.csv", "../cam/scores.parquet"], str(video / "scores.parquet")):
        for _ in range(2):
            notes = pixelfast.score(".", engine, out=out).notes
    strange = "files that are no frames were passed over: "
    # What another run wrote is told, and what nobody here wrote.
    assert [note for note in notes if note.startswith(strange)] == [f"{strange}2, such as notes.txt"]
    (video / "notes.txt").unlink()
    (video / "scores.csv").unlink()
    assert not any("passed over" in note for note in pixelfast.score(".", engine, out="scores.parquet").notes)


def test_a_model_and_its_unfinished_training_beside_frames(video: Path) -> None:
    write_model(video / "model")
    (video / "model.work").rename(video / "other.training")
    (video / "other.training" / "frames.u8").write_bytes(b"0")
    assert [found.length for found in pixelfast.open_source(video)] == [20]


@pytest.mark.parametrize("name", ["spare", "spare.parts"])
def test_frames_of_others_are_not_lost(video: Path, name: str) -> None:
    write_video(video / name, walking_square(3))
    with pytest.raises(SourceError, match=rf"holds both loose frames .* and folders \({name}\)"):
        pixelfast.open_source(video)
    assert [found.name for found in pixelfast.open_source(video / name)] == [name]


def test_beside_video_folders_they_are_not_worth_a_word(video: Path, caplog: pytest.LogCaptureFixture) -> None:
    (video.parent / "scores.csv.parts").mkdir()
    (video.parent / "scores.csv.parts" / "cam.parquet").write_bytes(b"0")
    with caplog.at_level(logging.WARNING):
        assert [found.name for found in pixelfast.open_source(video.parent)] == ["cam"]
    assert "scores.csv.parts" not in caplog.text
