"""A Ray cluster gives what one run gives, to the byte: whole videos and segments, and where a worker dies."""

import inspect
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import motion_models
import pixelfast
import pixelfast.ray
from conftest import MadeOnce
from footage import walking_square
from frame_files import write_video
from pixelfast.model import Flip
from pixelfast.progress import Progress
from street import QUICK, street
from tiny_engines import SIZE, write_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),  # Ray's, of its own defaults
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
]

Homes = Callable[[str], Path]

MOST = 100
"""Frames of a segment."""


def make_reconstruction(folder: Path) -> None:
    write_model(folder / "model", (1, 4), Flip(held_out_accuracy=1.0, trusted=True))
    for number in range(5):
        write_video(folder / "new" / f"{number}", walking_square(40 + number, number, SIZE))
    frames = walking_square(330, 9, SIZE)
    frames[[99, 100, 250]] = frames[[99, 100, 250], ::-1]
    write_video(folder / "new" / "long", frames)


def make_motion(folder: Path) -> None:
    for number, walk in motion_models.TRAINING.items():
        write_video(folder / "normal" / number, walk)
        write_video(folder / "new" / number, walk[:20])
    write_video(folder / "new" / "long", motion_models.walk(230, 3))
    motion_models.train(folder / "normal", folder / "model", recipe=motion_models.tiny(flip_steps=4))


def make_density(folder: Path) -> None:
    for seed in range(1, 4):
        write_video(folder / "normal" / f"{seed}", street(60, seed))
    for name in ("fast", "back"):
        write_video(folder / "new" / name, street(70, 9, name))
    write_video(folder / "new" / "long", street(130, 4))
    pixelfast.train(folder / "normal", folder / "model", method="density", recipe=QUICK)


@pytest.fixture
def homes(made_once: MadeOnce) -> Callable[[str], Path]:
    """Of a method, a folder with a `model` and `new` footage, one video of which is long."""
    makers = {"reconstruction": make_reconstruction, "motion": make_motion, "density": make_density}
    return lambda method: made_once(f"cluster-{method}", makers[method])


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def workers() -> Iterator[int]:
    """The processes of a pool, of those that this process has started."""
    own, grown = {os.getpid()}, True
    above = {int(path.name): path for path in Path("/proc").iterdir() if path.name.isdigit()}
    while grown:
        found = {pid for pid, path in above.items() if pid not in own and parent(path) in own}
        own, grown = own | found, bool(found)
    for pid in own:
        if (above[pid] / "cmdline").read_bytes().startswith(b"ray::MapWorker"):
            yield pid


def parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def assert_same_as_one_run(home: Path, tmp_path: Path, **settings: object) -> None:
    """Scores, notes, and files with the parts of both."""
    engine, source = home / "model", home / "new"
    (tmp_path / "one").mkdir()
    (tmp_path / "cluster").mkdir()
    out, events = (Path("one") / name for name in ("scores.parquet", "events.csv"))
    once = pixelfast.score(source, engine, out=tmp_path / out, events=tmp_path / events, maps=True)
    there = pixelfast.ray.score(
        source, engine, out=tmp_path / "cluster" / out.name, events=tmp_path / "cluster" / events.name, maps=True,
        segment_frames=MOST, **settings,
    )  # type: ignore[arg-type]  # fmt: skip
    assert there.notes == once.notes
    assert there.reused == 0
    for name in ("raw", "score", "rank", "frame", "flipped", "noisy"):
        np.testing.assert_array_equal(getattr(there, name), getattr(once, name))
    assert files_of(tmp_path / "cluster") == files_of(tmp_path / "one")


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers by /proc")
def test_it_is_one_run_though_a_worker_is_killed(cluster: None, homes: Homes, tmp_path: Path) -> None:
    killed, steps = list[int](), list[Progress]()

    def kill(step: Progress) -> None:
        steps.append(step)
        if not killed:
            killed.append(next(workers()))
            os.kill(killed[0], signal.SIGKILL)

    assert_same_as_one_run(homes("reconstruction"), tmp_path, progress=kill)
    assert len(killed) == 1
    assert steps[-1].done == steps[-1].total == 5 * 42 + 330
    assert len(steps) == 5 + 4, "each video and segment comes back once"


@pytest.mark.parametrize("method", [pytest.param("motion", marks=pytest.mark.long), "density"])
def test_it_is_one_run(cluster: None, homes: Homes, tmp_path: Path, method: str) -> None:
    assert_same_as_one_run(homes(method), tmp_path, concurrency=2)


def test_it_takes_what_score_takes() -> None:
    once = inspect.signature(pixelfast.score).parameters
    here = inspect.signature(pixelfast.ray.score).parameters
    own = {"concurrency", "num_cpus", "num_gpus", "max_restarts", "max_task_retries", "segment_frames"}
    assert {*here} - {*once} == own | {"ray_remote_args"}
    # The cluster shares the work; a page is made of scores; time goes on other machines.
    assert {*once} - {*here} == {"shard", "report", "profile"}
    assert all(
        (here[name].default, here[name].kind) == (once[name].default, once[name].kind) for name in once if name in here
    )


def test_without_ray_a_sentence_says_what_to_install(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        pixelfast.PixelfastError, match=r"ray is missing: pip install 'pixelfast\[ray\]', on every node"
    ):
        pixelfast.ray.score(homes("reconstruction") / "new", homes("reconstruction") / "model")


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("concurrency", 0), ("num_cpus", -1), ("num_gpus", "one"), ("max_restarts", -2), ("max_task_retries", 1.5),
        ("segment_frames", 63), ("ray_remote_args", "memory"), ("threads", "2"), ("parts", 5),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_before_anything_begins(argument: str, value: object) -> None:
    with pytest.raises(pixelfast.ArgumentError, match=f"^{argument} must be "):
        pixelfast.ray.score("nowhere", "no-model", **{argument: value})  # type: ignore[arg-type]
