"""Work in progress stands under a lock of a living process; what is under no such lock is swept."""

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import filelock
import pytest

from pixelfast.errors import OutputError
from pixelfast.files.atomic import atomic_path, check_writable
from pixelfast.files.exchange import exchange
from pixelfast.files.folders import new_folder, scratch_folder
from pixelfast.files.locks import alone_with, at_work_in, hidden_beside, one_after_another, sweep

HOLDING = """
import sys
from pathlib import Path
from pixelfast.files.locks import alone_with, hidden_beside
out = Path(sys.argv[1])
with alone_with(out), hidden_beside(out, ".csv") as file, hidden_beside(out) as folder:
    file.write_text("half")
    folder.mkdir()
    (folder / "inside").write_text("half")
    print("there", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> subprocess.Popen[str]:
    """A process that is about to make `out`, and has unfinished files beside it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path / "out")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    yield process
    process.kill()
    process.communicate()


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_what_a_living_process_writes_stays(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    before = names(tmp_path)
    sweep(tmp_path)
    assert names(tmp_path) == before
    assert len(before) == 4  # a file, a folder, the lock over both, and the lock of `out`
    other.communicate()
    assert names(tmp_path) == []


def test_what_a_killed_process_left_is_swept(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    (tmp_path / "result.csv").write_text("whole")
    other.kill()
    other.communicate()
    assert len(names(tmp_path)) == 5
    sweep(tmp_path)
    assert names(tmp_path) == ["result.csv"]


@pytest.mark.parametrize("check", ["a file", "a folder", "scratch", "first writing"])
def test_whoever_writes_next_sweeps(tmp_path: Path, other: subprocess.Popen[str], check: str) -> None:
    other.kill()
    other.communicate()
    if check == "a file":
        check_writable(tmp_path / "b.csv")
    elif check == "a folder":
        with new_folder(tmp_path / "out"):
            pass
        (tmp_path / "out").rmdir()
    elif check == "scratch":
        with scratch_folder(tmp_path / "out"):
            pass
    else:
        with atomic_path(tmp_path / "b.csv") as temporary:
            temporary.write_text("whole")
        (tmp_path / "b.csv").unlink()
    assert names(tmp_path) == []


def test_leftovers_of_an_older_version_are_swept(tmp_path: Path) -> None:
    (tmp_path / ".pixelfast-0123456789abcdef.csv").write_text("half")
    (tmp_path / ".pixelfast-k3_x9ab2").mkdir()
    (tmp_path / ".pixelfast-k3_x9ab2" / "inside").write_text("half")
    before = names(tmp_path)
    sweep(tmp_path)
    assert names(tmp_path) == before, "they may be of another machine that is at work"
    for path in tmp_path.iterdir():
        os.utime(path, (0, time.time() - 100_000))
    sweep(tmp_path)
    assert names(tmp_path) == []


def test_what_only_begins_like_ours_stays(tmp_path: Path) -> None:
    own = (
        ".pixelfastrc",
        ".pixelfast-notes.md",
        ".pixelfast-config",
        ".pixelfast-before-model",
        "pixelfast-0123456789abcdef",
    )
    for name in own:
        (tmp_path / name).write_text("somebody's own")
        os.utime(tmp_path / name, (0, 0))
    sweep(tmp_path)
    assert names(tmp_path) == sorted(own)


def test_where_there_are_no_locks_nothing_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def acquire(self: object, timeout: float, poll_interval: float) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    with hidden_beside(tmp_path / "a.csv", ".csv") as temporary:
        temporary.write_text("half")
        sweep(tmp_path)
        assert temporary.read_text() == "half"


TAKING = """
import sys
from pathlib import Path
from pixelfast.files.locks import alone_with, sweep
for turn in range(60):
    sweep(Path(sys.argv[1]))
    with alone_with(Path(sys.argv[1]) / sys.argv[2]):
        pass
"""


def test_a_sweep_refuses_nobody(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", TAKING, str(tmp_path), f"out{index}"] for index in range(4)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    assert [process.communicate(timeout=120)[1] for process in processes] == [""] * 4


def test_a_second_maker_is_refused_while_the_first_lives(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    refused = pytest.raises(OutputError, match=r"out is being written by another run that is still at work: wait")
    with refused, new_folder(tmp_path / "out"):
        pytest.fail("both make it")
    with new_folder(tmp_path / "another"):
        pass
    other.kill()
    other.communicate()
    with new_folder(tmp_path / "out") as temporary:
        (temporary / "a").write_text("whole")
    assert names(tmp_path) == ["another", "out"]


def test_a_second_thread_is_refused_too(tmp_path: Path) -> None:
    with alone_with(tmp_path / "out"), pytest.raises(OutputError, match="another run"), alone_with(tmp_path / "out"):
        pytest.fail("both make it")
    assert names(tmp_path) == []


def test_one_after_another_counts_without_a_gap(tmp_path: Path) -> None:
    count = tmp_path / "count"
    count.write_text("0")

    def add() -> None:
        for _ in range(20):
            with one_after_another(count):
                count.write_text(str(int(count.read_text()) + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count.read_text() == "80"
    assert names(tmp_path) == ["count"]


def test_threads_that_write_into_one_folder_share_a_lock_and_none_is_swept(tmp_path: Path) -> None:
    def write(index: int) -> None:
        for turn in range(20):
            sweep(tmp_path)
            with atomic_path(tmp_path / f"{index}-{turn}") as temporary:
                temporary.write_text("whole")

    threads = [threading.Thread(target=write, args=(index,)) for index in range(4)]
    with at_work_in(tmp_path) as token:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [name for name in names(tmp_path) if name.startswith(".")] == [f".pixelfast-{token}.lock"]
    assert len(names(tmp_path)) == 80
    assert all(path.read_text() == "whole" for path in tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_a_lock_of_its_own(tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from pixelfast.files.locks import at_work_in
here = Path(sys.argv[1])
with at_work_in(here) as mine:
    child = os.fork()
    if child == 0:
        with at_work_in(here) as its:
            os._exit(int(its == mine))
    assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(tmp_path)], check=True, timeout=60)


def test_a_vanished_folder_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"), atomic_path(tmp_path / "gone" / "a.csv"):
        pytest.fail("the work began")
    with pytest.raises(OSError), hidden_beside(tmp_path / "gone" / "a.csv"):
        pytest.fail("the work began")
    assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="this system exchanges no names")
def test_folders_change_names_in_one_step(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "what").write_text(name)
    assert exchange(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old" / "what").read_text() == "new"
    assert (tmp_path / "new" / "what").read_text() == "old"
    assert not exchange(tmp_path / "new", tmp_path / "nothing")
    assert (tmp_path / "new" / "what").read_text() == "old"
