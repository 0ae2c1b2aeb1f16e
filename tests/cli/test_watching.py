"""`pixelfast watch` as it is typed: lines, JSON, signals, a closed pipe."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pixelfast
from films import walk, write_film
from tiny_engines import write_model


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watch")
    write_model(folder / "model")
    write_film(folder / "a.mp4", walk(60))
    write_film(folder / "long.mp4", walk(3000), options={"preset": "ultrafast"})
    return folder


def started(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pixelfast", "watch", *arguments, "--model", "model"]
    return subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def done(home: Path, *arguments: str) -> tuple[int, str, str]:
    process = started(home, *arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_lines_for_people_and_json_for_programs(home: Path) -> None:
    events = list(pixelfast.watch(home / "a.mp4", home / "model", threshold=0.0003))
    assert events
    code, out, err = done(home, "a.mp4", "--threshold", "0.0003")
    assert code == 0, err
    assert out.splitlines() == [one.line() for one in events]
    assert "watched: 60 frames of a.mp4 in " in err and "0 frames dropped" in err
    code, out, _ = done(home, "a.mp4", "--threshold", "0.0003", "--json")
    assert code == 0
    plain = [json.loads(line) for line in out.splitlines()]
    assert [(one["start"], one["end"], one["value"]) for one in plain] == [
        (one.start, one.end, one.value) for one in events
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_gently_and_what_goes_on_is_told(home: Path, number: signal.Signals) -> None:
    (home / "go").unlink(missing_ok=True)
    process = started(home, "long.mp4", "--threshold", "0", "--json", "--chunk", "1")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("note: ")
    time.sleep(0.4)
    process.send_signal(number)
    process.send_signal(number)  # as from those who send it to the group as well
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "watched: " in err and "Traceback" not in err and "stopped" not in err
    assert len(out.splitlines()) <= 1


def test_a_closed_pipe_ends_it_quietly(home: Path) -> None:
    process = started(home, "long.mp4", "--threshold", "0.0003")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.wait(60) == 1
    said = process.stderr.read()
    process.stderr.close()
    assert "Traceback" not in said and "error" not in said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (".", "is a folder, and watch looks at one camera, stream or file"),
        ("nowhere.mp4", "nowhere.mp4 does not exist: give rtsp://…"),
        ("7", "/dev/video7 does not exist"),
        ("gopher://cam", "watch knows no gopher://"),
        ("rtsp://me:secret@127.0.0.1:1/cam", "rtsp://127.0.0.1:1/cam refuses the connection"),
    ],
)
def test_what_cannot_be_watched_gets_a_sentence(home: Path, source: str, said: str) -> None:
    code, out, err = done(home, source, "--threshold", "1")
    assert (code, out) == (1, "")
    assert said in err and "secret" not in err and "Traceback" not in err
    code, _, err = done(home, "--debug", source, "--threshold", "1")
    assert code == 1 and "secret" not in err
