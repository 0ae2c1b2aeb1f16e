"""The engines of motion: the GRU's graph against one sequence at a time, DIS against scenes whose motion is known."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import pixelfast
from footage import walking_square
from frame_files import write_video
from moving_scene import moved
from oracles import motion as oracle
from pixelfast import _core
from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.errors import EngineError, ModelError
from pixelfast.flow.dis import LEAST_SIDE, PRESETS, DisFlow, to_grid
from pixelfast.flow.engine import FlowFacts
from pixelfast.flow.stream import FlowStream
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.motion.engine import MotionEngine, load_motion_engine
from pixelfast.methods.motion.export import write_motion
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.network import FlowGru, MotionGraph
from pixelfast.methods.motion.scoring import FlowErrors, raw
from pixelfast.model import Manifest, Model
from tiny_engines import write_frame_engine

Flows = NDArray[np.float32]

HIDDEN, SCALE = 12, 0.37


@dataclass(frozen=True)
class Made:
    """The same weights three times: in the oracle, in our network, in a file."""

    plain: oracle.FlowGru
    network: FlowGru
    path: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    plain, network = oracle.seeded_gru(HIDDEN, seed=3), FlowGru(HIDDEN)
    network.load_state_dict(plain.state_dict())
    path = tmp_path_factory.mktemp("engine") / "motion.onnx"
    assert write_motion(network.eval(), SCALE, 8, path, threads=1) < 1e-5
    return Made(plain, network, path)


@pytest.fixture(scope="module")
def engine(made: Made) -> MotionEngine:
    return load_motion_engine(made.path, 1)


def some_flows(count: int, seed: int = 0) -> Flows:
    """f32[n,2,64,64]: smooth enough to have something to do with each other, no two alike."""
    rng = np.random.default_rng((seed, count))
    return (SCALE * np.cumsum(rng.standard_normal((count, 2, 64, 64)), axis=0) / 2).astype(np.float32)


def errors(engine: MotionEngine, flows: list[Flows]) -> list[NDArray[np.float32]]:
    """The maps of video v, as they come, from its flows."""
    return list(FlowErrors(engine, Stopwatch(), lambda index: f"video v, frame {index}").errors(flows))


def predicted(engine: MotionEngine, flows: Flows, sizes: list[int]) -> NDArray[np.float32]:
    """The maps of a video whose flows come in pieces of these sizes, again and again."""
    pieces, start = [], 0
    while start < len(flows):
        for size in sizes:
            pieces.append(flows[start : start + size])
            start += size
    return np.concatenate(errors(engine, pieces))


# ---- the GRU


@pytest.mark.parametrize("length", [1, 2, 8, 9, 30])
def test_errors_are_those_of_one_sequence_at_a_time(made: Made, engine: MotionEngine, length: int) -> None:
    flows = some_flows(length)
    expected = oracle.error_maps(made.plain, flows, SCALE)
    maps = predicted(engine, flows, [length])
    assert (maps.dtype, maps.shape) == (np.float32, (length + 1, 8, 8))
    np.testing.assert_allclose(maps, expected, rtol=1e-4)
    np.testing.assert_allclose(raw(maps, "mean"), oracle.raw_scores(made.plain, flows, SCALE), rtol=1e-4)
    worst = np.sort(expected.reshape(length + 1, -1), axis=1)[:, -3:].mean(axis=1)
    np.testing.assert_allclose(raw(maps, "worst"), np.sqrt(worst), rtol=1e-4)


def test_the_prediction_depends_on_all_eight_flows_before(made: Made) -> None:
    """Else a graph that takes them in a wrong order could equal the oracle."""
    flows = some_flows(9)
    whole = oracle.error_maps(made.plain, flows, SCALE)[-1]
    for index in range(8):
        other = flows.copy()
        other[index] = -other[index]
        assert np.abs(oracle.error_maps(made.plain, other, SCALE)[-1] / whole - 1).max() > 1e-3


def test_the_graph_in_pytorch_equals_the_file(made: Made, engine: MotionEngine) -> None:
    flows = some_flows(20)
    with torch.no_grad():
        expected = MotionGraph(made.network, SCALE, 8)(torch.from_numpy(flows)).numpy()
    np.testing.assert_allclose(engine.errors(flows), expected, rtol=1e-4)
    assert engine.facts.past == engine.facts.grid == 8


def test_a_video_of_one_frame_is_a_still_scene(made: Made, engine: MotionEngine) -> None:
    none = np.zeros((0, 2, 64, 64), np.float32)
    maps = predicted(engine, none, [1])
    np.testing.assert_allclose(maps, oracle.error_maps(made.plain, none, SCALE), rtol=1e-4)
    assert maps.shape == (1, 8, 8)


@settings(max_examples=40, deadline=None)
@given(length=st.integers(1, 30), sizes=st.lists(st.integers(0, 12), min_size=1, max_size=6).filter(any))
def test_pieces_change_nothing(made: Made, engine: MotionEngine, length: int, sizes: list[int]) -> None:
    flows = some_flows(length)
    np.testing.assert_allclose(predicted(engine, flows, sizes), predicted(engine, flows, [length]), rtol=1e-5)


def test_an_error_that_is_not_finite_names_video_and_frame(engine: MotionEngine) -> None:
    flows = some_flows(12)
    flows[10] = 1e30
    with pytest.raises(EngineError, match=r"not finite in video v, frame 11"):
        errors(engine, [flows[:7], flows[7:]])


# ---- the flow


def flow_of(height: int, width: int, frames: NDArray[np.uint8], preset: str = "medium", threads: int = 1) -> Flows:
    """The flow of footage of this size: frames reduced as the engine wants them."""
    flow = DisFlow(preset, threads)
    return flow.flow(_core.resize_frames(frames, *flow.size(height, width)))


def inner(flows: Flows) -> Flows:
    """Without the cells that the scene leaves or enters."""
    return flows[:, :, 8:-8, 8:-8]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("height", "width", "factor"), [(360, 640, 1), (480, 640, 1), (180, 320, 2), (90, 160, 4)])
def test_motion_is_told_in_pixels_of_the_grid(height: int, width: int, factor: int, preset: str) -> None:
    """Five pixels of 640 are half a pixel of 64, whatever size the same scene is filmed in."""
    large = moved(height * factor, width * factor, [(0, 0), (5, 0), (10, 0)], grain=4.0)
    frames = _core.resize_frames(large, height, width)
    right, down = np.median(inner(flow_of(height, width, frames, preset)), axis=(0, 2, 3))
    assert (right, down) == (pytest.approx(0.5, abs=0.05), pytest.approx(0, abs=0.05))


@pytest.mark.parametrize(("height", "width"), [(360, 640), (480, 640), (240, 200)])
def test_vertical_motion_is_scaled_by_the_height(height: int, width: int) -> None:
    flows = inner(flow_of(height, width, moved(height, width, [(0, 0), (0, -6), (0, -12)])))
    right, down = np.median(flows, axis=(0, 2, 3))
    assert (right, down) == (pytest.approx(0, abs=0.05), pytest.approx(-6 * 64 / height, abs=0.05))


def test_frames_are_reduced_to_a_shorter_side_of_240() -> None:
    flow = DisFlow("medium", 1)
    sizes = {(360, 640): (240, 427), (640, 360): (427, 240), (240, 320): (240, 320), (48, 64): (48, 64)}
    assert {size: flow.size(*size) for size in sizes} == sizes
    assert DisFlow("medium", 1, shorter_side=120).size(360, 640) == (120, 213)


@pytest.mark.parametrize("preset", PRESETS)
def test_threads_change_no_bit(preset: str) -> None:
    frames = moved(120, 160, [(index, -index // 2) for index in range(8)])
    one = flow_of(120, 160, frames, preset)
    assert one.shape == (7, 2, 64, 64)
    assert np.unique(one.reshape(7, -1), axis=0).shape[0] == 7
    for threads in (2, 3, 16):
        np.testing.assert_array_equal(flow_of(120, 160, frames, preset, threads), one)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_flow_does_not_depend_on_the_frames_before(preset: str) -> None:
    """OpenCV's instances keep the scales that small frames made them choose."""
    large, small = moved(240, 320, [(0, 0), (3, 0)]), moved(33, 40, [(0, 0), (1, 0)])
    used = DisFlow(preset, 1)
    expected = DisFlow(preset, 1).flow(large)
    used.flow(small)
    np.testing.assert_array_equal(used.flow(large), expected)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 7), min_size=1, max_size=5).filter(any))
def test_a_stream_of_frames_has_the_flows_of_the_whole(sizes: list[int]) -> None:
    frames = moved(48, 64, [(index, index // 3) for index in range(12)])
    pieces, start = [], 0
    while start < len(frames):
        for size in sizes:
            some = frames[start : start + size]
            pieces.append(Cleaned(some, np.ones(len(some), np.bool_)))
            start += size
    flow = DisFlow("ultrafast", 1)
    found = np.concatenate(list(FlowStream(flow, Stopwatch()).run(pieces)))
    np.testing.assert_array_equal(found, flow.flow(frames))


@pytest.mark.parametrize(("height", "width"), [(64, 64), (128, 192), (240, 427), (65, 97), (300, 70)])
def test_the_grid_is_weighted_by_area(height: int, width: int) -> None:
    flow = np.random.default_rng(0).normal(0, 3, (height, width, 2)).astype(np.float32)
    grid = to_grid(flow)
    assert (grid.dtype, grid.shape, grid.flags.c_contiguous) == (np.float32, (2, 64, 64), True)
    np.testing.assert_allclose(grid, oracle.to_grid(flow), atol=2e-5)


def test_a_grid_of_small_frames_keeps_the_motion() -> None:
    flow = np.tile(np.array([2.0, -1.0], np.float32), (40, 32, 1))
    np.testing.assert_allclose(to_grid(flow), np.array([4.0, -1.6]).repeat(4096).reshape(2, 64, 64), rtol=1e-6)


def test_frames_too_small_for_motion_are_refused() -> None:
    flow = DisFlow("fast", 1)
    for height, width in ((LEAST_SIDE - 1, 640), (640, LEAST_SIDE - 1), (1, 1)):
        with pytest.raises(EngineError, match=f"frames of {width}x{height} pixels are too small for optical flow"):
            flow.size(height, width)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 4), (1, 40), (40, 1)])
def test_the_smallest_frames_that_are_taken_have_a_flow(height: int, width: int, preset: str) -> None:
    """Below that side OpenCV ends the whole process on low and wide frames."""
    frames = moved(LEAST_SIDE * height, LEAST_SIDE * width, [(0, 0), (1, 0), (2, 0)])
    flow = DisFlow(preset, 2)
    assert flow.size(*frames.shape[1:]) == frames.shape[1:]
    assert np.isfinite(flow.flow(frames)).all()


def test_there_is_no_such_preset() -> None:
    with pytest.raises(EngineError, match="DIS has the presets ultrafast, fast, medium, not 'slow'"):
        DisFlow("slow", 1)


# ---- wrong files


def changed(path: Path, out: Path, **metadata: str | None) -> Path:
    """A copy of an engine with other metadata."""
    model = onnx.load(path)
    facts = {prop.key: prop.value for prop in model.metadata_props}
    for name, value in metadata.items():
        facts.pop(f"pixelfast.{name}")
        if value is not None:
            facts[f"pixelfast.{name}"] = value
    onnx.helper.set_model_props(model, facts)
    onnx.save(model, out)
    return out


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({"kind": None}, "is no motion engine: it has flow float32"),
        ({"kind": "ae"}, "is no motion engine"),
        ({"past": None}, "is no motion engine"),
        ({"past": "0"}, "is no motion engine"),
        ({"past": "many"}, "pixelfast.past is 'many', not a whole number"),
        ({"past": "5"}, r"6 flows give .*, not float32 \[1, 8, 8\]|the engine fails on float32 \[6, 2, 64, 64\]"),
    ],
)
def test_wrong_metadata_is_refused(made: Made, tmp_path: Path, metadata: dict[str, str | None], sentence: str) -> None:
    path = changed(made.path, tmp_path / "motion.onnx", **metadata)
    with pytest.raises(EngineError, match=sentence):
        load_motion_engine(path, 1)


def test_an_autoencoder_is_no_motion_engine(tmp_path: Path) -> None:
    path = write_frame_engine(tmp_path / "ae.onnx")
    with pytest.raises(
        EngineError, match=r"ae.onnx is no motion engine: it has frames uint8 .*; expected flow float32"
    ):
        load_motion_engine(path, 1)
    with pytest.raises(EngineError, match="does not exist"):
        load_motion_engine(tmp_path / "nothing.onnx", 1)
    (tmp_path / "cut.onnx").write_bytes(path.read_bytes()[:200])
    with pytest.raises(EngineError, match="cut off or damaged"):
        load_motion_engine(tmp_path / "cut.onnx", 1)


def test_a_lone_motion_engine_is_refused(made: Made, tmp_path: Path) -> None:
    footage = write_video(tmp_path / "footage" / "01", walking_square(3, size=48)).parent
    with pytest.raises(EngineError, match=r"motion.onnx is a motion engine, which does not know its flow alone: name"):
        pixelfast.score(footage, made.path)


def test_a_motion_model_must_hold_a_motion_engine_and_know_its_flow(made: Made, tmp_path: Path) -> None:
    footage = write_video(tmp_path / "footage" / "01", walking_square(3, size=48)).parent
    facts = {"method": "motion", "recipe": "default", "window": 10, "height": 128, "width": 128, "grid": 8}
    known = MotionFacts(FlowFacts("dis", "ultrafast", 240), 8, SCALE, True)

    def model(name: str, engine: Path, known: MotionFacts | None) -> Path:
        work = tmp_path / f"{name}.work"
        work.mkdir()
        shutil.copy(engine, work / "motion.onnx")
        own = {} if known is None else asdict(known)
        return Model.write(work, tmp_path / name, Manifest(**facts, own=own)).folder  # type: ignore[arg-type]

    assert len(pixelfast.score(footage, model("right", made.path, known))) == 3
    with pytest.raises(EngineError, match="is no motion engine"):
        pixelfast.score(footage, model("wrong", write_frame_engine(tmp_path / "ae.onnx"), known))
    with pytest.raises(ModelError, match="flow"):
        pixelfast.score(footage, model("ignorant", made.path, None))
