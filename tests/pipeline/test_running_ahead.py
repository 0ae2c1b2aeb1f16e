"""The decoder runs ahead: bounded, interruptible, in memory that does not grow; and what is imported for it."""

import json
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import pixelfast
from footage import DrawnVideo, walking_square
from frame_files import write_video
from pixelfast.machine.readahead import Readahead
from pixelfast.model import Model
from pixelfast.sources import Chunk
from tiny_engines import SIZE, write_frame_engine

MakeSource = Callable[..., Path]


def test_the_producer_runs_ahead_but_not_far() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in count():
            made.append(number)
            yield number

    with Readahead(numbers, depth=5) as ahead:
        taken = [next(ahead) for _ in range(10)]
        deadline = time.monotonic() + 5
        while len(made) < 16 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        assert len(made) == 16  # ten taken, five waiting, one in hand
    assert taken == list(range(10))
    assert not [thread for thread in threading.enumerate() if thread.name == "pixelfast-readahead"]


def test_the_producers_exception_reaches_the_consumer() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    with Readahead(failing, depth=3) as ahead:
        assert next(ahead) == 1
        for _ in range(2):
            with pytest.raises(OSError, match="the disk is gone"):
                next(ahead)


class FailingVideo(DrawnVideo):
    """A video whose disk goes away."""

    def chunks(self, *args: object, **kwargs: object) -> Iterator[Chunk]:
        chunks = super().chunks(SIZE, SIZE, "grey", 16)
        yield next(chunks)
        raise OSError("the disk is gone")


def test_a_failing_decoder_ends_the_run_and_leaves_no_thread(model: Model, tmp_path: Path) -> None:
    videos = [DrawnVideo("1", walking_square(60, 1, SIZE)), FailingVideo("2", walking_square(60, 2, SIZE))]
    with pytest.raises(OSError, match="the disk is gone"):
        pixelfast.score(videos, model.folder, parts=tmp_path / "parts")  # type: ignore[arg-type]
    assert not [thread for thread in threading.enumerate() if thread.name == "pixelfast-readahead"]
    assert [path.name.split(".")[0] for path in (tmp_path / "parts").iterdir()] == ["1"]


def test_the_next_video_is_cleaned_while_the_engine_is_at_this_one(model: Model, tmp_path: Path) -> None:
    cleaned = threading.Event()

    class Telling(DrawnVideo):
        """A video that says when cleaning has come to its damaged frame."""

        def explain(self, index: int) -> str:
            cleaned.set()
            return super().explain(index)

    first = DrawnVideo("1", walking_square(60, 1, SIZE))
    second = Telling("2", walking_square(60, 2, SIZE), unreadable=[40])
    reached = []

    def tell(step: pixelfast.Progress) -> None:
        reached.append(cleaned.wait(10))

    with pytest.raises(pixelfast.DecodeError, match=r"2/frame_0040\.png is empty"):
        pixelfast.score([first, second], model.folder, parts=tmp_path / "parts", on_error="raise", progress=tell)
    assert reached[0]
    assert [path.name.split(".")[0] for path in (tmp_path / "parts").iterdir()] == ["1"]


ENDLESS = """
    import sys
    from itertools import count

    import numpy as np
    import pixelfast
    from pixelfast.sources import Chunk

    class Endless:
        name, length = "endless", None

        def chunks(self, height, width, color="grey", chunk=64, threads=None):
            rng = np.random.default_rng(0)
            frames = rng.integers(0, 255, (chunk, height, width), np.uint8)
            for start in range(0, int(sys.argv[2]), chunk):
                ids = np.arange(start, start + chunk)
                yield Chunk(ids, frames.copy(), np.zeros(chunk, np.uint8))

        def describe(self, index):
            return f"frame {index}"

        def explain(self, index):
            return "is fine"

        def fingerprint(self):
            return bytes(32)

        def size(self):
            return (64, 64)
"""


def run_python(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_ctrl_c_ends_a_run_within_a_second(tmp_path: Path) -> None:
    engine = write_frame_engine(tmp_path / "ae.onnx", size=64)
    program = (
        ENDLESS
        + """
    started = []
    def tell(step):
        if not started:
            started.append(step)
            print("started", flush=True)
    try:
        pixelfast.score([Endless()], sys.argv[1], progress=tell)
    except KeyboardInterrupt:
        import threading
        print("interrupted", threading.active_count(), flush=True)
    """
    )
    process = run_python(program, engine, 10**12)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    time.sleep(0.3)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted 1\n"
    elapsed = time.monotonic() - begun
    process.communicate(timeout=10)
    assert elapsed < 1
    assert process.returncode == 0


def write_slow_engine(path: Path) -> Path:
    """An engine of cuboids whose single call takes many seconds, in many small steps."""
    size, steps = 256, 1500
    weights = numpy_helper.from_array(np.eye(size, dtype=np.float32), "weights")
    names = ["cuboids", *(f"step_{index}" for index in range(1, steps)), "reconstruction"]
    nodes = [helper.make_node("MatMul", [before, "weights"], [after]) for before, after in pairwise(names)]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 16, size, size]) for name in names[:: len(nodes)]
    ]
    graph = helper.make_graph(nodes, "slow", ends[:1], ends[1:], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def test_ctrl_c_ends_a_call_of_the_engine(tmp_path: Path) -> None:
    engine = write_slow_engine(tmp_path / "slow.onnx")
    program = (
        ENDLESS
        + """
    import threading, time
    from pixelfast.methods.reconstruction.engine import load_window_engine
    from pathlib import Path
    print("started", flush=True)
    begun = time.monotonic()
    try:
        load_window_engine(Path(sys.argv[1]), 1)
        print("ended by itself after", time.monotonic() - begun)
    except KeyboardInterrupt:
        print("interrupted", threading.active_count(), flush=True)
    """
    )
    process = run_python(program, engine, 0)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    time.sleep(2)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted 1\n"
    assert time.monotonic() - begun < 1
    process.communicate(timeout=10)


def test_memory_does_not_depend_on_the_length(tmp_path: Path) -> None:
    engine = write_frame_engine(tmp_path / "ae.onnx", size=64)
    program = (
        ENDLESS
        + """
    import resource
    scores = pixelfast.score([Endless()], sys.argv[1])
    print(len(scores), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    )
    peaks = {}
    for frames in (640, 12_800):
        output, errors = run_python(program, engine, frames).communicate(timeout=300)
        scored, peak_kib = map(int, output.split())
        assert scored == frames, errors
        peaks[frames] = peak_kib / 1024
    # The longer video's frames are 50 MiB; its scores and marks are less than 1 MiB.
    assert peaks[12_800] - peaks[640] < 12


def test_importing_costs_nothing_and_scoring_needs_no_torch(tmp_path: Path) -> None:
    write_video(tmp_path / "01", walking_square(20, 1, SIZE))
    engine = write_frame_engine(tmp_path / "ae.onnx")
    program = """
        import json, sys
        import pixelfast
        heavy = ("torch", "openvino", "cv2", "onnxruntime", "pyarrow", "scipy")
        before = [name for name in heavy if name in sys.modules]
        names = sorted(name for name in pixelfast.__all__ if getattr(pixelfast, name) is None)
        pixelfast.score(sys.argv[1], sys.argv[2], out=sys.argv[3])
        print(json.dumps([before, names, [name for name in heavy if name in sys.modules]]))
    """
    process = run_python(program, tmp_path / "01", engine, tmp_path / "scores.csv")
    output, errors = process.communicate(timeout=60)
    assert output, errors
    assert json.loads(output) == [[], [], ["openvino", "pyarrow"]]
    assert (tmp_path / "scores.csv").exists()


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'scores_of'"):
        _ = pixelfast.scores_of
    assert set(pixelfast.__all__) == set(dir(pixelfast))
