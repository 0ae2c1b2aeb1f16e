"""The TensorRT runner without a GPU: slots, profile splitting, names and shapes, against formulas in NumPy.

A device in NumPy stands for the GPU and does its streams' work as late, early or unevenly as CUDA may; plans that
compute in NumPy stand for TensorRT's.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fake_plan import FakePlan, Formula, Tensors
from footage import walking_square
from lazy_device import LazyDevice
from pixelfast.errors import EngineError
from pixelfast.flip.engine import FlipEngine
from pixelfast.methods.motion.engine import motion_engine
from pixelfast.methods.reconstruction.engine import window_engine
from pixelfast.methods.reconstruction.facts import window_facts
from pixelfast.runtime.pieces import PIECES_A_CALL
from pixelfast.runtime.tensorrt.runner import TensorRtRunner
from tiny_engines import GRID, SIZE, WINDOW, flip_probability, window_errors

LATE: Callable[[list[int]], int | None] = lambda busy: None  # noqa: E731
FRAMES = walking_square(300, seed=3)[:, :SIZE, :SIZE].copy()
K = 8


def frame_formula(stride: int) -> Formula:
    def errors(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        starts = list(range(0, len(frames) - WINDOW + 1, stride))
        return window_errors(frames, starts).astype(np.float32)

    return errors


def flow_formula(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared difference from the mean of the K before, a cell."""
    cells = flow.reshape(len(flow), 2, GRID, 8, GRID, 8).sum(axis=(1, 3, 5))
    past = np.stack([cells[i : i + K].mean(axis=0) for i in range(len(flow) - K)])
    return ((cells[K:] - past) ** 2).astype(np.float32)


def runner_of(
    formula: Formula,
    inputs: Tensors,
    outputs: Tensors,
    profile: tuple[int, int, int],
    pick: Callable[[list[int]], int | None] = LATE,
) -> tuple[TensorRtRunner, FakePlan, LazyDevice]:
    device = LazyDevice(pick)
    plan = FakePlan(device, formula, inputs, outputs, profile)
    return TensorRtRunner(Path("ae.plan"), plan.opened(), device), plan, device


def frame_runner(
    stride: int = 1, profile: tuple[int, int, int] = (16, 24, 48), **options: object
) -> tuple[TensorRtRunner, FakePlan, LazyDevice]:
    ends = [("frames", "uint8", (-1, SIZE, SIZE))], [("window_errors", "float32", (-1, WINDOW, GRID, GRID))]
    return runner_of(frame_formula(stride), *ends, profile, **options)  # type: ignore[arg-type]


def flow_runner(profile: tuple[int, int, int] = (9, 12, 20)) -> tuple[TensorRtRunner, FakePlan, LazyDevice]:
    ends = [("flow", "float32", (-1, 2, 64, 64))], [("flow_errors", "float32", (-1, GRID, GRID))]
    return runner_of(flow_formula, *ends, profile)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), stride=st.sampled_from([1, 3, 4, 16]), frames=st.integers(16, 150))
def test_results_hold_in_any_order_that_streams_allow(data: st.DataObject, stride: int, frames: int) -> None:
    least = data.draw(st.integers(16, 40))
    best = data.draw(st.integers(least, 60))
    most = data.draw(st.integers(max(best, least + 2 * stride), 100))
    choices = data.draw(st.lists(st.integers(-1, 5), min_size=1, max_size=200))
    turn = iter(choices * 50)

    def pick(busy: list[int]) -> int | None:
        number = next(turn, -1)
        return None if number < 0 or not busy else busy[number % len(busy)]

    runner, plan, _ = frame_runner(stride, (least, best, most), pick=pick)
    expected = frame_formula(stride)(FRAMES[:frames])
    for _ in range(2):  # a second call meets what the first one left
        np.testing.assert_array_equal(runner(FRAMES[:frames]), expected)
    assert all(least <= items <= best for items in plan.calls)


def test_nothing_is_allocated_by_a_call_and_two_pieces_are_under_way() -> None:
    runner, plan, device = frame_runner()
    before = device.allocations
    under_way = []
    synchronize = device.synchronize

    def watched(event: int) -> None:
        under_way.append(len(plan.calls))
        synchronize(event)

    device.synchronize = watched  # type: ignore[method-assign]
    runner(FRAMES[:120])
    assert device.allocations == before
    assert len(plan.calls) > 3
    assert under_way[0] == 2, "the host should wait only when both slots are full"


@pytest.mark.parametrize("stride", [1, 4, 7, 16])
def test_a_plan_of_frames_tells_its_stride(stride: int) -> None:
    runner, _, _ = frame_runner(stride, (16, 40, 64))
    facts = window_facts(runner)
    assert (facts.kind, facts.window, facts.height, facts.grid, facts.stride) == ("frames", WINDOW, SIZE, GRID, stride)
    assert facts.best == runner.span.items(PIECES_A_CALL * ((40 - WINDOW) // stride + 1))


@pytest.mark.parametrize("stride", [1, 4])
@pytest.mark.parametrize("frames", [16, 17, 40, 100])
def test_a_window_engine_on_a_plan(stride: int, frames: int) -> None:
    engine = window_engine(frame_runner()[0], 1)
    expected = window_errors(FRAMES[:frames], range(0, frames - WINDOW + 1, stride))
    np.testing.assert_allclose(engine.errors(FRAMES[:frames], stride), expected, rtol=1e-6)


@pytest.mark.parametrize("profile", [(1, 4, 8), (6, 6, 6)])
def test_anybodys_plan_of_cuboids(profile: tuple[int, int, int]) -> None:
    shape = (profile[0] if profile[0] == profile[2] else -1, WINDOW, SIZE, SIZE)

    def mean(cuboids: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.broadcast_to(cuboids.mean(axis=1, keepdims=True), cuboids.shape).astype(np.float32)

    ends = [("x", "float32", shape)], [("y", "float32", shape), ("latent", "float32", (shape[0], 3))]
    runner, plan, _ = runner_of(mean, *ends, profile)
    assert runner.metadata == {}
    found = window_engine(runner, 1).errors(FRAMES[:50], 1)
    np.testing.assert_allclose(found, window_errors(FRAMES[:50], range(35)), rtol=1e-4, atol=1e-7)
    assert set(plan.calls) <= set(range(profile[0], profile[1] + 1))


@pytest.mark.parametrize(
    ("profile", "piece", "call"),
    [((1, 512, 512), 16, 64), ((1, 4, 8), 4, 16), ((40, 100, 100), 40, 64), ((96, 128, 128), 96, 96)],
)
def test_cuboids_are_large_so_that_few_make_a_call(profile: tuple[int, int, int], piece: int, call: int) -> None:
    shape = (-1, WINDOW, 8, 8)
    ends = [("x", "float32", shape)], [("latent", "float32", (-1, 3)), ("y", "float32", shape)]
    runner, plan, device = runner_of(lambda one: one[:, :3, 0, 0].copy(), *ends, profile)
    assert runner.best == call
    cuboids = np.random.default_rng(0).random((150, *shape[1:]), np.float32)
    np.testing.assert_array_equal(runner(cuboids), cuboids[:, :3, 0, 0])
    assert max(plan.calls) == piece
    largest = max(len(memory) for memory in device._memory.values())
    assert largest == piece * WINDOW * 8 * 8 * 4


@pytest.mark.parametrize("flows", [9, 10, 33])
def test_a_motion_engine_on_a_plan(flows: int) -> None:
    flow = np.random.default_rng(0).standard_normal((flows, 2, 64, 64)).astype(np.float32)
    engine = motion_engine(flow_runner()[0])
    assert (engine.facts.past, engine.facts.grid) == (K, GRID)
    np.testing.assert_allclose(engine.errors(flow), flow_formula(flow), rtol=1e-5)


def test_pairs_of_frames_become_flow() -> None:
    def difference(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        grey = frames.astype(np.float32).mean(axis=3)[:, :64, :64]
        return np.stack([grey[1:] - grey[:-1]] * 2, axis=1)

    ends = [("frames", "uint8", (-1, 72, 96, 3))], [("flow", "float32", (-1, 2, 64, 64))]
    runner, plan, _ = runner_of(difference, *ends, (2, 5, 9))
    frames = np.random.default_rng(0).integers(0, 256, (14, 72, 96, 3), np.uint8)
    np.testing.assert_array_equal(runner(frames), difference(frames))
    assert runner.metadata["pixelfast.kind"] == "flow"
    assert plan.calls == [5, 5, 5, 2]  # the last one by the next smaller size


def test_failures_name_the_plan_and_leave_it_usable() -> None:
    runner, plan, device = frame_runner()
    plan.fails_at = 2
    with pytest.raises(EngineError, match=r"ae\.plan: TensorRT fails on \d+ items: out of luck"):
        runner(FRAMES[:150])
    plan.fails_at = None
    np.testing.assert_array_equal(runner(FRAMES[:50]), frame_formula(1)(FRAMES[:50]))
    device.drain()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((20, SIZE, SIZE), np.float32),
        np.zeros((20, SIZE, SIZE + 1), np.uint8),
        np.zeros((WINDOW - 1, SIZE, SIZE), np.uint8),
        np.zeros((20, SIZE), np.uint8),
    ],
)
def test_other_arrays_are_refused(array: NDArray[np.generic]) -> None:
    with pytest.raises(EngineError, match=rf"takes frames uint8 \[\?, {SIZE}, {SIZE}\], not {array.dtype} \["):
        frame_runner()[0](array)


@pytest.mark.parametrize(
    ("inputs", "outputs", "sentence"),
    [
        ([("a", "float32", (-1, 3)), ("b", "float32", (-1, 3))], [("y", "float32", (-1, 3))], "expected one input"),
        ([("a", "complex64", (-1, 3))], [("y", "float32", (-1, 3))], "a e8m0"),
        ([("a", "float32", (-1, -1))], [("y", "float32", (-1, 3))], "leaves more than its first size open"),
    ],
)
def test_other_plans_are_refused(inputs: Tensors, outputs: Tensors, sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        runner_of(lambda a: np.zeros((len(a), 3), np.float32), inputs, outputs, (1, 2, 4))


@pytest.mark.parametrize("name", ["frames", "window_errors", "latent"])
@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("places", "HOST", "wants its {name} in the memory of the host, and plans run here with all of it on the GPU"),
        ("formats", "CHW32", r"wants its {name} in the format CHW32, and plans run here with rows one after another"),
    ],
)
def test_tensors_that_lie_elsewhere_or_in_another_order_are_refused(
    name: str, kind: str, value: str, sentence: str
) -> None:
    outputs = [("window_errors", "float32", (-1, WINDOW, GRID, GRID)), ("latent", "float32", (-1, 3))]
    device = LazyDevice(LATE)
    plan = FakePlan(device, frame_formula(1), [("frames", "uint8", (-1, SIZE, SIZE))], outputs, (16, 24, 48))
    getattr(plan, kind)[name] = value
    with pytest.raises(EngineError, match=r"^ae\.plan " + sentence.format(name=name)):
        TensorRtRunner(Path("ae.plan"), plan.opened(), device)
    assert not device.allocations


def test_what_tensorrt_warned_of_goes_with_the_engine() -> None:
    device = LazyDevice(LATE)
    ends = [("frames", "uint8", (-1, SIZE, SIZE))], [("window_errors", "float32", (-1, WINDOW, GRID, GRID))]
    opened = FakePlan(device, frame_formula(1), *ends, (16, 24, 48)).opened()._replace(remarks=("it was built there",))
    assert window_engine(TensorRtRunner(Path("ae.plan"), opened, device), 1).remarks == ("it was built there",)


def test_a_plan_that_is_no_engine_is_refused() -> None:
    ends = [("image", "float32", (-1, 3, 8, 8))], [("classes", "float32", (-1, 10))]
    runner, _, _ = runner_of(lambda a: np.zeros((len(a), 10), np.float32), *ends, (1, 2, 4))
    with pytest.raises(EngineError, match=r"image float32 \[\?, 3, 8, 8\] -> classes float32 \[\?, 10\]; the recon"):
        window_engine(runner, 1)


def test_results_that_fit_no_stride_are_refused() -> None:
    ends = [("frames", "uint8", (-1, SIZE, SIZE))], [("window_errors", "float32", (-1, WINDOW, GRID, GRID))]
    formula = lambda a: np.zeros((7, WINDOW, GRID, GRID), np.float32)  # noqa: E731
    with pytest.raises(EngineError, match="gives 7 results for 16 items"):
        runner_of(formula, *ends, (16, 24, 48))


def test_a_profile_that_hides_the_stride_is_refused_and_one_window_needs_none() -> None:
    with pytest.raises(EngineError, match="16 to 18, best 16 a call, too few to tell its stride"):
        frame_runner(4, (16, 16, 18))
    runner, plan, _ = frame_runner(4, (16, 16, 16))
    assert (runner.span.window, runner.span.results(16)) == (WINDOW, 1)
    np.testing.assert_array_equal(runner(FRAMES[:16]), frame_formula(4)(FRAMES[:16]))
    assert plan.calls == [16]


def test_a_flip_classifier_on_a_plan() -> None:
    def darker_below(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        return flip_probability(frames).astype(np.float32)

    ends = [("frames", "uint8", (-1, SIZE, SIZE))], [("flip_probability", "float32", (-1,))]
    runner, plan, _ = runner_of(darker_below, *ends, (1, 16, 32))
    found = FlipEngine(runner, SIZE, SIZE, 1).probabilities(FRAMES[:50])
    np.testing.assert_allclose(found, flip_probability(FRAMES[:50]), rtol=1e-5)
    assert runner.metadata["pixelfast.kind"] == "flip"
    assert plan.calls == [16, 16, 16, 2]
