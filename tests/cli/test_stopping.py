"""A command that is told to end does so as after Ctrl-C."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from footage import walking_square
from frame_files import write_video
from tiny_engines import write_frame_engine


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_gently(tmp_path: Path, number: signal.Signals) -> None:
    write_video(tmp_path / "new" / "01", walking_square(3000, size=32))
    engine = write_frame_engine(tmp_path / "ae.onnx", size=128)
    command = [sys.executable, "-m", "pixelfast", "score", "new", "--engine", str(engine), "--out", "scores.csv"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("note: ")
    time.sleep(0.2)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "stopped: nothing is half-written" in said
    assert "Traceback" not in said
    assert not (tmp_path / "scores.csv").exists()
