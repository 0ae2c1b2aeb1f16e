"""Engines: what they compute against NumPy, and the sentence for everything that is no engine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from footage import walking_square
from frame_files import write_video
from pixelfast.errors import EngineError, ModelError
from pixelfast.flip.engine import load_flip_engine
from pixelfast.methods.choose import choose_engine
from pixelfast.methods.reconstruction.engine import FrameEngine, load_window_engine
from pixelfast.methods.reconstruction.facts import largest_grid, window_facts
from pixelfast.model import Flip, Model
from pixelfast.runtime.onnx import OnnxRunner
from pixelfast.runtime.openvino import OpenVinoFrames, OpenVinoGraph
from pixelfast.runtime.pieces import Span
from tiny_engines import (
    SIZE,
    WINDOW,
    flip_probability,
    save_graph,
    window_errors,
    write_cuboid_engine,
    write_flip_engine,
    write_frame_engine,
    write_model,
)

FRAMES = walking_square(45, seed=2, size=SIZE)
TOLERANCE = {"rtol": 1e-5, "atol": 1e-8}


def starts_of(stride: int) -> range:
    return range(0, len(FRAMES) - WINDOW + 1, stride)


@pytest.mark.parametrize("own", [1, 4])
@pytest.mark.parametrize("stride", [1, 4, 7, 16])
def test_an_engine_of_frames_at_its_own_and_at_other_strides(tmp_path: Path, own: int, stride: int) -> None:
    engine = load_window_engine(write_frame_engine(tmp_path / "ae.onnx", own), threads=1)
    assert (engine.facts.kind, engine.facts.stride, engine.facts.batch) == ("frames", own, None)
    assert (engine.facts.window, engine.facts.height, engine.facts.width, engine.facts.grid) == (16, 32, 32, 8)
    np.testing.assert_allclose(engine.errors(FRAMES, stride), window_errors(FRAMES, starts_of(stride)), **TOLERANCE)


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("stride", [1, 4])
def test_openvino_agrees_with_onnx_runtime(tmp_path: Path, threads: int, stride: int) -> None:
    path = write_frame_engine(tmp_path / "ae.onnx", stride)
    engine = load_window_engine(path, threads)
    runner = OnnxRunner(path, threads)
    facts = window_facts(runner)
    assert isinstance(engine, FrameEngine)
    assert isinstance(
        OpenVinoFrames(OpenVinoGraph(path), Span(facts.window, facts.stride or 1), facts.precision, threads),
        type(engine._run),
    )
    for frames in (16, 17, 31, 45):
        np.testing.assert_allclose(engine.errors(FRAMES[:frames], stride), runner(FRAMES[:frames]), **TOLERANCE)


def test_openvino_does_not_call_home(tmp_path: Path) -> None:
    path = write_frame_engine(tmp_path / "ae.onnx")
    program = (
        "import sys; from pathlib import Path; from pixelfast.methods.reconstruction.engine import load_window_engine; "
        "load_window_engine(Path(sys.argv[1]), 1); assert 'openvino' in sys.modules; "
        "print([name for name in sys.modules if name.startswith('openvino_telemetry')])"
    )
    environment = os.environ | {"HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", program, str(path)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("batch", ["B", 1, 3])
@pytest.mark.parametrize("stride", [1, 7])
def test_an_engine_of_cuboids_with_any_batch(tmp_path: Path, batch: int | str, stride: int) -> None:
    engine = load_window_engine(write_cuboid_engine(tmp_path / "theirs.onnx", batch), threads=2)
    assert (engine.facts.kind, engine.facts.stride) == ("cuboids", None)
    for _ in range(2):  # the buffer of cuboids is used again
        errors = engine.errors(FRAMES, stride)
        np.testing.assert_allclose(errors, window_errors(FRAMES, starts_of(stride)), **TOLERANCE)


def test_frames_of_an_odd_size_get_the_finest_grid_that_fits(tmp_path: Path) -> None:
    assert [largest_grid(*size) for size in [(128, 128), (100, 100), (112, 96), (13, 26), (7, 5)]] == [8, 5, 8, 1, 1]
    engine = load_window_engine(write_cuboid_engine(tmp_path / "theirs.onnx", size=30), threads=1)
    frames = walking_square(20, size=30)
    assert engine.facts.grid == 6
    np.testing.assert_allclose(engine.errors(frames, 1), window_errors(frames, range(5), grid=6), **TOLERANCE)


def test_the_flip_classifier(tmp_path: Path) -> None:
    engine = load_flip_engine(write_flip_engine(tmp_path / "flip.onnx"), SIZE, SIZE, threads=1)
    mixed = FRAMES.copy()
    mixed[::3] = mixed[::3, ::-1]
    np.testing.assert_allclose(engine.probabilities(mixed), flip_probability(mixed), rtol=1e-4, atol=1e-7)
    assert (engine.probabilities(mixed) > 0.5).tolist() == [index % 3 == 0 for index in range(len(mixed))]


def value(name: str, dtype: int, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def identity(path: Path, dtype: int, shape: Sequence[int | str], **metadata: str) -> Path:
    """An engine that gives back what it gets."""
    node = helper.make_node("Identity", ["x"], ["y"])
    return save_graph(path, [node], (value("x", dtype, shape), value("y", dtype, shape)), metadata)


def text_file(path: Path) -> Path:
    path.write_text("this is no engine")
    return path


def cut_off(path: Path) -> Path:
    whole = write_frame_engine(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def rewritten(path: Path, **metadata: str) -> Path:
    """A good engine whose metadata say something else."""
    model = onnx.load(write_frame_engine(path))
    facts = {prop.key: prop.value for prop in model.metadata_props}
    helper.set_model_props(model, {**facts, **{f"pixelfast.{key}": text for key, text in metadata.items()}})
    onnx.save(model, path)
    return path


def two_inputs(path: Path) -> Path:
    shape = ["B", WINDOW, SIZE, SIZE]
    node = helper.make_node("Add", ["a", "b"], ["y"])
    ends = [value(name, TensorProto.FLOAT, shape) for name in "ab"]
    graph = helper.make_graph([node], "test", ends, [value("y", TensorProto.FLOAT, shape)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def one_value(path: Path) -> Path:
    """An autoencoder's input, but one number a cuboid for output."""
    node = helper.make_node("ReduceMean", ["x"], ["y"], keepdims=1)
    ends = (value("x", TensorProto.FLOAT, ["B", WINDOW, SIZE, SIZE]), value("y", TensorProto.FLOAT, [1, 1, 1, 1]))
    return save_graph(path, [node], ends)


REFUSED: list[tuple[Callable[[Path], Path], str]] = [
    (lambda path: path, "does not exist"),
    (folder, "is a folder, not an engine file"),
    (empty, r"is empty \(0 bytes\)"),
    (text_file, r"is no ONNX engine: it begins with b'this is no engin'"),
    (cut_off, r"cannot be loaded; cut off or damaged\? Copy or export it again"),
    (write_flip_engine, "is a flip engine, not a reconstruction engine"),
    (lambda path: rewritten(path, kind="motion"), "is a motion engine"),
    (lambda path: rewritten(path, format="2"), r"was written by a newer pixelfast \(format 2\)"),
    (lambda path: rewritten(path, stride="four"), "pixelfast.stride is 'four', not a whole number"),
    (lambda path: rewritten(path, stride="3"), r"19 frames give float32 \[4, 16, 8, 8\], not float32 \[2, 16, 8, 8\]"),
    (lambda path: identity(path, TensorProto.DOUBLE, ["B", 16, 32, 32]), r"does not fit: it has x float64 \[\?, 16"),
    (lambda path: identity(path, TensorProto.FLOAT, ["B", 3, 16, 32, 32]), "does not fit"),
    (lambda path: identity(path, TensorProto.FLOAT, ["B", 16, "H", "W"]), "does not tell its height"),
    (two_inputs, "does not fit: it has a float32"),
    (one_value, "gives no reconstruction"),
    (lambda path: identity(path, TensorProto.UINT8, [24, 16, 32]), "does not fit"),
]


@pytest.mark.parametrize(("make", "sentence"), REFUSED)
def test_what_is_no_engine_is_refused_with_a_sentence(
    tmp_path: Path, make: Callable[[Path], Path], sentence: str
) -> None:
    path = make(tmp_path / "engine.onnx")
    with pytest.raises(EngineError, match=sentence) as caught:
        load_window_engine(path, threads=1)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_sizes_that_the_shapes_leave_open_may_stand_in_the_metadata(tmp_path: Path) -> None:
    facts = {"height": "32", "width": "32"}
    path = identity(tmp_path / "open.onnx", TensorProto.FLOAT, ["B", 16, "H", "W"], **facts)
    errors = load_window_engine(path, threads=1).errors(FRAMES, 1)
    assert errors.shape == (30, 16, 8, 8)
    assert not errors.any()  # it gives back what it gets


def test_a_flip_classifier_for_other_frames_is_refused(tmp_path: Path) -> None:
    path = write_flip_engine(tmp_path / "flip.onnx")
    with pytest.raises(EngineError, match="takes frames of 32x32 pixels, the autoencoder beside it 64x64"):
        load_flip_engine(path, 64, 64, threads=1)
    with pytest.raises(EngineError, match="is no flip classifier"):
        load_flip_engine(write_frame_engine(tmp_path / "ae.onnx"), SIZE, SIZE, threads=1)


def test_a_model_folder_gives_the_engine_for_the_stride(model: Model) -> None:
    assert choose_engine(model.folder).path.name == "ae.onnx"
    assert choose_engine(model.folder, 1).path.name == "ae.onnx"
    fast = choose_engine(str(model.folder), 4)
    assert (fast.path.name, fast.notes, fast.sha256) == ("ae.s4.onnx", [], model.manifest.files["ae.s4.onnx"].sha256)
    other = choose_engine(model.folder, 5)
    assert other.path.name == "ae.onnx"
    assert "pixelfast export" in other.notes[0]
    assert "--stride 5" in other.notes[0]


def test_a_file_of_a_model_folder_brings_its_model(model: Model) -> None:
    choice = choose_engine(model.folder / "ae.s4.onnx")
    assert (choice.model, choice.notes) == (model, [])


def test_a_lone_file_says_what_it_lacks(frame_engine: Path, model: Model) -> None:
    choice = choose_engine(frame_engine)
    assert choice.model is None
    assert "without flip correction and threshold" in choice.notes[0]

    stranger = write_frame_engine(model.folder / "stranger.onnx")
    assert "does not list it" in choose_engine(stranger).notes[0]
    # A file of the folder that was exchanged is no part of the model any more.
    write_cuboid_engine(model.folder / "ae.onnx")
    exchanged = choose_engine(model.folder / "ae.onnx")
    assert exchanged.model is None
    assert "ae.onnx is not the file that model.json lists" in exchanged.notes[0]


def test_a_damaged_engine_beside_the_named_one_takes_nothing_from_it(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", strides=(1, 4), flip=Flip(None, trusted=True))
    (model.folder / "ae.s4.onnx").write_bytes(b"damaged")
    assert choose_engine(model.folder / "ae.onnx").model is not None
    with pytest.raises(ModelError, match=r"ae\.s4\.onnx is not the file"):
        choose_engine(model.folder)
    (model.folder / "flip.onnx").write_bytes(b"damaged")
    assert choose_engine(model.folder / "ae.onnx").model is None


def test_machines_that_share_the_work_take_the_engine_that_the_manifest_names(model: Model) -> None:
    for name in ("ae.int8.onnx", "ae.s4.int8.onnx"):
        shutil.copyfile(model.folder / "ae.onnx", model.folder / name)
    model = model.add({name: model.folder / name for name in ("ae.int8.onnx", "ae.s4.int8.onnx")})
    choice = choose_engine(model.folder, exact=True)
    assert choice.path == model.folder / "ae.onnx"
    assert choice.notes == [
        "ae.onnx is taken, not ae.int8.onnx, so that every machine gives the same: name a file for another"
    ]
    assert choose_engine(model.folder, 4, exact=True).path == model.folder / "ae.s4.onnx"
    assert choose_engine(model.folder / "ae.int8.onnx", exact=True).path == model.folder / "ae.int8.onnx"


@pytest.mark.parametrize(
    ("name", "mend"),
    [("weights.pth", "pixelfast convert"), ("ae.engine", "onnx"), ("ae", "onnx")],
)
def test_suffixes_that_this_version_does_not_run(tmp_path: Path, name: str, mend: str) -> None:
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(EngineError, match=f"is no engine that this version runs .*{mend}"):
        choose_engine(tmp_path / name)


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no model.json"):
        choose_engine(tmp_path)
    with pytest.raises(EngineError, match="does not exist"):
        choose_engine(tmp_path / "nothing")
    with pytest.raises(EngineError, match="does not exist"):
        choose_engine(tmp_path / "nothing.onnx")


def test_weights_beside_a_lone_engine_are_part_of_what_it_is(tmp_path: Path) -> None:
    path = write_frame_engine(tmp_path / "ae.onnx")
    alone = choose_engine(path).sha256
    (tmp_path / "ae.onnx.data").write_bytes(b"1")
    first = choose_engine(path).sha256
    (tmp_path / "ae.onnx.data").write_bytes(b"2")
    assert len({alone, first, choose_engine(path).sha256}) == 3


def test_scoring_with_an_onnx_file_imports_no_torch(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", flip=Flip(1.0, trusted=True))
    write_video(tmp_path / "footage" / "01", walking_square(20))
    program = (
        "import sys, pixelfast; "
        f"pixelfast.score({str(tmp_path / 'footage')!r}, {str(model.folder)!r}); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr
