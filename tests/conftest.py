"""Small engines, models and footage that tests build for themselves.

The engines need no training: an "autoencoder" that reconstructs every frame of a window as the window's mean, and a
"flip classifier" that takes the darker half of a frame for its ground.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from pixelfast.manifest import Flip, Manifest
from pixelfast.model import Model

WINDOW, GRID, SIZE = 16, 8, 32
Frames = NDArray[np.uint8]


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


def scene(frames: int, seed: int = 0, size: int = SIZE) -> Frames:
    """u8[N, size, size]: a textured scene, brighter at the top, where a bright block walks over noise."""
    rng = np.random.default_rng(seed)
    rows = np.linspace(190, 60, size)[:, None]
    still = rows + rng.uniform(-25, 25, (size, size))
    video = still + rng.normal(0, 2, (frames, size, size))
    for index in range(frames):
        left = (3 * index + 5 * seed) % (size - 6)
        video[index, size // 2 : size // 2 + 6, left : left + 6] += 60
    return video.clip(0, 255).astype(np.uint8)


def write_video(folder: Path, frames: Frames, suffix: str = ".png") -> Path:
    """Writes frames as `frame_0001.png`, …; PNG at the engine's size comes back as it is."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(folder / f"frame_{number:04d}{suffix}")
    return folder


@pytest.fixture
def frame_engine(tmp_path: Path) -> Path:
    """A lone engine of frames, stride 1."""
    return write_frame_engine(tmp_path / "ae.onnx")


@pytest.fixture
def cuboid_engine(tmp_path: Path) -> Path:
    """A lone engine of cuboids."""
    return write_cuboid_engine(tmp_path / "theirs.onnx")


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """A model folder with engines for strides 1 and 4 and a trusted flip classifier."""
    return write_model(tmp_path / "model", (1, 4), Flip(held_out_accuracy=1.0, trusted=True))


@pytest.fixture
def make_source(tmp_path: Path) -> Callable[..., Path]:
    """Writes videos (name=frames) under a folder and gives the folder."""

    def make(folder: str = "footage", **videos: Frames) -> Path:
        for name, frames in videos.items():
            write_video(tmp_path / folder / name, frames)
        return tmp_path / folder

    return make
