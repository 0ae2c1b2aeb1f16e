"""A short run is over soon: scoring imports nothing that it does not need."""

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from footage import walking_square
from pixelfast.model import Model
from tiny_engines import SIZE

NEVER = ("torch", "ray", "pandas", "scipy", "onnx", "nncf", "av", "pixelfast.jobs.train", "pixelfast.jobs.export")
NOT_HERE = ("pyarrow.parquet", "pyarrow.compute", "pyarrow.csv", "pyarrow.dataset", "rich", "multiprocessing.pool")
PROGRAM = """
import sys
from pixelfast.cli.run import run
assert run(sys.argv[2:]) == 0
print("imported", [name for name in sys.argv[1].split() if name in sys.modules])
"""


def imported(names: tuple[str, ...], *arguments: object) -> str:
    """Which of these modules a run of `score` imports, its stderr no terminal."""
    command = [sys.executable, "-c", PROGRAM, " ".join(names), "score", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()[-1]


@pytest.fixture
def source(make_source: Callable[..., Path]) -> Path:
    return make_source(**{"1": walking_square(16, seed=1, size=SIZE)})


def test_scoring_to_csv_imports_nothing_that_it_does_not_need(source: Path, model: Model, tmp_path: Path) -> None:
    arguments = (source, "--engine", model.folder, "--out", tmp_path / "scores.csv")
    assert imported(NEVER + NOT_HERE, *arguments) == "imported []"
    assert imported(NEVER + NOT_HERE, *arguments) == "imported []"  # the part is there now: it is read


def test_onnx_runtime_does_not_open_what_openvino_runs(source: Path, model: Model, tmp_path: Path) -> None:
    if find_spec("openvino") is None:
        pytest.skip("OpenVINO is not installed")
    arguments = (source, "--engine", model.folder / "ae.onnx", "--flip", "never", "--out", tmp_path / "scores.csv")
    assert imported(("openvino", "onnxruntime"), *arguments) == "imported ['openvino']"
