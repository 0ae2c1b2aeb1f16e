"""What every function of the core has in common: threads, the GIL, Ctrl-C, processes that fork."""

import inspect
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deep_files import write_png
from pictures import picture
from pixelfast import _core

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (200, 24, 16), np.uint8)
STARTS = RNG.integers(0, 184, 40)
CUBOIDS = RNG.random((2, 20, 16, 24, 16), np.float32)
MAPS = RNG.gamma(2, 0.01, (3000, 8, 8)).astype(np.float32)
VALUES = RNG.gamma(2, 0.01, 700_000)
LENGTHS = np.array([100_000, 1, 499_999, 100_000])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("files")
    paths = [folder / f"{index}.jpg" for index in range(12)]
    for seed, path in enumerate(paths):
        picture(90, 120, seed).save(path)
    return paths


def assemble(threads: int) -> np.ndarray:
    out, clean = np.empty((2, len(STARTS), 16, 24, 16), np.float32)
    _core.assemble_cuboids(
        FRAMES,
        STARTS,
        out,
        clean=clean,
        samples=STARTS,
        noise_probability=0.4,
        flip_probability=0.4,
        threads=threads,
    )
    return np.stack([out, clean])


def deep_ranges(threads: int, files: list[Path]) -> np.ndarray:
    folder = files[0].parent
    deep = [write_png(folder / f"{most}.png", np.full((8, 8), most, np.uint16)) for most in range(300, 309)]
    return np.array(_core.sample_ranges(deep, threads))


CALLS: dict[str, Callable[[int, list[Path]], Any]] = {
    "decode_frames": lambda threads, files: _core.decode_frames(files, 32, 48, threads=threads)[0],
    "decode_frames in color": lambda threads, files: _core.decode_frames(files, color="rgb", threads=threads)[0],
    "resize_frames": lambda threads, _: _core.resize_frames(FRAMES, 10, 12, threads),
    "resize_planes": lambda threads, _: _core.resize_planes(
        [frame.reshape(-1) for frame in FRAMES], FRAMES.shape[2], FRAMES.shape[1:3], 10, 12, threads=threads
    ),
    "count_pictures": lambda threads, files: np.array(_core.count_pictures([*files, files[0].parent], threads)),
    "fingerprint_files": lambda threads, files: np.frombuffer(_core.fingerprint_files(files, threads), np.uint8),
    "sample_ranges": deep_ranges,
    "assemble_cuboids": lambda threads, _: assemble(threads),
    "cuboid_errors": lambda threads, _: _core.cuboid_errors(*CUBOIDS, 4, threads),
    "noise_sigma": lambda threads, _: _core.noise_sigma(FRAMES, threads),
    "pool mean": lambda threads, _: _core.pool(MAPS, "mean", threads),
    "pool worst": lambda threads, _: _core.pool(MAPS, "worst", threads),
    "normalise": lambda threads, _: _core.normalise(VALUES, 99.99, threads),
    "smooth": lambda threads, _: _core.smooth(VALUES, LENGTHS, 7, threads),
    "smooth wide": lambda threads, _: _core.smooth(VALUES, LENGTHS, 999, threads),
    "rank": lambda threads, _: _core.rank(VALUES, threads),
    "rank float32": lambda threads, _: _core.rank(VALUES.astype(np.float32), threads),
    "motion_blocks": lambda threads, _: _core.motion_blocks(CUBOIDS.reshape(-1, 24, 8, 2), 5, 3, threads),
    "look_blocks": lambda threads, _: _core.look_blocks(FRAMES, 5, 3, threads),
    "place_distances": lambda threads, _: _core.place_distances(MAPS, MAPS[:48].reshape(8, 48, 8), threads),
    "farthest_first": lambda threads, _: _core.farthest_first(MAPS, 5, threads),
}


@pytest.mark.parametrize("name", CALLS)
def test_any_number_of_threads_gives_the_same_bits(name: str, files: list[Path]) -> None:
    one = CALLS[name](1, files)
    assert one.size and len(np.unique(one)) > 1
    for threads in (2, 7):
        assert CALLS[name](threads, files).tobytes() == one.tobytes()


@pytest.mark.parametrize("name", CALLS)
def test_zero_threads_are_refused(name: str, files: list[Path]) -> None:
    with pytest.raises(ValueError, match="threads must be at least 1, not 0"):
        CALLS[name](0, files)


def test_every_function_that_takes_threads_is_covered() -> None:
    takes = {
        name
        for name, member in vars(_core).items()
        if inspect.isbuiltin(member) and "threads" in inspect.signature(member).parameters
    }
    assert takes == {name.split()[0] for name in CALLS}


# Work for a second or so on one thread, little memory: long windows make the median slow.
SLOW_MEDIAN = np.random.default_rng(0).random((2500, 2048), np.float32)


def test_other_python_threads_run_meanwhile() -> None:
    """With the GIL held, the counter would stand still."""
    turns, stop = 0, threading.Event()

    def count() -> None:
        nonlocal turns
        while not stop.is_set():
            turns += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    try:
        while turns < 3:
            time.sleep(0.001)
        before, started = turns, time.perf_counter()
        _core.OverlapAggregator(2048, how="median").push(SLOW_MEDIAN)
        during, seconds = turns - before, time.perf_counter() - started
    finally:
        stop.set()
        counter.join()
    assert seconds > 0.2, "the call must last for the test to mean anything"
    assert during > 20


# Each prepares `call`, which takes a second or several on one thread.
SLOW: dict[str, str] = {
    "rank": "values = np.random.default_rng(0).random(20_000_000)\ncall = lambda: c.rank(values, 1)",
    "OverlapAggregator": "e = np.random.default_rng(0).random((3000, 4096), np.float32)\n"
    "call = lambda: c.OverlapAggregator(4096, 1, 'median').push(e)",
    "assemble_cuboids": "frames = np.zeros((600, 512, 512), np.uint8)\nstarts = np.arange(60)\n"
    "out = np.empty((60, 8, 512, 512), np.float32)\n"
    "call = lambda: c.assemble_cuboids(frames, starts, out, samples=starts, noise_probability=1, threads=1)",
    "decode_frames": "call = lambda: c.decode_frames([sys.argv[1]] * 16_000, 16, 16, threads=1)",
    "fingerprint_files": "call = lambda: c.fingerprint_files([sys.argv[1]] * 200_000, 1)",
}

INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np
from pixelfast import _core as c
{prepare}
started = time.perf_counter()
call()
whole = time.perf_counter() - started
sent = None
def interrupt():
    global sent
    sent = time.perf_counter()
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer(whole / 10, interrupt).start()
try:
    call()
    print("was never interrupted")
except KeyboardInterrupt:
    print(whole, time.perf_counter() - sent)
"""


@pytest.mark.parametrize("name", SLOW)
def test_ctrl_c_ends_the_work_within_a_second(name: str, files: list[Path]) -> None:
    """A tenth into a call that takes `whole` seconds; were the signal heard at its end only, that would show."""
    script = INTERRUPTED.format(prepare=SLOW[name])
    done = subprocess.run(
        [sys.executable, "-c", script, str(files[0])], capture_output=True, text=True, timeout=120, check=True
    )
    whole, late = map(float, done.stdout.split())
    assert whole > 0.2, "the call must last for the test to mean anything"
    assert late < min(1.0, 0.1 + whole / 2)


def test_ctrl_c_from_outside_ends_a_script() -> None:
    """As a person sends it: the process ends by KeyboardInterrupt, with Python's own traceback."""
    script = (
        "import numpy as np\nfrom pixelfast import _core as c\n"
        + SLOW["OverlapAggregator"]
        + "\nprint('on', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script + "while True: call()"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdout.readline() == "on\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert errors.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    """As in PyTorch's data loaders: the parent's threads do not live on in the child."""
    script = """
import os, warnings
import numpy as np
from pixelfast import _core
warnings.simplefilter("ignore")
values = np.random.default_rng(0).random(100_000)
expected = _core.rank(values, 2)
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(_core.rank(values, 2), expected) else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-c", script], timeout=60, check=True)
