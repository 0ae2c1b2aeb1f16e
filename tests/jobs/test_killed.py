"""Whatever moment a command is killed at, running it again gives what it would have given, and nothing is left over."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from footage import walking_square
from frame_files import write_video
from killing import Deed, different, tree
from pixelfast.errors import OutputError
from pixelfast.files.locks import alone_with
from pixelfast.jobs.train import train_model
from pixelfast.methods.trained import TrainingRequest
from pixelfast.model import Model
from tiny_engines import write_frame_engine

TRAINING = """
import sys
import pixelfast.api
from pixelfast.jobs.train import train_model
from pixelfast.methods.trained import TrainingRequest
{recipe}
train_model("new", "out/model", TrainingRequest(resume="--resume" in sys.argv, **settings))
"""
RECONSTRUCTION = """
from dataclasses import replace
from tiny_trainings import TINY
recipe = replace(TINY, own=replace(TINY.own, epochs=2))
settings = dict(method="reconstruction", recipe=recipe, precision="fp32", batch=8, threads=1)
"""
DENSITY = """
from street import QUICK
settings = dict(method="density", recipe=QUICK, threads=1)
"""
CLI = ("-m", "pixelfast")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent / "made"))
    write_footage(tmp_path / "new", videos=6)
    return tmp_path


def write_footage(folder: Path, videos: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name in range(1, videos + 1):
        write_video(folder / f"{name:02}", walking_square(40, seed=name, size=96))


def killed_anywhere(deed: Deed, count: int, after_kill: Callable[[Path], object] | None = None) -> None:
    """Kills a deed at moments, each time runs it again, and compares; a look at the rests can be had in between."""
    wanted, whole = deed.undisturbed()
    assert not [name for name in wanted if ".pixelfast-" in name]
    for share in deed.moments(count):
        moment, begun = share * whole, time.monotonic()
        while not deed.killed(moment):  # it ended before: this machine is less busy than it was
            whole = min(whole, time.monotonic() - begun)
            moment, begun = min(moment, whole) * 0.9, time.monotonic()
        left = sorted(tree(deed.out))
        seen = None if after_kill is None else after_kill(deed.out)
        for name in left:
            assert ".pixelfast-" in name or ".training/" in name or name in wanted, f"{name} has a final name"
            if name == "model/model.json":
                Model.load(deed.out / "model")  # whole, though a faster engine may still be missing
            elif ".pixelfast-" not in name and ".training/" not in name and deed.prepare is None:
                assert (deed.out / name).read_bytes() == wanted[name], f"{name} is half written"
        # What takes no folder that holds something says so where it had finished.
        said = deed.once_more(refused="clean" in deed.command and wanted.keys() <= set(left))
        got = tree(deed.out)
        assert different(got, wanted) == [], f"killed after {moment:.2f} s of {whole:.2f}, it left {left}: {said}"
        if callable(seen):
            seen()


def times(few: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("count", [few, pytest.param(20, marks=pytest.mark.long)])


def parts_stay(out: Path) -> Callable[[], None]:
    """Of the parts that are there now: says, later, whether one of them was written again."""
    before = {path.name: path.stat().st_ino for path in out.glob("*.parts/[!.]*.arrow")}

    def check() -> None:
        after = {path.name: path.stat().st_ino for path in out.glob("*.parts/[!.]*.arrow")}
        assert before.items() <= after.items(), "a finished video was scored again"

    return check


@times(3)
def test_score(home: Path, count: int) -> None:
    write_frame_engine(home / "ae.onnx", size=128)
    outputs = ("--out", "out/scores.csv", "--out", "out/scores.parquet", "--events", "out/events.csv")
    killed_anywhere(Deed(home, (*CLI, "score", "new", "--engine", "ae.onnx", *outputs)), count, parts_stay)


@times(3)
def test_merge(home: Path, count: int) -> None:
    engine = write_frame_engine(home / "ae.onnx", size=128)
    scored = Deed(home, (*CLI, "score", "new", "--engine", str(engine), "--out", "out/s.csv", "--parts", "parts"))
    scored.undisturbed()
    outputs = ("--out", "out/scores.csv", "--out", "out/scores.parquet")
    killed_anywhere(Deed(home, (*CLI, "merge", "parts", *outputs)), count)


@times(3)
def test_clean(home: Path, model: Model, count: int) -> None:
    command = (*CLI, "clean", "new", "--model", str(model.folder), "--out", "out/clean", "--copy", "--flip", "always")
    killed_anywhere(Deed(home, command), count)


@times(3)
def test_train(home: Path, count: int) -> None:
    write_footage(home / "new", videos=2)
    code = TRAINING.format(recipe=RECONSTRUCTION)
    killed_anywhere(Deed(home, ("-c", code), ("-c", code, "--resume")), count)


@times(1)
def test_train_density(home: Path, count: int) -> None:
    write_footage(home / "new", videos=2)
    code = TRAINING.format(recipe=DENSITY)
    killed_anywhere(Deed(home, ("-c", code), ("-c", code, "--resume")), count)


@times(3)
def test_export(home: Path, made_once: Callable[..., Path], count: int) -> None:
    def train(folder: Path) -> None:
        write_footage(folder / "new", videos=2)
        Deed(folder, ("-c", TRAINING.format(recipe=RECONSTRUCTION))).undisturbed()

    trained = made_once("trained-to-export", train) / "out" / "model"
    deed = Deed(
        home, (*CLI, "export", "out/model", "--stride", "4"),
        prepare=lambda out: shutil.copytree(trained, out / "model"),
    )  # fmt: skip
    killed_anywhere(deed, count)


def test_the_second_of_two_trainings_is_refused_and_the_first_is_not_disturbed(home: Path) -> None:
    (home / "model.training").mkdir()
    (home / "model.training" / "autoencoder.checkpoint.pt").write_bytes(b"of the first")
    for request in (TrainingRequest(fresh=True), TrainingRequest(resume=True), TrainingRequest(method="density")):
        with alone_with(home / "model.training"), pytest.raises(OutputError, match=r"by another run that is still at"):
            train_model(home / "new", home / "model", request)
    assert tree(home / "model.training") == {"autoencoder.checkpoint.pt": b"of the first"}
