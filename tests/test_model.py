"""Model folders: written whole or not at all, and every kind of damage found before use."""

import hashlib
import json
import os
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disk import file_size_limit, locked_folder
from pixelfast.errors import ModelError, OutputError
from pixelfast.manifest import read_manifest, write_manifest
from pixelfast.model import Calibration, FileFacts, Flip, Manifest, Model, Training, _put_in_place

CONTENT = {"ae.safetensors": b"weights" * 999, "ae.onnx": b"graph" * 999, "flip.onnx": b"flip", "flip.safetensors": b""}


def measure(values: np.ndarray, **changes: Any) -> Calibration:
    settings = {"engine": "ae.onnx", "precision": "fp32", "stride": 1, "how": "mean", "pool": "mean", "smooth": 3}
    return Calibration.measure(values, **{**settings, **changes})


MANIFEST = Manifest(
    method="reconstruction",
    recipe="default",
    window=16,
    height=128,
    width=128,
    grid=8,
    training=Training(("training",), 16, 2550, {"loss": [0.1, 0.05], "epochs": 2}),
    flip=Flip(0.998, trusted=True),
    calibrations=(measure(np.linspace(0, 1, 500)), measure(np.linspace(0, 1, 500), pool="worst")),
    notes=("a note",),
)


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    """What training leaves: trained files, and others that are no part of a model."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    (folder / "checkpoint.safetensors").write_bytes(b"later")
    (folder / "frames.u8").write_bytes(bytes(1000))
    return folder


@pytest.fixture
def model(workdir: Path, tmp_path: Path) -> Model:
    return Model.write(workdir, tmp_path / "model", MANIFEST)


def content_of(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


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
    height=st.integers(1, 4096),
    width=st.integers(1, 4096),
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
    assert model.engine_name(4) == "ae.s4.onnx"
    assert model.flip_engine() == model.folder / "flip.onnx"
    sentence = f"{model.folder} has no ae.s4.onnx, the engine for stride 4: make it with: pixelfast export"
    with pytest.raises(ModelError, match=re.escape(sentence)):
        model.engine(4)
    motion = Model(model.folder, replace(model.manifest, method="motion", flip=None))
    assert (motion.engine_name(), motion.engine_name(2)) == ("motion.onnx", "motion.s2.onnx")
    assert motion.flip_engine() is None
    with pytest.raises(ModelError, match="is for method dream; this pixelfast knows reconstruction and motion"):
        Model(model.folder, replace(model.manifest, method="dream")).engine()


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


# Calibration


def test_the_threshold_is_the_quantile_of_held_out_frames() -> None:
    values = np.random.default_rng(0).gamma(2, 1, 5000)
    assert measure(values).threshold == np.quantile(values, 0.999)


def test_the_tail_is_the_share_of_frames_at_or_above() -> None:
    values = np.random.default_rng(1).gamma(2, 1, 20_000)
    calibration = measure(values)
    asked = np.concatenate([values[:500], np.linspace(-1, 30, 200)])
    share = (values >= asked[:, None]).mean(axis=1)
    tail = calibration.tail(asked)
    assert np.abs(tail - share).max() < 0.004  # between quantiles a hundredth apart
    high = asked > np.quantile(values, 0.99)
    assert np.abs(tail - share)[high].max() < 0.0004
    assert calibration.tail(np.array([values.max(), np.nextafter(values.max(), 99), values.min()])).tolist() == [
        pytest.approx(1 / 20_000),
        0,
        1,
    ]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.lists(st.floats(-1, 6), min_size=1))
def test_the_tail_falls_from_one_to_zero(values: list[int], asked: list[float]) -> None:
    held_out = np.array(values, dtype=np.float64)
    tail = measure(held_out).tail(np.sort(asked))
    assert np.all((tail >= 0) & (tail <= 1))
    assert np.all(np.diff(tail) <= 1e-12)
    assert measure(held_out).tail(np.array([held_out.min(), held_out.max() + 1])).tolist() == [1, 0]


def test_the_tail_is_exact_at_each_measured_frame_where_quantiles_are_dense() -> None:
    values = np.arange(101.0)
    assert np.allclose(measure(values).tail(values), (101 - np.arange(101)) / 101)
    tied = np.repeat([0.0, 1.0, 2.0], [50, 40, 11])
    assert np.allclose(measure(tied).tail(np.array([0.0, 1.0, 2.0])), [1, 51 / 101, 11 / 101])


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [np.inf]])
def test_a_calibration_needs_finite_scores(values: list[float]) -> None:
    with pytest.raises(ModelError, match=r"ae\.onnx cannot be calibrated: it needs finite scores"):
        measure(np.array(values))


# Damage


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
        "lone": (["ae.onnx"], r"is not empty and holds no model\.json, so it is not replaced"),
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


def test_an_addition_that_fails_leaves_a_model_that_loads(model: Model, tmp_path: Path) -> None:
    (tmp_path / "made.onnx").write_bytes(bytes(1_000_000))
    with file_size_limit(100_000), pytest.raises(OutputError, match=r"ae\.onnx cannot be written: the file grew"):
        model.add({"ae.onnx": tmp_path / "made.onnx"})
    left = Model.load(model.folder)
    assert set(left.manifest.files) == set(CONTENT) - {"ae.onnx"}
    assert (model.folder / "ae.onnx").read_bytes() == CONTENT["ae.onnx"]
