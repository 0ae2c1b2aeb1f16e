"""Autoencoders of other people: taken as what they are, or refused with a sentence that says what they seem to be."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.errors import EngineError, PixelfastError
from pixelfast.methods.reconstruction.engine import load_window_engine
from pixelfast.methods.reconstruction.foreign import Told
from tiny_engines import SIZE, WINDOW, constant, window_errors, write_frame_engine, write_model

FRAMES = walking_square(40, seed=3, size=SIZE)
Ends = tuple[float, float]
RANGES = {"0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0), "0..255": (0.0, 255.0)}


def autoencoder(  # noqa: PLR0917 - as one reads it
    path: Path,
    shape: Sequence[int | str] = ("B", WINDOW, SIZE, SIZE),
    axis: int = 1,
    takes: Ends = (0, 1),
    gives: Ends = (0, 1),
    dtype: int = TensorProto.FLOAT,
    names: tuple[str, str] = ("x", "y"),
    **metadata: str,
) -> Path:
    """Reconstructs the frames of a window as their mean over `axis`, with values in the ranges `takes` and `gives`."""
    scale = (gives[1] - gives[0]) / (takes[1] - takes[0])
    number = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16}[dtype]
    nodes = [
        constant("axes", [axis]),
        constant("scale", scale, number),
        constant("shift", gives[0] - takes[0] * scale, number),
        constant("none", 0, number),
        helper.make_node("ReduceMean", [names[0], "axes"], ["mean"], keepdims=1),
        helper.make_node("Mul", ["mean", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["shifted"]),
        helper.make_node("Mul", [names[0], "none"], ["blank"]),
        helper.make_node("Add", ["blank", "shifted"], [names[1]]),
    ]
    return save(path, nodes, [(names[1], dtype, shape)], (names[0], dtype, shape), **metadata)


def save(  # noqa: PLR0917 - likewise
    path: Path,
    nodes: list[onnx.NodeProto],
    outputs: list[tuple[str, int, Sequence[int | str]]],
    taken: tuple[str, int, Sequence[int | str]] = ("x", TensorProto.FLOAT, ("B", WINDOW, SIZE, SIZE)),
    opset: int = 18,
    ir: int = 9,
    **metadata: str,
) -> Path:
    ends = [helper.make_tensor_value_info(*one) for one in (taken, *outputs)]
    graph = helper.make_graph(nodes, "theirs", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("their.domain", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=ir)
    helper.set_model_props(model, {f"pixelfast.{name}": text for name, text in metadata.items()})
    onnx.save(model, path)
    return path


def expect_the_usual_errors(path: Path, told: Told = Told(), rtol: float = 1e-4) -> None:  # noqa: B008
    engine = load_window_engine(path, 2, told=told)
    assert (engine.facts.window, engine.facts.height, engine.facts.width) == (WINDOW, SIZE, SIZE)
    expected = window_errors(FRAMES, range(0, len(FRAMES) - WINDOW + 1, 3))
    np.testing.assert_allclose(engine.errors(FRAMES, 3), expected, rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("batch", ["B", 1, 3])
@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.FLOAT16])
@pytest.mark.parametrize(("channel", "axis"), [(None, 1), (1, 2), (2, 1), (4, 1)])
def test_a_fifth_axis_and_half_precision(
    tmp_path: Path, channel: int | None, axis: int, dtype: int, batch: int | str
) -> None:
    shape: list[int | str] = [batch, WINDOW, SIZE, SIZE]
    if channel is not None:
        shape.insert(channel, 1)
    path = autoencoder(tmp_path / "ae.onnx", shape, axis, dtype=dtype)
    expect_the_usual_errors(path, rtol=1e-4 if dtype == TensorProto.FLOAT else 0.02)


@pytest.mark.parametrize("shape", [("B", SIZE, SIZE, WINDOW), ("B", SIZE, SIZE, WINDOW, 1)])
def test_channels_last_is_refused_until_somebody_says_it(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    if len(shape) == 5:
        shape = ("B", 1, SIZE, SIZE, WINDOW)
    path = autoencoder(tmp_path / "ae.onnx", shape, len(shape) - 1)
    with pytest.raises(EngineError, match=r"seems to take its axes channels-last.*--engine-input nchw .* or nhwc"):
        load_window_engine(path, 1)
    expect_the_usual_errors(path, Told("nhwc"))
    expect_the_usual_errors(autoencoder(tmp_path / "says.onnx", shape, len(shape) - 1, input="nhwc"))


@pytest.mark.parametrize("shape", [("B", 3, SIZE, SIZE), ("B", SIZE, SIZE, 3), ("B", WINDOW, 3, SIZE, SIZE)])
def test_autoencoders_of_color_pictures_are_refused(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    path = autoencoder(tmp_path / "ae.onnx", shape)
    with pytest.raises(EngineError, match=r"does not fit: .*(RGB|made for color)"):
        load_window_engine(path, 1)
    if shape[1] == 3:
        assert load_window_engine(path, 1, told=Told("nchw")).facts.window == 3
        stated = autoencoder(tmp_path / "says.onnx", shape, input="nchw")
        assert load_window_engine(stated, 1).facts.window == 3


@pytest.mark.parametrize("taken", RANGES)
@pytest.mark.parametrize("given", RANGES)
def test_a_range_is_told_from_what_comes_back(tmp_path: Path, taken: str, given: str) -> None:
    path = autoencoder(tmp_path / "ae.onnx", takes=RANGES[taken], gives=RANGES[given])
    if taken == given:
        # A mean is a mean in any range: nothing shows which it is, and the errors are the same.
        expect_the_usual_errors(path)
        expect_the_usual_errors(path, Told(range=taken))  # type: ignore[arg-type]
        return
    with pytest.raises(EngineError, match=r"seems to (take frames in|give no reconstruction)"):
        load_window_engine(path, 1)
    if "0..1" in (taken, given):
        other = given if taken == "0..1" else taken
        with pytest.raises(EngineError, match=f"take frames in {taken} and to give them in {given}.*range {other}"):
            load_window_engine(path, 1)
        expect_the_usual_errors(path, Told(range=other))  # type: ignore[arg-type]
        expect_the_usual_errors(
            autoencoder(tmp_path / "says.onnx", takes=RANGES[taken], gives=RANGES[given], range=other)
        )


def test_a_bounded_network_in_another_range_needs_that_range(tmp_path: Path) -> None:
    """Clips to 0..255 and keeps away from black: fed with 0..1, it gives its lowest value everywhere."""
    nodes = [
        constant("low", 20, np.float32),
        constant("high", 255, np.float32),
        helper.make_node("Clip", ["x", "low", "high"], ["y"]),
    ]
    path = save(tmp_path / "ae.onnx", nodes, [("y", TensorProto.FLOAT, ("B", WINDOW, SIZE, SIZE))])
    with pytest.raises(EngineError, match=r"take frames in 0\.\.255 and to give them in 0\.\.255"):
        load_window_engine(path, 1)
    assert load_window_engine(path, 1, told=Told(range="0..255")).errors(FRAMES, 1).max() < 0.01


@pytest.mark.parametrize("name", ["logits", "seg.mask"])
def test_what_is_no_picture_by_its_name_or_its_values(tmp_path: Path, name: str) -> None:
    named = autoencoder(tmp_path / "named.onnx", names=("x", name))
    wild = autoencoder(tmp_path / "wild.onnx", gives=(-40, 37))
    for path in (named, wild):
        with pytest.raises(EngineError, match=r"seems to give no reconstruction.*--engine-range 0\.\.1"):
            load_window_engine(path, 1)
        load_window_engine(path, 1, told=Told(range="0..1"))


def test_of_several_outputs_the_reconstruction_is_taken(tmp_path: Path) -> None:
    shape = ("B", WINDOW, SIZE, SIZE)
    path = autoencoder(tmp_path / "ae.onnx", names=("x", "decoded"))
    model = onnx.load(path)
    model.graph.node.append(helper.make_node("GlobalAveragePool", ["x"], ["code"]))
    code = helper.make_tensor_value_info("code", TensorProto.FLOAT, ["B", "C", "h", "w"])
    model.graph.output.insert(0, code)
    onnx.save(model, path)
    expect_the_usual_errors(path)

    nodes = [*model.graph.node[:-1], helper.make_node("Identity", ["x"], ["attention"])]
    ends = [(name, TensorProto.FLOAT, shape) for name in ("attention", "rec_frames")]
    nodes[-2].output[0] = "rec_frames"
    expect_the_usual_errors(save(tmp_path / "two.onnx", nodes, ends))


def unknown(op: str, domain: str = "", opset: int = 18, ir: int = 9) -> Callable[[Path], Path]:
    shape = ("B", WINDOW, SIZE, SIZE)
    node = helper.make_node(op, ["x"], ["y"], domain=domain)
    return lambda path: save(path, [node], [("y", TensorProto.FLOAT, shape)], opset=opset, ir=ir)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (unknown("Fancy", "their.domain"), "needs the custom operator their.domain:Fancy, which ONNX Runtime lacks"),
        (unknown("Fancy"), "needs the operator Fancy in opset 18, which ONNX Runtime lacks"),
        (unknown("Identity", opset=99), "needs opset 99, which is newer than ONNX Runtime here"),
        (unknown("Identity", ir=99), "is of ONNX IR version 99, which is newer"),
    ],
)
def test_what_onnx_runtime_does_not_know_is_named(tmp_path: Path, make: Callable[[Path], Path], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence) as caught:
        load_window_engine(make(tmp_path / "ae.onnx"), 1)
    assert "damaged" not in str(caught.value)


def test_the_options_of_a_whole_run(tmp_path: Path) -> None:
    write_video(tmp_path / "new" / "01", FRAMES)
    usual = pixelfast.score(tmp_path / "new", autoencoder(tmp_path / "usual.onnx"))
    theirs = autoencoder(tmp_path / "ae.onnx", ("B", SIZE, SIZE, WINDOW), 3, gives=(0, 255))
    scores = pixelfast.score(tmp_path / "new", theirs, engine_input="nhwc", engine_range="0..255")
    np.testing.assert_allclose(scores.raw, usual.raw, rtol=1e-4)
    with pytest.raises(EngineError, match="belongs to a model, which knows it: leave out engine_input"):
        pixelfast.score(tmp_path / "new", write_model(tmp_path / "model").folder, engine_input="nchw")
    with pytest.raises(EngineError, match="takes frames, not cuboids: leave out --engine-input"):
        pixelfast.score(tmp_path / "new", write_frame_engine(tmp_path / "ours.onnx"), engine_range="0..1")
    with pytest.raises(PixelfastError, match=r"engine_range must be 0\.\.1, -1\.\.1 or 0\.\.255, not '0-1'"):
        pixelfast.score(tmp_path / "new", theirs, engine_range="0-1")  # type: ignore[arg-type]
    wrong = autoencoder(tmp_path / "wrong.onnx", input="nwhc")
    with pytest.raises(EngineError, match=r"its metadata pixelfast\.input is 'nwhc', not one of nchw, nhwc"):
        pixelfast.score(tmp_path / "new", wrong)
