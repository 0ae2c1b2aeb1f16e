"""Where the command line writes: closed and full streams, other encodings, names with control characters."""

import errno
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from footage import walking_square
from pixelfast import api
from pixelfast.cli.console import facts, table, width
from pixelfast.model import Model
from pixelfast.notes import shown
from tiny_engines import SIZE

MakeSource = Callable[..., Path]
UGLY = ("größe", "esc\x1b[31mred", "[red]x[", "[/red]", "日本語", "new\nline", "bell\x07", "\u202egpj.x", "tab\tx")


@pytest.fixture
def footage(make_source: MakeSource) -> Path:
    return make_source(
        **{"größe": walking_square(20, seed=1, size=SIZE), "日本": walking_square(20, seed=2, size=SIZE)}
    )


def run(*arguments: str | Path, shell: str = "", **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Runs a command, its streams redirected as `shell` says."""
    words = [sys.executable, "-m", "pixelfast", *map(str, arguments)]
    environment = {**os.environ, **variables}
    command = ["/bin/sh", "-c", f'"$@" {shell}', "sh", *words]
    return subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)


@pytest.mark.parametrize("shell", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full", ">&- 2>/dev/full"])
def test_closed_and_full_streams_end_no_job(footage: Path, model: Model, tmp_path: Path, shell: str) -> None:
    done = run("score", footage, "--engine", model.folder, "--out", tmp_path / "s.csv", shell=shell)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"bug" not in done.stderr
    api.score(footage, model.folder, out=tmp_path / "expected.csv")
    assert (tmp_path / "s.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


@pytest.mark.parametrize("shell", [">&-", "2>&-", "2>/dev/full"])
@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("doctor",)])
def test_words_alone_may_go_nowhere(arguments: tuple[str, ...], shell: str) -> None:
    done = run(*arguments, shell=shell)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("shell", ["2>&-", "2>/dev/full", ">&- 2>&-"])
def test_what_fails_still_fails(shell: str) -> None:
    assert run("info", "nothing", shell=shell).returncode == 1
    assert run("info", "--bogus", shell=shell).returncode == 2


def test_results_that_cannot_be_printed_are_said(footage: Path, model: Model, tmp_path: Path) -> None:
    done = run("score", footage, "--engine", model.folder, "--out", tmp_path / "s.csv", shell=">/dev/full")
    assert done.returncode == 1
    last = done.stderr.decode().splitlines()[-1]
    assert last.startswith("error: the results cannot be printed (No space left on device)")
    assert (tmp_path / "s.csv").is_file()


@pytest.mark.parametrize("variables", [{}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}])
def test_a_c_locale_reads_utf8_names(footage: Path, model: Model, tmp_path: Path, variables: dict[str, str]) -> None:
    out = tmp_path / "größe.csv"
    done = run(
        "score", footage / "größe", footage / "日本", "--engine", model.folder, "--out", out,
        LC_ALL="C", PYTHONUTF8="0", **variables,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {line.split("_")[0] for line in out.read_text(encoding="utf-8").splitlines()[1:]} == {"größe", "日本"}
    shown_as = {"": "größe", "ascii": r"gr\xf6\xdfe", "latin-1": "größe"}[variables.get("PYTHONIOENCODING", "")]
    printed = done.stdout.decode(variables.get("PYTHONIOENCODING", "utf-8"))
    assert shown_as in printed
    lines = printed.rstrip("\n").split("\n")
    header = next(number for number, line in enumerate(lines) if line.startswith("most unusual"))
    assert len({width(line) for line in lines[header:]}) == 1


def test_tables_hold_together_whatever_the_names() -> None:
    lines = table(("video", "frame"), [(name, "1") for name in UGLY]).split("\n")
    assert len(lines) == 2 + len(UGLY)
    assert {width(line) for line in lines} == {width(lines[0])}
    assert all(line.isprintable() for line in lines)
    assert r"esc\x1b[31mred" in lines[3]
    assert facts([("out", "a\nb"), ("name", "c")]) == "out   a\\nb\nname  c"


@pytest.mark.parametrize("name", UGLY)
def test_shown_text_is_printable_and_shown_once(name: str) -> None:
    assert shown(name).isprintable()
    assert shown(shown(name)) == shown(name)
    assert name.isprintable() == (shown(name) == name)


def test_width_is_that_of_a_terminal() -> None:
    assert [width(text) for text in ("abc", "日本", "é", "e\u0301", "\uff57")] == [3, 4, 1, 1, 2]


@pytest.mark.parametrize("on_a_terminal", [False, True])
def test_names_reach_the_terminal_escaped(
    make_source: MakeSource, model: Model, tmp_path: Path, on_a_terminal: bool
) -> None:
    names = [name for name in UGLY if "/" not in name]
    source = make_source(**{name: walking_square(3, seed=1, size=SIZE) for name in names})
    command = [sys.executable, "-m", "pixelfast", "score", str(source), "--engine", str(model.folder)]
    command += ["--out", str(tmp_path / "s.parquet")]
    parent, child = pty.openpty() if on_a_terminal else os.pipe()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=child, env=environment)
    os.close(child)
    said = bytearray()
    try:
        while part := os.read(parent, 65536):
            said += part
    except OSError as error:
        assert error.errno == errno.EIO
    finally:
        os.close(parent)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert b"esc\x1b[31mred" not in said + out
    assert not {b"\x07", b"\t", b"\x1b"} & {bytes([byte]) for byte in out}
    assert b"\x07" not in said
    assert rb"esc\x1b[31mred has 3 frames" in said.replace(b"\r\n", b"\n")
    assert r"\u202egpj.x has 3 frames" in said.decode()
    assert "[red]x[ has 3 frames" in said.decode()


def test_a_note_with_markup_is_no_markup(make_source: MakeSource, model: Model) -> None:
    """Rich would take `[/red]` in a name for the end of a colour that was never begun."""
    from rich.console import Console

    from pixelfast.cli.progress import _bars, _draw
    from pixelfast.progress import Progress

    console = Console(force_terminal=True, width=200, record=True)
    with _bars(console) as bars:
        _draw(bars, {}, Progress("score", 1, 2, "video [/red]\x1b]0;x\x07"))
    assert r"video [/red]\x1b]0;x\x07" in console.export_text()
