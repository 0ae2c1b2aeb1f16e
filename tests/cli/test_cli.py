"""The command line as a person meets it: mostly real processes, their exit codes, and what they print where."""

import errno
import inspect
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from footage import walking_square
from pixelfast import api
from pixelfast.cli.progress import shown_progress
from pixelfast.cli.run import explain, run
from pixelfast.errors import OutputError
from pixelfast.evaluation import evaluate
from pixelfast.methods.registry import all_methods
from pixelfast.model import Model
from pixelfast.progress import Progress
from pixelfast.scores import Scores
from tiny_engines import SIZE

MakeSource = Callable[..., Path]
Command = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = ("train", "score", "evaluate", "demo", "clean", "export", "convert", "merge", "info", "doctor", "verify")


def pixelfast(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pixelfast", *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "COLUMNS")}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def in_process(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same without the half second that a process takes: for exit codes, and what is printed where."""
    for name in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: str | Path, cwd: Path = Path()) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(cwd)
        code = run([str(one) for one in arguments])
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return command


@pytest.fixture
def footage(make_source: MakeSource) -> Path:
    return make_source(**{"1": walking_square(40, seed=1, size=SIZE), "2": walking_square(30, seed=2, size=SIZE)})


def test_help_lists_every_command() -> None:
    done = pixelfast("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    for command in COMMANDS:
        assert re.search(rf"│ {command} +\w", done.stdout), command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, in_process: Command) -> None:
    done = in_process(command, "--help")
    assert done.returncode == 0
    assert f"Usage: pixelfast {command}" in done.stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from pixelfast.cli.run import run; assert run(['--help']) == 0; "
        "heavy = {'numpy', 'torch', 'openvino', 'cv2', 'onnxruntime', 'pyarrow', 'scipy', 'pixelfast._core'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_version() -> None:
    done = pixelfast("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"pixelfast \d+\.\d+\.\d+\S*\n", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Usage"),
        (("scroe",), "Did you mean 'score'"),
        (("score", "footage"), "--engine"),
        (("score", "footage", "--engine", "m", "--pool", "best"), "best"),
        (("score", "footage", "--engine", "m", "--stride", "0"), "stride"),
        (("train", "footage"), "--out"),
        (("evaluate", "scores.csv"), "LABELS"),
        (("info",), "MODEL"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: Sequence[str], said: str, in_process: Command) -> None:
    done = in_process(*arguments)
    assert done.returncode == 2
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


FAILING = {
    "train": ("train", "nowhere", "--out", "model"),
    "score": ("score", "nowhere", "--engine", "nothing.onnx"),
    "evaluate": ("evaluate", "nothing.parquet", "labels.csv"),
    "demo": ("demo", "--out", "a-file/demo"),
    "clean": ("clean", "nowhere", "--model", "model", "--out", "cleaned"),
    "export": ("export", "nothing"),
    "convert": ("convert", "nothing.pth", "--out", "model"),
    "merge": ("merge", "nothing.parts"),
    "info": ("info", "nothing"),
}


@pytest.mark.parametrize("command", FAILING)
def test_what_fails_says_so_in_one_sentence(command: str, tmp_path: Path, in_process: Command) -> None:
    (tmp_path / "a-file").write_text("")
    done = in_process(*FAILING[command], cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"error: [^\n]*(nowhere|nothing|a-file)[^\n]*\n", done.stderr), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a-file"]


@pytest.mark.parametrize("arguments", [("--debug", "info", "nothing"), ("info", "nothing", "--debug")])
def test_debug_shows_the_traceback_before_the_sentence(
    arguments: Sequence[str], tmp_path: Path, in_process: Command
) -> None:
    done = in_process(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert done.stderr.splitlines()[-1].startswith("error: nothing does not exist")


def test_score_writes_what_it_is_told_and_says_where(footage: Path, model: Model, tmp_path: Path) -> None:
    done = pixelfast("score", footage, "--engine", model.folder, "--out", "s.csv", "--out", "s.parquet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "70 frames of 2 videos" in done.stdout
    assert "s.csv" in done.stdout
    assert "s.parquet" in done.stdout
    scores = Scores.read(tmp_path / "s.parquet")
    expected = api.score(footage, model.folder)
    np.testing.assert_array_equal(scores.rank, expected.rank)
    assert (tmp_path / "s.csv").read_text().startswith("Id,Predicted\n1_1,")


def test_progress_goes_to_stderr_as_plain_lines(footage: Path, model: Model) -> None:
    done = pixelfast("score", footage, "--engine", model.folder)
    assert re.search(r"^score 70/70", done.stderr, re.MULTILINE)
    assert "\x1b" not in done.stdout + done.stderr
    assert "score 70/70" not in done.stdout


def test_notes_go_to_stderr(footage: Path, frame_engine: Path) -> None:
    done = pixelfast("score", footage, "--engine", frame_engine)
    assert done.returncode == 0
    assert re.search(r"^note: .*without flip correction and threshold", done.stderr, re.MULTILINE)
    assert "note:" not in done.stdout


def test_bars_on_a_terminal(footage: Path, model: Model) -> None:
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "pixelfast", "score", str(footage), "--engine", str(model.folder)]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=child, env=environment)
    os.close(child)
    shown = bytearray()
    try:
        while part := os.read(parent, 65536):
            shown += part
    except OSError as error:  # what Linux answers once the other end is closed
        assert error.errno == errno.EIO
    finally:
        os.close(parent)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "━" in shown.decode()
    assert "70/70" in shown.decode()
    assert b"\x1b" not in out


def test_clean_counts_what_it_did(footage: Path, model: Model, tmp_path: Path) -> None:
    done = pixelfast("clean", footage, "--model", model.folder, "--out", tmp_path / "cleaned")
    assert done.returncode == 0, done.stderr
    assert "70 frames of 2 videos" in done.stdout
    assert len(list((tmp_path / "cleaned").rglob("*.png"))) == 70


def test_shards_and_merge(footage: Path, model: Model, tmp_path: Path) -> None:
    engine = model.folder / "ae.onnx"
    for shard in ("1/2", "2/2"):
        done = pixelfast("score", footage, "--engine", engine, "--shard", shard, "--parts", "parts", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    done = pixelfast("merge", "parts", "--out", "all.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = api.score(footage, engine, out=tmp_path / "whole.csv")
    assert (tmp_path / "all.csv").read_text() == (tmp_path / "whole.csv").read_text()
    assert f"{len(expected)} frames of 2 videos" in done.stdout


def test_info_describes_a_model(model: Model) -> None:
    done = pixelfast("info", model.folder)
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("reconstruction", "ae.onnx", "ae.s4.onnx", "100.00% right"):
        assert word in done.stdout
    plain = json.loads(pixelfast("info", model.folder, "--json").stdout)
    assert plain["method"] == "reconstruction"


def test_doctor_finds_this_machine_able() -> None:
    done = pixelfast("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("numpy", "onnxruntime", "libjpeg-turbo", "SIMD", "cores", "ONNX Runtime on CPU", "by NVDEC"):
        assert word in done.stdout
    plain = json.loads(pixelfast("doctor", "--json").stdout)
    assert plain["packages"]["numpy"] == np.__version__


@pytest.fixture
def judged(tmp_path: Path) -> tuple[Path, Path]:
    """A CSV of scores and a CSV of labels."""
    (tmp_path / "s.csv").write_text("Id,Predicted\n1_1,0.1\n1_2,0.9\n2_1,0.5\n2_2,0.4\n")
    (tmp_path / "l.csv").write_text("Id,Label\n1_1,0\n1_2,1\n2_1,0\n2_2,0\n")
    return tmp_path / "s.csv", tmp_path / "l.csv"


def test_evaluate_prints_a_table(judged: tuple[Path, Path]) -> None:
    done = pixelfast("evaluate", *judged)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["video", "frames", "abnormal", "share", "AP", "AUROC"]
    assert lines[2] == ["all", "4", "1", "25.0%", "1.0000", "1.0000"]
    assert lines[4] == ["2", "2", "0", "0.0%", "-", "-"]


def test_evaluate_as_json_is_what_the_function_says(judged: tuple[Path, Path]) -> None:
    done = pixelfast("evaluate", *judged, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == evaluate(*judged).to_dict()


def test_a_reader_that_goes_away_is_no_error_worth_a_word(judged: tuple[Path, Path]) -> None:
    command = [sys.executable, "-m", "pixelfast", "evaluate", *map(str, judged)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 1
    assert said == b""


@pytest.mark.parametrize("name", ["train", "score", "clean", "export", "convert", "merge", "evaluate", "report"])
def test_names_and_defaults_are_those_of_the_functions(name: str) -> None:
    command = import_module(f"pixelfast.cli.{name}").__dict__[name]
    ours = {key: parameter.default for key, parameter in inspect.signature(command).parameters.items()}
    theirs = {key: parameter.default for key, parameter in inspect.signature(getattr(api, name)).parameters.items()}
    for told in ("progress", "profile"):  # functions are told, a command shows
        theirs.pop(told, None)
    for shown in ("as_json", "profile", "only", "dry_run"):
        ours.pop(shown, None)
    if theirs.pop("options", None) is not None:  # each method's own
        theirs |= {option.name: option.default for one in all_methods().values() for option in one.options}
    assert ours == theirs


def test_sentences_for_what_nobody_expected() -> None:
    assert explain(TypeError("x")).startswith("this is a bug in pixelfast (TypeError: x): run again with --debug")
    assert "not enough memory" in explain(MemoryError())
    full = OSError(errno.ENOSPC, "No space left on device", "/data/scores.csv")
    assert explain(full) == "the disk is full (/data/scores.csv): make room and run the same command again"
    denied = PermissionError(errno.EACCES, "Permission denied", "/data/x")
    assert explain(denied) == "the system says: Permission denied (/data/x) (--debug shows where)"
    assert explain(OutputError("a\n  b")) == "a b"


def test_lines_come_at_the_beginning_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress() as progress:
        for done in range(1, 1001):
            progress(Progress("train", done, 1000, f"loss {1 / done:.3f}"))
        progress(Progress("export", 1, None))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["train 1/1,000  loss 1.000", "train 1,000/1,000  loss 0.001", "export 1"]
