"""Small engines and models that tests build for themselves, and the NumPy formulas of what they compute.

The engines need no training: an "autoencoder" that reconstructs every frame of a window as the window's mean, and a
"flip classifier" that takes the darker half of a frame for its ground.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pixelfast.model import Flip, Manifest, Model

WINDOW, GRID, SIZE = 16, 8, 32


def constant(name: str, values: object, dtype: type = np.int64) -> onnx.NodeProto:
    """A node that gives `values`."""
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(values, dtype), name))


def save_graph(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    ends: tuple[onnx.ValueInfoProto, onnx.ValueInfoProto],
    metadata: dict[str, str] | None = None,
) -> Path:
    """Writes an ONNX file with one input and one output."""
    graph = helper.make_graph(list(nodes), "test", [ends[0]], [ends[1]])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {f"pixelfast.{key}": value for key, value in (metadata or {}).items()})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def cuboid_nodes(stride: int) -> list[onnx.NodeProto]:
    """From `frames` u8[N, H, W] to `cuboids` f32[W, T, H, W] in [0, 1]."""
    return [
        constant("zero", 0),
        constant("one", 1),
        constant("stride", stride),
        constant("window", WINDOW),
        constant("full", 255, np.float32),
        helper.make_node("Shape", ["frames"], ["count_1d"], start=0, end=1),
        helper.make_node("Squeeze", ["count_1d"], ["count"]),
        helper.make_node("Sub", ["count", "window"], ["last_start"]),
        helper.make_node("Add", ["last_start", "one"], ["end"]),
        helper.make_node("Range", ["zero", "end", "stride"], ["starts_1d"]),
        constant("column", [-1, 1]),
        helper.make_node("Reshape", ["starts_1d", "column"], ["starts"]),
        helper.make_node("Range", ["zero", "window", "one"], ["offsets"]),
        helper.make_node("Add", ["starts", "offsets"], ["indices"]),
        helper.make_node("Cast", ["frames"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "full"], ["scaled"]),
        helper.make_node("Gather", ["scaled", "indices"], ["cuboids"], axis=0),
    ]


def mean_nodes() -> list[onnx.NodeProto]:
    """From `cuboids` to `mean` f32[W, 1, H, W]."""
    return [constant("axis", [1]), helper.make_node("ReduceMean", ["cuboids", "axis"], ["mean"], keepdims=1)]


def write_frame_engine(path: Path, stride: int = 1, size: int = SIZE, tail: Sequence[onnx.NodeProto] = ()) -> Path:
    """Our kind of engine: `frames` u8[N, H, W] to `window_errors` f32[(N-T)//S+1, T, G, G]."""
    cell = size // GRID
    nodes = [
        *cuboid_nodes(stride),
        *mean_nodes(),
        helper.make_node("Sub", ["cuboids", "mean"], ["difference"]),
        helper.make_node("Mul", ["difference", "difference"], ["squares"]),
        helper.make_node(
            "AveragePool",
            ["squares"],
            ["cells" if tail else "window_errors"],
            kernel_shape=[cell, cell],
            strides=[cell, cell],
        ),
        *tail,
    ]
    ends = (
        helper.make_tensor_value_info("frames", TensorProto.UINT8, ["N", size, size]),
        helper.make_tensor_value_info("window_errors", TensorProto.FLOAT, ["W", WINDOW, GRID, GRID]),
    )
    facts = {"kind": "ae", "format": "1", "window": str(WINDOW), "stride": str(stride), "grid": str(GRID)}
    return save_graph(path, nodes, ends, facts)


def write_cuboid_engine(path: Path, batch: int | str = "B", size: int = SIZE) -> Path:
    """Anybody's kind of engine: `cuboids` f32[B, T, H, W] to a reconstruction of the same shape."""
    nodes = [
        *mean_nodes(),
        constant("nothing", 0.0, np.float32),
        helper.make_node("Mul", ["cuboids", "nothing"], ["blank"]),
        helper.make_node("Add", ["blank", "mean"], ["reconstruction"]),
    ]
    shape = [batch, WINDOW, size, size]
    ends = (
        helper.make_tensor_value_info("cuboids", TensorProto.FLOAT, shape),
        helper.make_tensor_value_info("reconstruction", TensorProto.FLOAT, shape),
    )
    return save_graph(path, nodes, ends)


def write_flip_engine(path: Path, gain: float = 50.0, size: int = SIZE) -> Path:
    """`frames` u8[N, H, W] to `flip_probability` f32[N]: sigmoid(gain * (lower half - upper half)), means in [0, 1]."""
    half = size // 2
    weights = np.concatenate([np.full((half, size), -1.0), np.full((half, size), 1.0)]) / (half * size * 255) * gain
    nodes = [
        constant("weights", weights, np.float32),
        constant("pixels", [1, 2]),
        helper.make_node("Cast", ["frames"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "weights"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "pixels"], ["evidence"], keepdims=0),
        helper.make_node("Sigmoid", ["evidence"], ["flip_probability"]),
    ]
    ends = (
        helper.make_tensor_value_info("frames", TensorProto.UINT8, ["N", size, size]),
        helper.make_tensor_value_info("flip_probability", TensorProto.FLOAT, ["N"]),
    )
    return save_graph(path, nodes, ends, {"kind": "flip", "format": "1"})


def write_model(folder: Path, strides: Sequence[int] = (1,), flip: Flip | None = None, **changes: object) -> Model:
    """A model folder with the engines above."""
    work = folder.with_name(folder.name + ".work")
    work.mkdir()
    for stride in strides:
        write_frame_engine(work / ("ae.onnx" if stride == 1 else f"ae.s{stride}.onnx"), stride)
    if flip is not None:
        write_flip_engine(work / "flip.onnx")
    facts = {"method": "reconstruction", "recipe": "default", "window": WINDOW, "height": SIZE, "width": SIZE}
    return Model.write(work, folder, Manifest(**{**facts, "grid": GRID, "flip": flip, **changes}))  # type: ignore[arg-type]


def window_errors(frames: NDArray[np.uint8], starts: Sequence[int], grid: int = GRID) -> NDArray[np.float64]:
    """[W, T, G, G]: what both engines compute, in NumPy and float64, for windows at `starts`."""
    cuboids = np.stack([frames[start : start + WINDOW] for start in starts]) / 255.0
    squares = (cuboids - cuboids.mean(axis=1, keepdims=True)) ** 2
    cell = frames.shape[1] // grid
    return squares.reshape(len(starts), WINDOW, grid, cell, grid, cell).mean(axis=(3, 5))


def flip_probability(frames: NDArray[np.uint8], gain: float = 50.0) -> NDArray[np.float64]:
    """[N]: what the flip engine computes."""
    half = frames.shape[1] // 2
    evidence = frames[:, half:].mean(axis=(1, 2)) - frames[:, :half].mean(axis=(1, 2))
    return 1 / (1 + np.exp(-gain * evidence / 255))
