"""The examples run: those in the docstrings of the public names, and the scripts in examples/, on the drawn scene."""

import doctest
import inspect
import runpy
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import pixelfast
import pixelfast.ray
from films import walk, write_film
from oracles.networks import seeded_autoencoder
from pixelfast.demo.scene import SceneSpec, generate_scene
from pixelfast.methods.density import recipe as density
from pixelfast.methods.motion import recipe as motion
from pixelfast.methods.reconstruction import recipe as reconstruction
from pixelfast.methods.trained import Recipe

NAMES = [name for name in pixelfast.__all__ if name != "__version__"]
SCRIPTS = Path(__file__).parent.parent / "examples"
SCENE = SceneSpec(seed=5, height=96, width=160, train_videos=2, train_frames=48, test_videos=2, test_frames=40)


def tiny(whole: Recipe, **own: object) -> Recipe:
    """A recipe of seconds in the place of one of minutes."""
    flip = replace(whole.flip, frames=32, epochs=1, least_steps=1, batch=16)
    return replace(whole, own=replace(whole.own, epochs=1, **own), flip=flip)


def run_examples(name: str, home: ModuleType = pixelfast) -> None:
    """Runs the examples of one public name and of its methods, as a user would type them."""
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    names = {"pixelfast": pixelfast, "np": np}
    for examples in doctest.DocTestFinder().find(getattr(home, name), name, globs=names):
        runner.run(examples)
    assert (runner.failures, runner.tries > 0) == (0, True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where examples run: `normal/`, `new/`, `cam1.mp4`, `labels.csv`, and what those of `train` and `score` make.

    A recipe of seconds stands in for the default one of minutes.
    """
    home = tmp_path_factory.mktemp("examples")
    scene = generate_scene(home / "scene", SCENE)
    for name, there in {"normal": scene.train, "new": scene.test, "labels.csv": scene.labels}.items():
        (home / name).symlink_to(there)
    write_film(home / "cam1.mp4", walk(40))
    torch.save(seeded_autoencoder(0).state_dict(), home / "autoencoder.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        small = {"channels": 4, "least_steps": None, "precisions": ("fp32",), "batches": (8,)}
        patch.setitem(reconstruction.RECIPES, "default", tiny(reconstruction.RECIPES["default"], **small))
        whole = density.RECIPES["default"]
        patch.setitem(density.RECIPES, "default", replace(whole, flip=tiny(reconstruction.RECIPES["default"]).flip))
        patch.setitem(motion.RECIPES, "default", tiny(motion.RECIPES["default"], hidden=8))
        run_examples("train")
        run_examples("score")
        yield home


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", sorted({*NAMES} - {"train", "score"}))
def test_examples_of(name: str) -> None:
    run_examples(name)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("own_footage.py normal new", "most unusual: "),
        ("false_alarms.py model new 1", "the model that knows is wiser-model"),
        ("camera.py cam1.mp4 model", "40 frames watched"),
        ("submission.py normal new labels.csv", "submission.csv: 80 rows"),
        ("compare_methods.py normal new labels.csv", "furthest apart: "),
    ],
)
def test_script(command: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", command.split())
    runpy.run_path(str(SCRIPTS / sys.argv[0]), run_name="__main__")
    assert said in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")  # Ray's, of its own defaults
@pytest.mark.usefixtures("folder", "cluster")
def test_those_of_a_cluster(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["ray_cluster.py", "new", "model", "cluster.parquet"])
    runpy.run_path(str(SCRIPTS / sys.argv[0]), run_name="__main__")
    said = capsys.readouterr().out
    assert "80 of 80 frames" in said
    assert said.count("most unusual: ") == 3
    run_examples("score", pixelfast.ray)


def test_every_script_is_listed() -> None:
    scripts = {path.name for path in SCRIPTS.glob("*.py")}
    assert all(f"`{name} " in (SCRIPTS / "README.md").read_text() for name in scripts)
    assert all(len((SCRIPTS / name).read_text().splitlines()) <= 40 for name in scripts)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example(name: str) -> None:
    thing = getattr(pixelfast, name)
    members = vars(thing).items() if inspect.isclass(thing) else ()
    own = {f"{name}.{key}": getattr(thing, key) for key, value in members if _is_public_method(key, value)}
    assert [key for key, one in {name: thing, **own}.items() if ">>> " not in (one.__doc__ or "")] == []


def _is_public_method(name: str, value: object) -> bool:
    kinds = (property, classmethod, staticmethod)
    return not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, kinds))
