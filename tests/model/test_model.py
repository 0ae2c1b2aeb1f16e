"""Model folders: written whole or not at all."""

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disk import file_size_limit, locked_folder
from made_models import CONTENT, MANIFEST, content_of, measure
from pixelfast.errors import ModelError, OutputError, PixelfastError
from pixelfast.methods.registry import find_method
from pixelfast.model import FileFacts, Flip, Manifest, Model, PlanFacts, Training
from pixelfast.model.folder import _put_in_place
from pixelfast.model.manifest import read_manifest, write_manifest

# Writing and reading back


def test_a_written_model_reads_back(model: Model, workdir: Path, tmp_path: Path) -> None:
    loaded = Model.load(str(tmp_path / "model"))
    assert loaded == model
    assert loaded.manifest == replace(MANIFEST, files=loaded.manifest.files)
    assert loaded.manifest.files == {
        name: FileFacts(hashlib.sha256(content).hexdigest(), len(content)) for name, content in CONTENT.items()
    }
    assert set(content_of(model.folder)) == {*CONTENT, "model.json"}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["model", "work"]
    assert len(content_of(workdir)) == len(CONTENT) + 2


def test_files_may_be_named(workdir: Path, tmp_path: Path) -> None:
    assert list(Model.write(workdir, tmp_path / "m", MANIFEST, files=["ae.onnx"]).manifest.files) == ["ae.onnx"]
    with pytest.raises(ModelError, match=r"work/none\.onnx does not exist: train first"):
        Model.write(workdir, tmp_path / "n", MANIFEST, files=["none.onnx"])
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["m", "work"]


WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)
MANIFESTS = st.builds(
    Manifest,
    method=WORD,
    recipe=WORD,
    window=st.integers(1, 64),
    height=st.integers(1, 2048),
    width=st.integers(1, 2048),
    grid=st.integers(1, 64),
    stride=st.integers(1, 64),
    training=st.none()
    | st.builds(
        Training,
        st.lists(WORD).map(tuple),
        st.integers(1, 99),
        st.integers(1, 10**7),
        st.dictionaries(WORD, st.none() | FINITE | WORD | st.lists(FINITE)),
    ),
    flip=st.none() | st.builds(Flip, st.none() | FINITE, st.booleans(), FINITE),
    calibrations=st.lists(
        st.lists(FINITE, min_size=1, max_size=50).map(lambda values: measure(np.array(values))), max_size=2
    ).map(tuple),
    files=st.dictionaries(
        st.sampled_from(["ae.onnx", "motion.s4.onnx", "a b.plan"]),
        st.builds(FileFacts, st.binary(max_size=3).map(lambda data: hashlib.sha256(data).hexdigest()), st.integers(0)),
    ),
    notes=st.lists(WORD).map(tuple),
)


@given(MANIFESTS)
def test_any_manifest_reads_back(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> None:
    path = tmp_path_factory.mktemp("manifest") / "model.json"
    write_manifest(manifest, path)
    assert read_manifest(path) == manifest


def test_reports_of_any_training_fit_into_json(tmp_path: Path) -> None:
    report = {
        "loss": np.float32(0.5),
        "steps": np.arange(3),
        "best": float("nan"),
        "path": Path("a"),
        "pair": (1, None),
    }
    write_manifest(replace(MANIFEST, training=Training((), 1, 1, report)), tmp_path / "model.json")
    training = read_manifest(tmp_path / "model.json").training
    assert training is not None
    assert training.report == {"loss": 0.5, "steps": [0, 1, 2], "best": None, "path": "a", "pair": [1, None]}


def test_fields_of_a_later_version_are_passed_over(model: Model) -> None:
    path = model.folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "colour": "blue"}))
    assert Model.load(model.folder) == model


# Questions


def test_engines_by_stride(model: Model) -> None:
    assert model.engine() == model.folder / "ae.onnx"
    assert model.flip_engine() == model.folder / "flip.onnx"
    sentence = f"{model.folder} has no ae.s4.onnx, the engine for stride 4: make it with: pixelfast export"
    with pytest.raises(ModelError, match=re.escape(sentence)):
        model.engine(4)
    files = {name.replace("ae", "motion"): facts for name, facts in model.manifest.files.items()}
    motion = Model(model.folder, replace(model.manifest, method="motion", flip=None, files=files))
    assert motion.engine() == model.folder / "motion.onnx"
    assert motion.flip_engine() is None
    with pytest.raises(PixelfastError, match="the method must be density, motion or reconstruction, not 'dream'"):
        find_method("dream")


def test_a_calibration_is_for_its_engine_and_settings_alone(model: Model) -> None:
    mean, worst = MANIFEST.calibrations
    assert model.calibration(model.engine(), 1, "mean", "mean", 3) == mean
    assert model.calibration("ae.onnx", 1, "mean", "worst", 3) == worst
    for other in [
        ("ae.s4.onnx", 1, "mean", "mean", 3),
        ("ae.onnx", 4, "mean", "mean", 3),
        ("ae.onnx", 1, "max", "mean", 3),
        ("ae.onnx", 1, "mean", "mean", 7),
    ]:
        assert model.calibration(*other) is None


# Whole or not at all


def test_an_older_model_is_replaced(model: Model, workdir: Path) -> None:
    (workdir / "ae.onnx").write_bytes(b"newer")
    (workdir / "flip.onnx").unlink()
    (model.folder / "ae.s4.onnx").touch()
    (model.folder / ".DS_Store").touch()
    Model.write(workdir, model.folder, replace(MANIFEST, notes=()))
    loaded = Model.load(model.folder)
    assert (model.folder / "ae.onnx").read_bytes() == b"newer"
    assert set(content_of(model.folder)) == {"ae.safetensors", "ae.onnx", "flip.safetensors", "model.json"}
    assert loaded.manifest.notes == ()
    assert len(list(model.folder.parent.iterdir())) == 2


def test_an_empty_folder_and_a_link_to_a_model_are_written_to(model: Model, workdir: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(model.folder)
    for out in ("empty", "link"):
        Model.write(workdir, tmp_path / out, replace(MANIFEST, notes=(out,)))
        assert Model.load(tmp_path / out).manifest.notes == (out,)
    assert (tmp_path / "link").is_symlink()


def test_what_is_no_model_is_not_replaced(model: Model, workdir: Path, tmp_path: Path) -> None:
    cases = {
        "holiday": (["photo.jpg"], r"holds what is no part of a model \(photo\.jpg\), and is not replaced: move that"),
        "repository": ([".git", "model.json"], r"holds what is no part of a model \(\.git\)"),
        "spare": (["flip.onnx"], r"is not empty and holds no model\.json, so it is not replaced"),
        "lone": (["ae.onnx"], r"holds what is no part of a model \(ae\.onnx\)"),
    }
    for name, (files, sentence) in cases.items():
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).write_bytes(b"mine")
        for attempt in (Model.check_out, lambda out: Model.write(workdir, out, MANIFEST)):
            with pytest.raises(OutputError, match=sentence):
                attempt(tmp_path / name)
        assert content_of(tmp_path / name) == dict.fromkeys(files, b"mine")
    (model.folder / "scores.csv").touch()
    with pytest.raises(OutputError, match=r"holds what is no part of a model \(scores\.csv\)"):
        Model.check_out(model.folder)


def test_places_that_cannot_be_written_are_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file is a file: give the name of a folder"):
        Model.check_out(tmp_path / "file")
    with pytest.raises(OutputError, match=r"none/model cannot be written: there is no folder"):
        Model.check_out(tmp_path / "none" / "model")
    with (
        locked_folder() as folder,
        pytest.raises(OutputError, match=r"model cannot be written: there is no permission"),
    ):
        Model.check_out(folder / "model")
    Model.check_out(tmp_path / "new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_leaves_the_older_model(model: Model, workdir: Path) -> None:
    before = content_of(model.folder)
    (workdir / "ae.onnx").write_bytes(bytes(1_000_000))
    with file_size_limit(100_000), pytest.raises(OutputError, match="model cannot be written: the file grew"):
        Model.write(workdir, model.folder, MANIFEST)
    assert content_of(model.folder) == before
    assert len(list(model.folder.parent.iterdir())) == 2


def test_a_folder_that_cannot_get_its_name_gives_it_back(model: Model, tmp_path: Path) -> None:
    before = content_of(model.folder)
    with pytest.raises(FileNotFoundError):
        _put_in_place(tmp_path / "vanished", model.folder)
    assert content_of(model.folder) == before


def test_nothing_trained_is_nothing_to_write(tmp_path: Path) -> None:
    for workdir in (tmp_path, tmp_path / "none"):
        with pytest.raises(ModelError, match="holds no trained files"):
            Model.write(workdir, tmp_path / "model", MANIFEST)
    assert list(tmp_path.iterdir()) == []


# Adding


def test_an_engine_is_added_with_its_calibration(model: Model, tmp_path: Path) -> None:
    (tmp_path / "made.onnx").write_bytes(b"strided")
    calibration = measure(np.arange(9.0), engine="ae.s4.onnx", stride=4)
    added = model.add({"ae.s4.onnx": tmp_path / "made.onnx"}, [calibration])
    assert Model.load(model.folder) == added
    assert added.engine(4).read_bytes() == b"strided"
    assert added.calibration("ae.s4.onnx", 4, "mean", "mean", 3) == calibration
    assert added.manifest.calibrations == (*MANIFEST.calibrations, calibration)


def test_a_replaced_engine_loses_its_calibrations(model: Model) -> None:
    model.engine().write_bytes(b"in place")
    added = model.add({"ae.onnx": model.engine()})
    assert Model.load(model.folder) == added
    assert added.manifest.calibrations == ()
    assert added.engine().read_bytes() == b"in place"


def test_what_was_added_meanwhile_stays(model: Model, tmp_path: Path) -> None:
    for name in ("first", "second", "third"):
        (tmp_path / name).write_bytes(name.encode())
    model.add({"ae.s4.onnx": tmp_path / "first"})
    earlier = Model.load(model.folder)
    Model.load(model.folder).add({"ae.s4.onnx": tmp_path / "second"})
    added = earlier.add({"ae.s2.onnx": tmp_path / "third"})
    assert Model.load(model.folder) == added
    assert added.engine(4).read_bytes() == b"second"
    assert added.engine(2).read_bytes() == b"third"


def test_additions_at_the_same_time_are_all_kept(model: Model, tmp_path: Path) -> None:
    strides = range(2, 18)
    for stride in strides:
        (tmp_path / f"{stride}").write_bytes(bytes(stride))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda stride: model.add({f"ae.s{stride}.onnx": tmp_path / f"{stride}"}), strides))
    loaded = Model.load(model.folder)
    assert {stride: loaded.engine(stride).stat().st_size for stride in strides} == {one: one for one in strides}


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_plan_is_built_again(model: Model, tmp_path: Path, damage: str) -> None:
    (tmp_path / "made.plan").write_bytes(b"plan")
    facts = PlanFacts("fp16", 16, 128, 128, "8.6", "tensorrt_rtx", "1.7", "0" * 64)
    plan = model.add({"ae.fp16.plan": tmp_path / "made.plan"}, plans={"ae.fp16.plan": facts}).folder / "ae.fp16.plan"
    plan.unlink() if damage == "missing" else plan.write_bytes(b"nalp")
    command = re.escape(f"pixelfast export {model.folder} --to plan --precision fp16 --call-sizes 16,128,128")
    with pytest.raises(ModelError, match=rf"ae\.fp16\.plan is .*: build it again: {command}$"):
        Model.load(model.folder)
    Model.load(model.folder, plans=False).add({plan.name: tmp_path / "made.plan"}, plans={plan.name: facts})
    assert Model.load(model.folder).manifest.plans == {plan.name: facts}


def test_a_plan_may_be_for_one_model_of_gpu_and_older_manifests_do_not_say(model: Model, tmp_path: Path) -> None:
    (tmp_path / "made.plan").write_bytes(b"plan")
    facts = PlanFacts("fp16", 16, 128, 128, "8.6", "tensorrt", "10.8", "0" * 64, "NVIDIA A10")
    model = model.add({"ae.plan": tmp_path / "made.plan"}, plans={"ae.plan": facts})
    assert Model.load(model.folder).manifest.plans == {"ae.plan": facts}
    path = model.folder / "model.json"
    content = json.loads(path.read_text())
    del content["plans"]["ae.plan"]["gpu"]
    path.write_text(json.dumps(content))
    assert Model.load(model.folder).manifest.plans == {"ae.plan": replace(facts, gpu=None)}


def test_an_addition_that_fails_leaves_a_model_that_loads(model: Model, tmp_path: Path) -> None:
    (tmp_path / "made.onnx").write_bytes(bytes(1_000_000))
    with file_size_limit(100_000), pytest.raises(OutputError, match=r"ae\.onnx cannot be written: the file grew"):
        model.add({"ae.onnx": tmp_path / "made.onnx"})
    left = Model.load(model.folder)
    assert set(left.manifest.files) == set(CONTENT) - {"ae.onnx"}
    assert (model.folder / "ae.onnx").read_bytes() == CONTENT["ae.onnx"]
