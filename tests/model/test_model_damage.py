"""Model folders: every kind of damage is found before use."""

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_models import MANIFEST
from pixelfast.errors import ModelError
from pixelfast.model import FileFacts, Model
from pixelfast.model.manifest import read_manifest, write_manifest


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """A change to the facts in model.json."""

    def edit(folder: Path) -> None:
        facts = json.loads((folder / "model.json").read_text())
        change(facts)
        (folder / "model.json").write_text(json.dumps(facts))

    return edit


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda f: (f / "model.json").unlink(), "{} holds no model.json, so it is no model folder"),
        (lambda f: (f / "model.json").write_text('{"format": 1,'), "{}/model.json is damaged, it is no JSON"),
        (lambda f: (f / "model.json").write_bytes(b"\xff\xfe\x00"), "{}/model.json is damaged, it is no JSON"),
        (lambda f: (f / "model.json").write_text("[" * 100_000), "{}/model.json is damaged, it is no JSON"),
        (lambda f: (f / "model.json").write_text("[]"), "{}/model.json is damaged: it should be an object"),
        (lambda f: (f / "ae.onnx").unlink(), "{}/ae.onnx is missing, though model.json lists it"),
        (lambda f: (f / "ae.onnx").write_bytes(b"x"), "{}/ae.onnx is not the file that model.json lists"),
        (lambda f: (f / "flip.onnx").write_bytes(b"flop"), "{}/flip.onnx is not the file that model.json lists"),
        (edited(lambda m: m.update(format=2)), "{}/model.json has format 2, and this pixelfast reads format 1: use"),
        (edited(lambda m: m.pop("format")), "format should be a whole number from 1, and is missing"),
        (edited(lambda m: m.update(window="16")), "window should be a whole number from 1, and is '16'"),
        (edited(lambda m: m.update(grid=0)), "grid should be a whole number from 1, and is 0"),
        (edited(lambda m: m.update(height=True)), "height should be a whole number from 1, and is True"),
        (edited(lambda m: m.update(method="")), "method should be a text"),
        (edited(lambda m: m.update(notes=[1])), "notes should be a list of texts, and is [1]"),
        (edited(lambda m: m.update(training=[])), "training should be an object"),
        (edited(lambda m: m["training"].pop("report")), "training.report should be an object, and is missing"),
        (edited(lambda m: m["flip"].update(trusted=1)), "flip.trusted should be true or false, and is 1"),
        (edited(lambda m: m["flip"].update(threshold=None)), "flip.threshold should be a number, and is None"),
        (edited(lambda m: m["flip"].update(threshold=10**400)), "flip.threshold should be a number, and is 1000"),
        (edited(lambda m: m.update(calibrations={})), "calibrations should be a list, and is {}"),
        (edited(lambda m: m["calibrations"][1].update(how=3)), "calibrations[1].how should be a text, and is 3"),
        (edited(lambda m: m["calibrations"][0]["quantiles"].reverse()), "[0].probabilities should be rising"),
        (edited(lambda m: m["calibrations"][0]["quantiles"].pop()), "[0].probabilities should be rising"),
        (edited(lambda m: m["calibrations"][0].update(probabilities=[2, 3])), "should be rising numbers from 0 to 1"),
        (edited(lambda m: m["calibrations"][0].update(quantiles=["a"])), "quantiles should be a list of numbers"),
        (edited(lambda m: m["files"].update({"../x.onnx": {}})), "files should be names of files in the folder itself"),
        (edited(lambda m: m["files"]["ae.onnx"].update(sha256="00")), "files.ae.onnx.sha256 should be 64 hexadecimal"),
        (edited(lambda m: m["files"]["ae.onnx"].update(bytes=-1)), "ae.onnx.bytes should be a whole number from 0"),
    ],
)  # fmt: skip
def test_damage_gets_a_sentence(model: Model, damage: Callable[[Path], object], sentence: str) -> None:
    damage(model.folder)
    with pytest.raises(ModelError) as caught:
        Model.load(model.folder)
    assert sentence.replace("{}/", f"{model.folder}/").replace("{} ", f"{model.folder} ") in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=300)
@given(st.data())
def test_no_change_to_a_field_gets_past_as_anything_but_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damage") / "model.json"
    write_manifest(replace(MANIFEST, files={"ae.onnx": FileFacts("0" * 64, 1)}), path)
    facts = json.loads(path.read_text())
    holder: Any = facts
    while True:
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        holder = inner
    holder[key] = data.draw(st.sampled_from([None, True, -1, 0.5, 10**400, "x", [], {}, [[]], float("nan")]))
    path.write_text(json.dumps(facts))
    try:
        read_manifest(path)
    except ModelError as error:
        assert str(path) in str(error)


def test_what_is_no_folder_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none does not exist: give the folder that training wrote"):
        Model.load(tmp_path / "none")
    (tmp_path / "ae.onnx").touch()
    with pytest.raises(ModelError, match=r"ae\.onnx is a file, not a model folder"):
        Model.load(tmp_path / "ae.onnx")


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    trap, sprung = pickle.dumps(Trap(tmp_path / "sprung")), tmp_path / "sprung"
    pickle.loads(trap)
    assert sprung.is_dir()  # the trap works
    sprung.rmdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "ae.safetensors").write_bytes(trap)
    model = Model.write(tmp_path / "work", tmp_path / "model", MANIFEST)
    Model.load(model.folder)
    (model.folder / "model.json").write_bytes(trap)
    with pytest.raises(ModelError, match="is damaged, it is no JSON"):
        Model.load(model.folder)
    assert not sprung.exists()
