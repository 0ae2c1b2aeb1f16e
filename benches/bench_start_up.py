"""The whole command on a few frames: what it takes to start, and to end."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.versus("start_up", peer=None)
def test_start_up(contest, frames: list[Path], model: Path, tmp_path: Path) -> None:
    """`pixelfast score` of 16 frames, a new process each time, files and libraries in memory."""
    source = tmp_path / "01"
    source.mkdir()
    for frame in frames[:16]:
        (source / frame.name).symlink_to(frame)
    out = tmp_path / "scores.csv"
    command = [sys.executable, "-m", "pixelfast", "score", source, "--engine", model, "--out", out]

    def run() -> None:
        for part in out.with_name("scores.csv.parts").glob("*"):
            part.unlink()
        subprocess.run(command, capture_output=True, check=True)

    run()  # the engines are tried once, and the choice remembered
    contest(ours=run, rounds=5, items=16, unit="frames")
