"""The fastest engine of a folder: by a table, remembered, overridable, and only among those that are right."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

import pixelfast
from footage import walking_square
from pixelfast.errors import GpuMemoryError
from pixelfast.machine.gpu import Gpu
from pixelfast.methods.choose import choose_engine
from pixelfast.methods.fastest import MEASURED, fastest_engine, remembered
from pixelfast.methods.reconstruction.engine import AE
from pixelfast.model import Model
from pixelfast.model.names import EngineName
from tiny_engines import constant, write_frame_engine, write_model

BUSY = 200


@pytest.fixture(autouse=True)
def _no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def write_slow_engine(path: Path) -> Path:
    """The same results after much work for nothing."""
    tail = [constant("nothing", np.zeros(1), np.float32), helper.make_node("Mul", ["cells", "nothing"], ["work0"])]
    tail += [helper.make_node("Sin", [f"work{index}"], [f"work{index + 1}"]) for index in range(BUSY)]
    return write_frame_engine(path, tail=[*tail, helper.make_node("Add", ["cells", f"work{BUSY}"], ["window_errors"])])


@pytest.fixture
def pair(tmp_path: Path) -> Model:
    """A model whose float32 engine is slow, and whose int8 engine is not."""
    model = write_model(tmp_path / "model")
    slow = write_slow_engine(tmp_path / "slow.onnx")
    return model.add({"ae.onnx": slow, "ae.int8.onnx": write_frame_engine(tmp_path / "fast.onnx")})


def test_the_fastest_is_taken_tried_once_and_remembered(pair: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    choice = choose_engine(pair.folder)
    assert choice.path.name == "ae.int8.onnx"
    assert len(choice.notes) == 1
    assert "the fastest engine of" in choice.notes[0]
    assert "ae.onnx" in choice.notes[0]
    (known,) = remembered().values()
    assert (known.engine, known.model) == ("ae.int8.onnx", str(pair.folder))
    monkeypatch.setattr("pixelfast.methods.fastest.try_engine", lambda *_: pytest.fail("tried again"))
    again = choose_engine(pair.folder, threads=7)
    assert (again.path, again.notes) == (choice.path, choice.notes)


def test_no_speed_changes_the_choice(pair: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.add({"ae.int8.onnx": write_slow_engine(tmp_path / "slower.onnx"), "ae.onnx": tmp_path / "fast.onnx"})
    monkeypatch.setattr("pixelfast.runtime.trial.calls_a_second", lambda *_: pytest.fail("something was timed"))
    assert choose_engine(pair.folder, threads=1).path.name == "ae.int8.onnx"
    MEASURED.file.unlink()
    assert choose_engine(pair.folder, threads=2).path.name == "ae.int8.onnx"


@pytest.mark.parametrize(("bf16", "name"), [(True, "ae.bf16.onnx"), (False, "ae.onnx")])
def test_bf16_is_for_processors_that_multiply_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bf16: bool, name: str
) -> None:
    model = write_model(tmp_path / "model")
    model.add({"ae.bf16.onnx": write_frame_engine(tmp_path / "half.onnx")})
    monkeypatch.setattr("pixelfast.methods.fastest.multiplies_bf16", lambda: bf16)
    assert choose_engine(model.folder).path.name == name


def test_a_named_file_is_taken_as_it_is(pair: Model) -> None:
    assert choose_engine(pair.folder / "ae.onnx").path.name == "ae.onnx"
    assert not MEASURED.file.exists()


def test_what_changes_is_tried_anew(pair: Model, tmp_path: Path) -> None:
    choose_engine(pair.folder)
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x07broken")
    pair.add({"ae.int8.onnx": tmp_path / "broken.onnx"})
    assert choose_engine(pair.folder).path.name == "ae.onnx"
    assert len(remembered()) == 2
    assert fastest_engine(Model.load(pair.folder), EngineName("ae"), AE, 2)[0] == "ae.onnx"
    assert len(remembered()) == 2, "another number of threads is no other machine"


def test_a_folder_with_one_engine_is_not_tried(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", strides=(1, 4))
    assert choose_engine(model.folder, 4).path.name == "ae.s4.onnx"
    assert not MEASURED.file.exists()


def test_an_engine_that_does_not_run_is_passed_over(pair: Model, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x07broken")
    pair.add({"ae.int8.onnx": tmp_path / "broken.onnx"})
    assert choose_engine(pair.folder).path.name == "ae.onnx"


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"a": 1}', '{"a": {"model": 3}}'])
def test_a_damaged_memory_is_forgotten(pair: Model, damage: str) -> None:
    MEASURED.file.parent.mkdir(parents=True)
    MEASURED.file.write_text(damage)
    assert choose_engine(pair.folder).path.name == "ae.int8.onnx"
    assert len(remembered()) == 1


def test_without_a_place_to_remember_it_is_tried_each_time(pair: Model, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    for _ in range(2):
        assert len(choose_engine(pair.folder).notes) == 1


def test_scores_say_which_engine_made_them(pair: Model, make_source: object) -> None:
    source = make_source(a=walking_square(30, 1, 32))  # type: ignore[operator]
    scores = pixelfast.score(source, pair.folder)
    named = pixelfast.score(source, pair.folder / "ae.int8.onnx")
    np.testing.assert_array_equal(scores.raw, named.raw)


def test_an_engine_that_overflows_on_this_machine_is_passed_over(pair: Model, tmp_path: Path) -> None:
    tail = [
        constant("most", np.full(1, 10.0), np.float32),
        helper.make_node("Sub", ["most", "cells"], ["window_errors"]),
    ]
    pair.add({"ae.int8.onnx": write_frame_engine(tmp_path / "wrong.onnx", tail=tail)})
    assert choose_engine(pair.folder).path.name == "ae.onnx"


@pytest.fixture
def with_gpu(pair: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Gpu]:
    """The model has a plan, too, and the machine the GPU that stands in the list."""
    (tmp_path / "some.plan").write_bytes(b"plan")
    pair.add({"ae.plan": tmp_path / "some.plan"})
    gpus = [Gpu("H200", "595.10")]
    monkeypatch.setattr("pixelfast.methods.fastest.first_gpu", lambda: gpus[-1])
    return gpus


def test_what_is_remembered_is_of_the_gpu_and_its_driver(pair: Model, with_gpu: list[Gpu]) -> None:
    for one in (Gpu("H200", "595.10"), Gpu("H200", "595.20"), Gpu("RTX 4090", "595.20"), Gpu("H200", "595.10")):
        with_gpu.append(one)
        assert choose_engine(pair.folder).path.name == "ae.int8.onnx", "no plan runs here"
    assert len(remembered()) == 3


def test_looking_it_up_loads_neither_cuda_nor_pytorch(
    pair: Model, with_gpu: list[Gpu], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = choose_engine(pair.folder).path
    for name in ("pixelfast.methods.fastest.gpu_by_torch", "pixelfast.runtime.tensorrt.check.read_machine"):
        monkeypatch.setattr(name, lambda: pytest.fail("loaded"))
    monkeypatch.setattr("pixelfast.methods.fastest.try_engine", lambda *_: pytest.fail("tried again"))
    assert choose_engine(pair.folder).path == chosen


def test_an_engine_that_found_the_memory_full_is_tried_again(pair: Model, with_gpu: list[Gpu]) -> None:
    full = [True]

    def opened(path: Path, threads: int, origin: object = None, wish: object = None) -> object:
        if path.suffix == ".plan":
            if full:
                raise GpuMemoryError(f"{path}: the GPU's memory is full")
            path = path.with_suffix(".onnx")  # what it was built from
        return AE.load(path, threads)

    kind = replace(AE, load=opened)
    assert fastest_engine(Model.load(pair.folder), EngineName("ae"), kind, 1)[0] == "ae.int8.onnx"
    assert not remembered()
    full.clear()
    assert fastest_engine(Model.load(pair.folder), EngineName("ae"), kind, 1)[0] == "ae.plan"
    assert len(remembered()) == 1
