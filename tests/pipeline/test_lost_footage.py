"""A disk that goes away in the middle of a run: nothing is made up, nothing wrong is kept, the other videos go on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import pixelfast
from footage import walking_square
from pixelfast import _core
from pixelfast.cli.run import run
from pixelfast.model import Model
from tiny_engines import SIZE

MakeSource = Callable[..., Path]


@pytest.fixture
def source(make_source: MakeSource) -> Path:
    """Three videos; ten of the second one's 60 frames are empty."""
    source = make_source(**{name: walking_square(60, seed, SIZE) for seed, name in enumerate(("a", "b", "c"))})
    for number in range(30, 40):
        (source / "b" / f"frame_{number:04d}.png").write_bytes(b"")
    return source


def part_names(folder: Path) -> list[str]:
    return sorted(path.name.split(".")[0] for path in folder.iterdir())


def test_a_lost_video_is_named_and_the_others_are_written(source: Path, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    with pytest.raises(
        pixelfast.LostFootageError, match=r"1 of 3 videos not scored \(the others were\): video b"
    ) as lost:
        pixelfast.score(source, model.folder, out=out)
    assert "--on-error insist" in str(lost.value)
    assert lost.value.scores is not None
    read = pixelfast.Scores.read(out)
    assert read.videos == lost.value.scores.videos == ("a", "c")
    assert any("video b is not repaired" in note for note in read.notes)
    assert part_names(tmp_path / "scores.parquet.parts") == ["a", "c"]
    alone = pixelfast.score([source / "a", source / "c"], model.folder)
    np.testing.assert_array_equal(read.raw, alone.raw)
    insisted = pixelfast.score(source, model.folder, on_error="insist")
    assert int(insisted.repaired.sum()) == 10


@pytest.mark.parametrize("lost", ["a", "b", "c"])
@pytest.mark.parametrize("gone", [range(10), range(30, 40), range(60)])
def test_the_bar_comes_to_its_end(
    make_source: MakeSource, model: Model, tmp_path: Path, lost: str, gone: range
) -> None:
    """Wherever the lost video stands, and however many of its frames were scored before it was given up."""
    source = make_source(**{name: walking_square(60, seed, SIZE) for seed, name in enumerate(("a", "b", "c"))})
    for path in sorted((source / lost).iterdir())[gone.start : gone.stop]:
        path.write_bytes(b"")
    for _ in range(2):  # the second time, the others are taken from their parts
        steps = list[pixelfast.Progress]()
        with pytest.raises(pixelfast.LostFootageError):
            pixelfast.score(
                source, model.folder, parts=tmp_path / "parts", flip="never", chunk=8, threads=1, progress=steps.append
            )
        assert (steps[-1].done, steps[-1].total) == (180, 180)
        assert [step.done for step in steps] == sorted(step.done for step in steps)


def test_the_command_ends_with_1_and_a_list(
    source: Path, model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (source / "c").iterdir():
        path.unlink()
        path.symlink_to("gone.png")  # nothing that can be read at all
    out = tmp_path / "scores.csv"
    command = ["score", str(source), "--engine", str(model.folder), "--out", str(out)]
    assert run(command) == 1
    printed, aside = capsys.readouterr()
    assert "60 frames of 1 videos" in printed
    last = aside.strip().splitlines()[-1]
    assert last.startswith("error: 2 of 3 videos not scored (the others were): video b is not repaired")
    assert "no frame of video c can be read" in last
    assert out.read_text().count("\n") == 61
    for number in range(30, 40):
        (source / "b" / f"frame_{number:04d}.png").write_bytes((source / "a" / f"frame_{number:04d}.png").read_bytes())
    assert run([*command[:1], str(source / "b"), *command[2:]]) == 0


def test_no_part_of_frames_that_came_back(
    make_source: MakeSource, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too few are lost to give the video up, but the part must not pass for that of the healthy footage."""
    source, decode = make_source(**{"a": walking_square(60, 1, SIZE)}), _core.decode_frames
    away = [True]

    def flaky(paths: list[str], *args: object, **more: object) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        frames, status = decode(paths, *args, **more)  # type: ignore[arg-type]
        for index, path in enumerate(paths):
            if away[0] and path.endswith(("0021.png", "0022.png")):
                frames[index], status[index] = 0, 2
        return frames, status

    monkeypatch.setattr(_core, "decode_frames", flaky)
    scores = pixelfast.score(source, model.folder, parts=tmp_path / "parts")
    assert np.flatnonzero(scores.repaired).tolist() == [20, 21]
    assert any("its part is not kept" in note for note in scores.notes)
    assert part_names(tmp_path / "parts") == []
    away[0] = False
    assert not pixelfast.score(source, model.folder, parts=tmp_path / "parts").repaired.any()
    assert part_names(tmp_path / "parts") == ["a"]


def test_training_and_cleaning_take_no_lost_footage(source: Path, model: Model, tmp_path: Path) -> None:
    with pytest.raises(pixelfast.LostFootageError, match="video b is not repaired: more than a twentieth"):
        pixelfast.train(source, tmp_path / "trained")
    with pytest.raises(pixelfast.LostFootageError, match="--on-error insist"):
        pixelfast.clean(source, model.folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert pixelfast.clean(source, model.folder, tmp_path / "out", on_error="insist").replaced == 10
