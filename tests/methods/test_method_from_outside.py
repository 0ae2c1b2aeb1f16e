"""A method that another package brings trains, scores, evaluates and shows itself; pixelfast has no word of it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from footage import walking_square
from frame_files import write_video
from pixelfast.scores import Scores

Run = Callable[..., "subprocess.CompletedProcess[str]"]
PLUGIN = Path(__file__).parents[1] / "made" / "plugin"
DARK = slice(20, 26)


def installed(folder: Path, value: str) -> dict[str, str]:
    """The environment of a process for which a package with this entry point is installed."""
    facts = folder / "grey_level-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: grey-level\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[pixelfast.methods]\ngrey_level = {value}\n")
    paths = [str(folder), str(PLUGIN), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def runner(folder: Path, value: str) -> Run:
    environment = installed(folder, value)

    def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "pixelfast", *map(str, arguments)]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    return run


def test_a_method_from_outside_is_whole(tmp_path: Path) -> None:
    run = runner(tmp_path, "grey_level:METHOD")
    frames = walking_square(48, 2)
    write_video(tmp_path / "normal" / "01", walking_square(48, 1))
    dark = frames.copy()
    dark[DARK] //= 3
    write_video(tmp_path / "new" / "01", dark)

    assert "grey_level" in run("train", "--help").stdout
    done = run("train", "normal", "--out", "model", "--method", "grey_level", "--darker", "7")
    assert done.returncode == 0, done.stderr
    done = run("score", "new", "--engine", "model", "--out", "scores.parquet")
    assert (done.returncode, "scored 48 frames" in " ".join(done.stdout.split())) == (0, True), done
    scores = Scores.read(tmp_path / "scores.parquet")
    assert (scores.method, scores.submission, len(scores)) == ("grey_level", "score", 48)
    usual = walking_square(48, 1)[:-16].reshape(-1, 8, 16, 8, 16).mean(axis=(0, 2, 4))
    oracle = np.abs(dark.reshape(-1, 8, 16, 8, 16).mean(axis=(2, 4)) - usual).mean(axis=(1, 2))
    np.testing.assert_allclose(scores.raw, oracle, atol=0.05)
    rows = [f"01_{frame},{int(frame - 1 in range(48)[DARK])}" for frame in scores.frame]
    (tmp_path / "labels.csv").write_text("\n".join(["Id,Label", *rows]) + "\n")
    done = run("evaluate", "scores.parquet", "labels.csv", "--json")
    assert '"auroc": 1.0' in done.stdout, done
    shown = run("info", "model").stdout
    assert "grey_level" in shown
    assert "darker" in shown
    done = run("export", "model")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done
    assert "its only engine" in done.stderr
    done = run("train", "normal", "--out", "other", "--darker", "7")
    assert "darker is for method='grey_level'" in done.stderr


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("nowhere:METHOD", "the method grey_level (nowhere:METHOD) cannot be loaded"),
        ("grey_level:GRID", "brings int, no MethodSpec"),
        ("pixelfast.methods.motion:METHOD", "needs another name, or its files another stem"),
    ],
)
def test_what_is_no_method_is_refused(tmp_path: Path, value: str, sentence: str) -> None:
    done = runner(tmp_path, value)("train", "normal", "--out", "model")
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
