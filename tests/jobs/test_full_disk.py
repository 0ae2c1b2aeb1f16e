"""A disk that is full or read-only, or a folder that goes: a sentence each, old results stay, room is all it needs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from disk import remount, small_disk
from footage import walking_square
from frame_files import write_video
from killing import tree
from pixelfast.model import Model
from tiny_engines import write_frame_engine

Run = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in range(1, 5):
        write_video(tmp_path / "new" / f"{name:02}", walking_square(40, seed=name, size=96))
    write_frame_engine(tmp_path / "ae.onnx", size=128)
    return tmp_path


@pytest.fixture
def disk(home: Path) -> Iterator[Path]:
    with small_disk(home / "disk", 100_000) as folder:
        yield folder


@pytest.fixture
def run(home: Path) -> Run:
    """Runs the command; returns what it says when it ends with that code."""

    def run(*arguments: str, code: int = 1) -> str:
        command = [sys.executable, "-m", "pixelfast", *arguments]
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "bug in pixelfast" not in done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    return run


def fill(disk: Path, left: int) -> Path:
    """Fills a disk up to so many kilobytes."""
    filler = disk / "filler"
    free = shutil.disk_usage(disk).free - left * 1024
    filler.write_bytes(bytes(free))
    return filler


def sentence(said: str) -> str:
    (line,) = re.findall(r"^error: .*", said, re.MULTILINE)
    return str(line)


def hidden(disk: Path) -> list[str]:
    return [name for name in tree(disk) if ".pixelfast-" in name]


SCORE = ("score", "new", "--engine", "ae.onnx", "--out", "disk/scores.parquet", "--out", "disk/scores.csv")


@pytest.mark.parametrize("left", [0, 4, 12, 20])
def test_score_on_a_full_disk(run: Run, disk: Path, left: int) -> None:
    run(*SCORE, code=0)
    wanted = tree(disk)
    shutil.rmtree(disk / "scores.parquet.parts")
    filler = fill(disk, left)
    before = {name: (disk / name).read_bytes() for name in ("scores.parquet", "scores.csv")}
    assert "the disk is full" in sentence(run(*SCORE))
    assert {name: (disk / name).read_bytes() for name in before} == before
    assert hidden(disk) == []
    filler.unlink()
    run(*SCORE, code=0)
    assert tree(disk) == wanted


def test_merge_on_a_full_disk(run: Run, disk: Path) -> None:
    run("score", "new", "--engine", "ae.onnx", "--out", "s.csv", "--parts", "parts", code=0)
    (disk / "scores.csv").write_text("old")
    fill(disk, 0)
    assert "the disk is full" in sentence(run("merge", "parts", "--out", "disk/scores.csv"))
    assert (disk / "scores.csv").read_text() == "old"
    assert hidden(disk) == []


def test_clean_on_a_full_disk(run: Run, disk: Path, model: Model) -> None:
    fill(disk, 100)
    said = run("clean", "new", "--model", str(model.folder), "--out", "disk/clean", "--copy")
    assert "the disk is full" in sentence(said)
    assert sorted(tree(disk)) == ["filler"]


@pytest.mark.parametrize("left", [100, 2_600])
def test_train_on_a_full_disk(run: Run, disk: Path, left: int) -> None:
    """The frames take 2,560 kB; what is written after them is written by NumPy."""
    (disk / "model").mkdir()
    fill(disk, left)
    said = run("train", "new", "--method", "density", "--out", "disk/model")
    assert "the disk is full" in sentence(said)
    assert hidden(disk) == []
    assert list((disk / "model").iterdir()) == []


TRAIN = """
import sys
from dataclasses import replace
from pathlib import Path
from pixelfast.cli.run import explain
from pixelfast.jobs.train import train_model
from pixelfast.methods.trained import TrainingRequest
from tiny_trainings import TINY
request = TrainingRequest(method="reconstruction", recipe=TINY, precision="fp32", batch=8, threads=1, resume=True)
said = []
for left in map(int, sys.argv[1:]):
    filler = Path("disk/filler")
    free = __import__("shutil").disk_usage("disk").free - left * 1024
    with filler.open("ab") as file:
        file.write(bytes(free))
    try:
        train_model("new", "disk/model", request)
    except Exception as error:
        print(explain(error))
    filler.unlink()
train_model("new", "disk/model", request)
"""


@pytest.mark.parametrize("left", [(2_600, 40), pytest.param((2_600, *range(0, 1_500, 25)), marks=pytest.mark.long)])
def test_each_writer_of_a_training_on_a_full_disk(home: Path, disk: Path, left: Sequence[int]) -> None:
    """What NumPy, PyTorch, safetensors and ONNX say of it becomes the one sentence, and the rest is made later."""
    del disk
    command = [sys.executable, "-c", TRAIN, *map(str, left)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent / "made")}
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) >= min(2, len(left))
    assert all(line.endswith("the disk is full: make room or choose another folder") for line in lines), lines
    assert Model.load(home / "disk" / "model").manifest.method == "reconstruction"
    assert sorted(path.name for path in (home / "disk").iterdir()) == ["model"]


@pytest.mark.parametrize("command", ["score", "merge", "clean", "train"])
def test_a_read_only_disk(run: Run, disk: Path, model: Model, command: str) -> None:
    run("score", "new", "--engine", "ae.onnx", "--out", "s.csv", "--parts", "parts", code=0)
    remount(disk, "ro")
    arguments = {
        "score": SCORE,
        "merge": ("merge", "parts", "--out", "disk/scores.csv"),
        "clean": ("clean", "new", "--model", str(model.folder), "--out", "disk/clean"),
        "train": ("train", "new", "--method", "density", "--out", "disk/model"),
    }[command]
    assert "cannot be written: the folder is read-only: choose another one" in sentence(run(*arguments))


def test_a_model_on_a_read_only_disk_scores(run: Run, disk: Path, model: Model) -> None:
    shutil.copytree(model.folder, disk / "model")
    remount(disk, "ro")
    run("score", "new", "--engine", "disk/model", "--out", "s.csv", code=0)
    assert "read-only" in sentence(run("export", "disk/model", "--stride", "4"))


def test_a_folder_that_goes_away_in_the_middle(home: Path) -> None:
    """The engine's own file stays open; the place for the results does not."""
    code = """
import shutil, sys, pixelfast
from pathlib import Path
def gone(progress):
    shutil.rmtree("out", ignore_errors=True)
try: pixelfast.score("new", "ae.onnx", out="out/scores.parquet", progress=gone)
except pixelfast.OutputError as error: print(error)
"""
    (home / "out").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, capture_output=True, text=True, timeout=60, check=True
    )
    assert "cannot be written" in done.stdout
    assert "out" in done.stdout
    assert not (home / "out").exists()
