"""The benches' plugin, run for real on two sides that sleep: it must be able to fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).parent.parent / "benches"
RACE = """
import time
import pytest

@pytest.mark.versus("race", repeats=1)
def test_race(contest):
    contest(ours=lambda: time.sleep(0.005), plain=lambda: time.sleep(0.02), plain_share=0.5, warmup_rounds=0)
"""  # the plain side does half the work: it counts as 40 ms, eight times ours
ALWAYS_QUIET, NEVER_QUIET = "0", "1.1"


@pytest.fixture
def race(tmp_path: Path) -> Path:
    for name in ("conftest.py", "gates.py", "quiet.py"):
        shutil.copy(BENCHES / name, tmp_path)
    (tmp_path / "test_race.py").write_text(RACE)
    return tmp_path


def run(folder: Path, gates: str, *options: str, quiet_share: str = ALWAYS_QUIET) -> subprocess.CompletedProcess[str]:
    (folder / "gates.toml").write_text(gates)
    command = [sys.executable, "-m", "pytest", str(folder), "--rootdir", str(folder), "-p", "no:cacheprovider"]
    command += ["--quiet-share", quiet_share, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_gate_that_is_met_passes(race: Path) -> None:
    result = run(race, "[race]\nfigure = 3.0\n")
    assert result.returncode == 0, result.stdout
    assert "passed  (repeats:" in result.stdout


def test_repeats_are_interleaved(race: Path) -> None:
    (race / "test_race.py").write_text(RACE.replace(", repeats=1", ""))
    lines = run(race, "[race]\nfigure = 3.0\n", "--verbose").stdout.splitlines()
    turns = [line.split("[")[1].split("]")[0] for line in lines if "test_race[" in line and "PASSED" in line]
    assert turns == ["ours-1", "plain-1", "ours-2", "plain-2", "ours-3", "plain-3"]


def test_an_impossible_gate_fails_the_run(race: Path) -> None:
    result = run(race, "[race]\nfigure = 1000.0\n")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED, result.stdout
    assert "bench gate race: FAILED" in result.stdout


def test_a_gate_stands_at_85_per_cent_of_its_figure(race: Path) -> None:
    result = run(race, "[race]\nfigure = 2.0\n")
    assert "gate  1.70 = 0.85 x 2" in result.stdout


def test_a_busy_machine_skips_the_gate_aloud(race: Path) -> None:
    result = run(race, "[race]\nfigure = 1000.0\n", quiet_share=NEVER_QUIET)
    assert result.returncode == 0, result.stdout
    assert "SKIPPED" in result.stdout
    assert "other work was running" in result.stdout


def test_a_bench_without_a_figure_fails(race: Path) -> None:
    result = run(race, "[rice]\nfigure = 1.0\n")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert "race: NO FIGURE in gates.toml" in result.stdout


def test_a_figure_without_a_bench_fails_when_every_gate_is_asked_for(race: Path) -> None:
    gates = "[race]\nfigure = 1.0\n[rice]\nfigure = 1.0\n"
    assert run(race, gates).returncode == 0
    result = run(race, gates, "--every-gate")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert "rice: no bench measured it" in result.stdout


def test_a_side_that_breaks_fails(race: Path) -> None:
    (race / "test_race.py").write_text(RACE.replace("lambda: time.sleep(0.02)", "lambda: 1 / 0"))
    result = run(race, "[race]\nfigure = 1.0\n")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert "race: INCOMPLETE" in result.stdout


def test_the_ratchet_raises_a_figure_and_keeps_the_rest(race: Path) -> None:
    gates = "# why\n[other]\nfigure = 2.0\n\n[race] # asleep\nfigure = 1.5\n# the end\n"
    assert run(race, gates, "--ratchet").returncode == 0
    before, _, after = (race / "gates.toml").read_text().partition("[race] # asleep\nfigure = ")
    figure, _, end = after.partition("\n")
    assert (before, end) == ("# why\n[other]\nfigure = 2.0\n\n", "# the end\n")
    assert float(figure) > 2.0


def test_the_ratchet_never_lowers(race: Path) -> None:
    gates = "[race]\nfigure = 80.0\n"
    run(race, gates, "--ratchet")
    assert (race / "gates.toml").read_text() == gates
