"""What runs plans, at work with a made-up one: is it right, does Python run beside it, how fast are its copies?"""

import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import PixelfastError, first_line
from pixelfast.geometry import WINDOW
from pixelfast.runtime.tensorrt.runner import PlanDevice
from pixelfast.runtime.trial import calls_a_second
from pixelfast.training.made_up import made_up_frames
from pixelfast.verify.machine import Machine
from pixelfast.verify.made_plan import CudaMemory, Memory, expected_errors, run_made_up
from pixelfast.verify.whole_run import Facts

MOST_OFF: Final = 1e-5
LENGTHS: Final = (128, 467, 2000)
"""Frames of the calls that copy alone: a piece, four of them, and many."""

_LEAST_BESIDE: Final = 0.5
"""Of the time of a call: with the lock of Python held nothing else would go on."""

_PAUSE: Final = 1e-3
"""Seconds that a thread may stop for without being asked why."""


class Effort(NamedTuple):
    """How much the runner of plans is asked to do.

    Attributes:
        calls: how many are compared: of one piece and of several, full and filled up.
        most: frames of these at most.
        work: how often over a plan computes that Python runs beside.
    """

    calls: int = 20
    most: int = 700
    work: int = 60


_USUAL: Final = Effort()


def describe_plan_runner(machine: Machine, seconds: float) -> tuple[Facts, bool]:
    """Tries the runner of plans on this machine's GPU; says in a line where there is none that it could be tried on.

    Returns:
        What was found, and whether all of it is right.
    """
    if not machine.by_torch or machine.gpu_missing is not None:
        return [("plan runner", "not tried: it needs a GPU that both PyTorch and cuda-bindings reach")], True
    from pixelfast.runtime.tensorrt.cuda import Cuda

    try:
        return try_plan_runner(CudaMemory(), Cuda, seconds)
    except (PixelfastError, RuntimeError) as error:
        return [("plan runner", f"FAILS: {first_line(error)}")], False


def try_plan_runner(
    memory: Memory, device: Callable[[], PlanDevice], seconds: float, effort: Effort = _USUAL
) -> tuple[Facts, bool]:
    """Tries the runner of plans with made-up plans, each on a device of its own.

    Args:
        memory: how PyTorch reaches what such a device allocates.
        device: makes one.
        seconds: how long each figure is measured, about.
        effort: how much it is asked to do.

    Raises:
        EngineError: the runner fails.
        RuntimeError: PyTorch does.
    """
    frames = made_up_frames(effort.most + effort.calls)
    many = np.resize(frames, (max(LENGTHS), *frames.shape[1:]))
    with run_made_up(memory, device()) as once:
        off = _furthest_off(once, frames, effort)
    with run_made_up(memory, device(), effort.work) as slow:
        share = beside(lambda: slow(many[: LENGTHS[1]]), seconds)
    with run_made_up(memory, device(), 0) as alone:
        rates = [(length, length * calls_a_second(lambda: alone(many[:length]), seconds)) for length in LENGTHS]  # noqa: B023
    right = off <= MOST_OFF
    released = share >= _LEAST_BESIDE
    return [
        ("plan runner", f"{'right' if right else 'WRONG'} in {effort.calls} calls of all sizes, {off:.0e} off at most"),
        ("beside it", f"Python goes on for {share:.0%} of a call's time{'' if released else ': ITS LOCK IS HELD'}"),
        ("copies alone", "; ".join(f"{rate:,.0f} frames/s of {length} a call" for length, rate in rates)),
    ], right and released


def _furthest_off(
    run: Callable[[NDArray[np.uint8]], NDArray[np.float32]], frames: NDArray[np.uint8], effort: Effort
) -> float:
    """The largest error of calls of all sizes, each of other frames: what a call leaves must not shine through."""
    off, rng = 0.0, np.random.default_rng(0)
    for call in range(effort.calls):
        some = np.ascontiguousarray(frames[call : call + int(rng.integers(WINDOW, effort.most))])
        off = max(off, float(np.abs(run(some) - expected_errors(some)).max()))
    return off


def beside(call: Callable[[], object], seconds: float) -> float:
    """The share of the time in which Python goes on, on another thread, while this one makes calls for so many seconds.

    It stands still where it comes no further for half a call: other programs stop it for less.
    """
    pauses, stopped = list[float](), threading.Event()

    def watch() -> None:
        before = time.perf_counter()
        while not stopped.is_set():
            now = time.perf_counter()
            if now - before > _PAUSE:
                pauses.append(now - before)
            before = now

    call()
    thread = threading.Thread(target=watch, name="pixelfast-beside", daemon=True)
    thread.start()
    try:
        each = 1 / calls_a_second(call, seconds)
    finally:
        stopped.set()
        thread.join()
    calls = max(2, round(seconds / each))
    return max(0.0, 1 - sum(pause for pause in pauses if pause > each / 2) / (calls * each))
