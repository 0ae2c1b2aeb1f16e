"""Scoring beside other things: from several threads, in forked and spawned children, in an event loop, on and on."""

import asyncio
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import av
import pytest

import pixelfast
from films import walk, write_film
from footage import walking_square
from pixelfast.model import Model
from pixelfast.sources.planes import orientation_of
from tiny_engines import write_cuboid_engine

Make = Callable[..., Path]
ASKED = 4
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")

FORKED = """
scorer = pixelfast.Scorer(engine)
scorer.score(source)
watch = pixelfast.watch(film, engine, threshold=0.0)
pixelfast.score(source, engine, out=f"{out}/parent.parquet")
if (child := os.fork()) == 0:
    pixelfast.score(source, engine, out=f"{out}/child.parquet")
    for use in (lambda: scorer.score(source), lambda: scorer.raw(source), lambda: next(watch)):
        try: use()
        except pixelfast.PixelfastError as error: print(error, flush=True)
    scorer.close()
    with pixelfast.Scorer(engine) as own:
        own.score(source, out=f"{out}/own.parquet")
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
scorer.score(source, out=f"{out}/after.parquet")
"""
TORN = """
working, done = threading.Event(), threading.Event()
def progress(_):
    working.set()
    done.wait()
def beside(): pixelfast.score(source, engine, out=f"{out}/beside.parquet", progress=progress)
thread = threading.Thread(target=beside)
thread.start()
working.wait()
if (child := os.fork()) == 0:
    try: pixelfast.score(source, engine)
    except pixelfast.PixelfastError as error: print(error, flush=True)
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
done.set()
thread.join()
if (child := os.fork()) == 0:
    pixelfast.score(source, engine, out=f"{out}/child.parquet")
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
TORCH = """
pixelfast.score(source, engine)
if (child := os.fork()) == 0:
    try: pixelfast.score(source, engine)
    except pixelfast.PixelfastError as error: print(error, flush=True)
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
SOAK = """
from pathlib import Path
from soak import score_again_and_again
for one in score_again_and_again(Path(source), [Path(engine), Path(film)], Path(out) / "again", 40, 10):
    print(*one)
"""


def script(text: str, *arguments: object) -> list[str]:
    """What a process of its own prints, line by line; one that hangs fails."""
    names = "import os, sys, threading, pixelfast\nsource, engine, film, out = sys.argv[1:]\n"
    command = [sys.executable, "-W", "ignore", "-c", names + text, *map(str, arguments)]
    ways = os.pathsep.join(sys.path)
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "PYTHONPATH": ways}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def source(make_source: Make) -> Path:
    return make_source(a=walking_square(60, 0, 32), b=walking_square(50, 1, 32), c=walking_square(40, 2, 32))


@pytest.fixture
def plain(source: Path, model: Model, tmp_path: Path) -> bytes:
    """The bytes of one plain run."""
    pixelfast.score(source, model.folder, out=tmp_path / "plain.parquet")
    return (tmp_path / "plain.parquet").read_bytes()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "film.mp4", walk(40))


def outs(folder: Path) -> list[Path]:
    return [folder / f"{number}.parquet" for number in range(ASKED)]


def test_threads_at_once_write_what_one_writes(source: Path, model: Model, tmp_path: Path, plain: bytes) -> None:
    with ThreadPoolExecutor(ASKED) as pool:
        list(pool.map(lambda out: pixelfast.score(source, model.folder, out=out), outs(tmp_path)))
    assert [out.read_bytes() for out in outs(tmp_path)] == [plain] * ASKED


def test_threads_at_once_share_a_folder_of_parts(source: Path, model: Model, tmp_path: Path, plain: bytes) -> None:
    parts = tmp_path / "parts"
    with ThreadPoolExecutor(ASKED) as pool:
        list(pool.map(lambda out: pixelfast.score(source, model.folder, out=out, parts=parts), outs(tmp_path)))
    assert [out.read_bytes() for out in outs(tmp_path)] == [plain] * ASKED
    alone = {path.name: path.read_bytes() for path in (tmp_path / "plain.parquet.parts").iterdir()}
    assert {path.name: path.read_bytes() for path in parts.iterdir()} == alone


@forks
@pytest.mark.parametrize("engine", ["model", "theirs.onnx"])
def test_a_forked_child_scores_and_is_refused_what_its_parent_opened(
    engine: str, source: Path, model: Model, tmp_path: Path, film: Path
) -> None:
    write_cuboid_engine(tmp_path / "theirs.onnx")  # which ONNX Runtime runs, wherever OpenVINO is installed
    *said, code = script(FORKED, source, tmp_path / engine, film, tmp_path)
    assert code == "7", "the child ends as it wants to"
    assert len(said) == 3
    assert [line.split(" was opened before this process was forked, and ")[0] for line in said] == [
        *[f"this Scorer of {tmp_path / engine}"] * 2,
        "this watch",
    ]
    assert all(line.endswith('start processes by spawn: multiprocessing.get_context("spawn")') for line in said)
    first, *others = (tmp_path / f"{name}.parquet" for name in ("parent", "child", "own", "after"))
    assert [out.read_bytes() for out in others] == [first.read_bytes()] * 3


@forks
def test_a_child_that_is_forked_from_the_midst_of_scoring_says_so(
    source: Path, model: Model, tmp_path: Path, plain: bytes
) -> None:
    said, *codes = script(TORN, source, model.folder, "", tmp_path)
    assert said.startswith("this process was forked while its parent was scoring, and might wait for ever for it: ")
    assert "spawn" in said
    assert codes == ["7", "0"], "one that is forked when the work is done can score again"
    assert [(tmp_path / f"{name}.parquet").read_bytes() for name in ("beside", "child")] == [plain] * 2


@forks
def test_pytorch_of_a_parent_is_refused_in_a_forked_child(source: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs PyTorch: pip install '.[train]'")
    from pixelfast.methods.reconstruction.network import TemporalAutoencoder, save_autoencoder

    save_autoencoder(TemporalAutoencoder(8).eval(), tmp_path / "ae.safetensors", recipe="source", trained_with={})
    said, code = script(TORCH, source, tmp_path / "ae.safetensors", "", tmp_path)
    assert said.startswith("this process was forked from one that had loaded PyTorch, whose threads are not here: ")
    assert "spawn" in said
    assert code == "7"


def test_spawned_children_write_what_one_process_writes(
    source: Path, model: Model, tmp_path: Path, plain: bytes
) -> None:
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        runs = [pool.submit(pixelfast.score, source, model.folder, out=out) for out in outs(tmp_path)]
        assert [len(run.result(60)) for run in runs] == [150] * ASKED
    assert [out.read_bytes() for out in outs(tmp_path)] == [plain] * ASKED


def test_an_event_loop_scores_by_itself_and_by_threads(
    source: Path, model: Model, tmp_path: Path, plain: bytes
) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.005)

    async def all_of_them() -> None:
        direct, *beside = outs(tmp_path)
        pixelfast.score(source, model.folder, out=direct)
        clock = asyncio.create_task(tick())
        await asyncio.gather(
            *(asyncio.to_thread(pixelfast.score, source, model.folder, out=out) for out in beside),
        )
        clock.cancel()

    asyncio.run(all_of_them())
    assert [out.read_bytes() for out in outs(tmp_path)] == [plain] * ASKED
    assert ticks > 3, "the loop goes on while threads score"


def test_ctrl_c_is_the_main_threads_while_another_scores(
    source: Path, model: Model, tmp_path: Path, plain: bytes
) -> None:
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    met, out = list[object](), outs(tmp_path)[0]

    def progress(_: object) -> None:
        met.append({number: signal.getsignal(number) for number in signal.valid_signals()})
        if len(met) == 1:
            signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(
        target=pixelfast.score, args=(source, model.folder), kwargs={"out": out, "progress": progress}
    )
    with pytest.raises(KeyboardInterrupt):
        thread.start()
        thread.join(60)
    thread.join(60)
    assert out.read_bytes() == plain
    assert met.count(handlers) == len(met) > 0


def test_a_picture_that_was_asked_how_it_lies_is_let_go(film: Path) -> None:
    def pictures() -> int:
        return sum(type(one) is av.VideoFrame for one in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = pictures()
        with av.open(str(film)) as file:
            assert [orientation_of(frame) for frame in file.decode(video=0)] == [1] * 40
        assert pictures() == before
    finally:
        gc.enable()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc, which only Linux has")
def test_scores_in_a_row_hold_no_more_and_more(source: Path, model: Model, tmp_path: Path) -> None:
    theirs = write_cuboid_engine(tmp_path / "theirs.onnx")
    samples = [list(map(float, line.split())) for line in script(SOAK, source, model.folder, theirs, tmp_path)]
    (_, allocated, handles, threads), *_, last = samples
    assert len(samples) == 4
    assert last[2:] == [handles, threads]
    assert last[1] - allocated < 4, "MiB in 30 scores, after 10; what the allocator keeps besides is chance"
