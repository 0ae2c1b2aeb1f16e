"""What other systems lack is not needed: the package works without what Windows has not, and writes the same bytes."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import pixelfast
from footage import walking_square
from made_models import MANIFEST
from pixelfast.files import atomic, folders
from pixelfast.jobs.watching import commands
from pixelfast.machine import threads
from pixelfast.model import Model
from pixelfast.pipeline.parts import _stem
from tiny_engines import SIZE

PACKAGE = Path(pixelfast.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix_ipc", "_posixshmem")
NAMES = (
    "sched_getaffinity", "sched_setaffinity", "killpg", "fork", "forkpty", "getuid", "geteuid", "getgid", "getegid",
    "setsid", "getpgid", "setpgid", "getpgrp", "getsid", "statvfs", "fstatvfs", "sysconf", "sysconf_names", "uname",
    "getloadavg", "posix_fadvise", "posix_spawn", "mkfifo", "mknod", "chown", "lchown", "fchown", "nice", "sendfile",
    "pread", "pwrite", "openpty", "wait3", "wait4", "setuid", "initgroups", "getgroups", "memfd_create", "O_DIRECTORY",
    "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "register_at_fork",
)  # fmt: skip
# Other people's packages have files of their own for Windows: they are imported before anything is taken away.
PROGRAM = """
import importlib, os, pkgutil, signal, sys
for name in ("torch", "torchvision", "onnxruntime", "cv2", "pyarrow", "av", "openvino", "plotly.graph_objects"):
    try:
        importlib.import_module(name)
    except ImportError:
        pass

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

modules, names, source, model = sys.argv[1:5]
MISSING = set(modules.split())
for name in MISSING:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Refuse())
for name in names.split():
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGALRM", "SIGCHLD", "alarm", "setitimer", "pthread_sigmask"):
    if hasattr(signal, name):
        delattr(signal, name)

import pixelfast
for found in pkgutil.walk_packages(pixelfast.__path__, "pixelfast."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
again = [name for name in MISSING if name in sys.modules]
scores = pixelfast.score(source, model, out=sys.argv[5])
print(len(scores), again)
"""


def test_every_module_and_a_score_do_without_what_windows_lacks(
    make_source: Callable[..., Path], model: Model, tmp_path: Path
) -> None:
    source = make_source(**{"1": walking_square(24, seed=1, size=SIZE)})
    out = tmp_path / "elsewhere.csv"
    arguments = (" ".join(MODULES), " ".join(NAMES), source, model.folder, out)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "24 []"
    here = tmp_path / "here.csv"
    pixelfast.score(source, model.folder, out=here)
    assert out.read_bytes() == here.read_bytes()


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Place, call and name of the function of every call of a method or function in the package."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node, name


def test_texts_are_written_with_their_encoding_and_their_line_ends() -> None:
    """Else the same results were other bytes on Windows."""
    wanted = {"write_text": {"encoding", "newline"}, "read_text": {"encoding"}}
    lacking = [
        f"{place}: {name}"
        for place, call, name in calls()
        if not wanted.get(name, set()) <= {word.arg for word in call.keywords}
        and not (name == "read_text" and call.args)  # the encoding, where it stands first
    ]
    assert not lacking, "\n".join(lacking)


def test_files_are_opened_as_bytes_or_with_their_encoding() -> None:
    lacking = []
    for place, call, name in calls():
        words = {word.arg: word.value for word in call.keywords}
        values = {one.value for one in (*call.args, words.get("mode")) if isinstance(one, ast.Constant)}
        of_pyav = "format" in words
        if name == "open" and values & {"r", "w", "a", "x", "r+", "w+"} and "encoding" not in words and not of_pyav:
            lacking.append(place)
    assert not lacking, "\n".join(lacking)


def test_a_file_is_flushed_through_a_handle_that_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows refuses to flush a file that is open for reading alone."""
    fcntl = pytest.importorskip("fcntl")

    modes = list[int]()
    monkeypatch.setattr(os, "fsync", lambda handle: modes.append(fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE))
    with atomic.atomic_path(tmp_path / "file") as temporary:
        temporary.write_bytes(b"content")
    (tmp_path / "ae.onnx").write_bytes(b"content")
    Model.write(tmp_path, tmp_path / "model", MANIFEST, ["ae.onnx"])
    assert modes
    assert set(modes) == {os.O_RDWR}


def test_a_new_folder_takes_the_place_of_an_empty_one_where_a_rename_replaces_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "os", SimpleNamespace(name="nt"))
    rename = Path.replace

    def as_on_windows(self: Path, target: Path) -> Path:
        if Path(target).is_dir():
            raise PermissionError(13, "Access is denied", str(self), None, str(target))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", as_on_windows)
    (tmp_path / "out").mkdir()
    with folders.new_folder(tmp_path / "out") as temporary:
        (temporary / "file").write_bytes(b"content")
    assert (tmp_path / "out" / "file").read_bytes() == b"content"


@pytest.mark.parametrize("video", ["nul", "CON", "aux.left", "com1", "a:b?c*", 'x"<>|', "day\\cam", "..", "2026/cam1"])
def test_parts_have_names_that_windows_takes(video: str) -> None:
    stem = _stem(video)
    assert not set(stem) & set('<>:"/\\|?*')
    assert stem.partition(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1", ""}


def test_names_of_parts_are_what_they_were() -> None:
    assert [_stem(name) for name in ("01", "cam 1", "2026-11-01/cam1", "console", "nullarbor", "com")] == [
        "01", "cam 1", "2026-11-01%2Fcam1", "console", "nullarbor", "com"
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "cores"), [(3, 3), (None, 1)])
def test_cores_are_counted_by_python_where_it_can(
    count: int | None, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "os", SimpleNamespace(process_cpu_count=lambda: count, cpu_count=lambda: 99))
    assert threads.usable_cores() == cores


def test_cores_are_counted_where_there_is_no_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "os", SimpleNamespace(cpu_count=lambda: 7))
    assert threads.usable_cores() == 7


def test_a_command_is_ended_with_its_tree_where_there_are_no_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = list[list[str]]()
    asked = SimpleNamespace(
        run=lambda command, **_: ran.append(command), Popen=subprocess.Popen, TimeoutExpired=subprocess.TimeoutExpired
    )
    monkeypatch.setattr(commands, "os", SimpleNamespace(name="nt"))
    monkeypatch.setattr(commands, "subprocess", asked)
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    commands._end(process)
    assert ran == [["taskkill", "/F", "/T", "/PID", str(process.pid)]]
    assert process.returncode == 0


def test_pictures_are_not_opened_by_opencv() -> None:
    """On Windows it opens no path that is not ASCII: it is given bytes."""
    assert not [place for place, _, name in calls() if name in ("imread", "imwrite")]
