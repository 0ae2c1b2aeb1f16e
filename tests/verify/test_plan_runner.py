"""The runner of plans with a made-up plan: here on the host's memory, on a GPU as `pixelfast verify` does it."""

import ctypes
import re
import time

import numpy as np
import pytest
import torch

from host_device import HostDevice, HostMemory
from machines import WITH_GPU, WITHOUT
from pixelfast.training.made_up import made_up_frames
from pixelfast.verify.machine import this_machine
from pixelfast.verify.made_plan import CALL_SIZES, expected_errors, run_made_up
from pixelfast.verify.plan_runner import Effort, beside, describe_plan_runner, try_plan_runner
from tiny_engines import window_errors

with_gpu = pytest.mark.skipif(
    not torch.cuda.is_available() or this_machine().gpu_missing is not None,
    reason="plans run on a GPU that both PyTorch and cuda-bindings reach",
)


class Forgetful(HostMemory):
    """Reaches memory that is not the runner's."""

    def tensor(self, address: int, shape: tuple[int, ...], dtype: str) -> torch.Tensor:
        found = super().tensor(address, shape, dtype)
        return found if dtype == "uint8" else found.clone()


def test_the_runner_takes_the_made_up_plan_as_one_of_frames() -> None:
    runner = run_made_up(HostMemory(), HostDevice())
    assert (runner.span.window, runner.span.stride) == (16, 1)
    assert (runner.call_sizes.least, runner.call_sizes.best, runner.call_sizes.most) == CALL_SIZES
    assert runner.metadata["pixelfast.kind"] == "ae"
    assert runner.best == 4 * 113 + 15


@pytest.mark.parametrize("frames", [16, 17, 128, 129, 300])
def test_results_are_those_of_the_formula(frames: int) -> None:
    some = made_up_frames(frames)
    runner = run_made_up(HostMemory(), HostDevice())
    np.testing.assert_allclose(runner(some), expected_errors(some), atol=1e-6)


def test_what_is_expected_is_what_the_tests_expect_elsewhere() -> None:
    some = made_up_frames(20)
    np.testing.assert_allclose(expected_errors(some), window_errors(some, range(5)), atol=1e-6)


def test_a_runner_that_is_right_and_one_that_is_not() -> None:
    facts, right = try_plan_runner(HostMemory(), HostDevice, 0.05, Effort(calls=3, most=200, work=1))
    said = dict(facts)
    assert re.match(r"right in 3 calls of all sizes, \S+ off at most$", said["plan runner"])
    assert re.match(r"Python goes on for \d+% of a call's time", said["beside it"])
    assert re.match(r"[0-9,]+ frames/s of 128 a call; .* of 467 a call; .* of 2000 a call$", said["copies alone"])
    assert right == ("LOCK" not in said["beside it"])
    facts, right = try_plan_runner(Forgetful(), HostDevice, 0.01, Effort(calls=1, most=40, work=1))
    assert facts[0][1].startswith("WRONG in 1 calls of all sizes")
    assert not right


def test_python_runs_beside_a_call_that_lets_go_of_its_lock() -> None:
    assert beside(lambda: time.sleep(0.1), 0.5) > 0.5
    holding = ctypes.PyDLL(None).usleep  # which keeps the lock
    assert beside(lambda: holding(100_000), 0.5) < 0.5


def test_what_it_needs_is_said() -> None:
    needed = [("plan runner", "not tried: it needs a GPU that both PyTorch and cuda-bindings reach")]
    assert describe_plan_runner(WITHOUT, 0.01) == describe_plan_runner(WITH_GPU, 0.01) == (needed, True)


@with_gpu
def test_the_runner_on_a_gpu() -> None:
    facts, right = describe_plan_runner(this_machine(), 0.3)
    assert right, facts
