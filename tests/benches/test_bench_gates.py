"""The benches' plugin, run for real on two sides that sleep: it must be able to fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from abilities import ABILITIES, abilities
from gates import Contest, Gate, Repeat, Verdict, load_gates, ratchet

BENCHES = Path(__file__).parents[2] / "benches"
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
    for name in ("abilities", "chart", "conftest", "gates", "machine", "page", "quiet", "threads"):
        shutil.copy(BENCHES / f"{name}.py", tmp_path)
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


def test_a_missed_gate_gets_three_more_repeats_and_one_that_is_met_none(race: Path) -> None:
    missed = run(race, "[race]\nfigure = 1000.0\n").stdout.partition("(repeats: ")[2].partition(")")[0].split()
    met = run(race, "[race]\nfigure = 3.0\n").stdout.partition("(repeats: ")[2].partition(")")[0].split()
    assert (len(missed), len(met)) == (4, 1)


def test_a_bad_minute_does_not_fail_a_gate(race: Path) -> None:
    late = "import itertools\nTURNS = itertools.count()\n" + RACE.replace(
        "sleep(0.005)", "sleep(0.1 if next(TURNS) < 2 else 0.005)"
    )
    (race / "test_race.py").write_text(late)
    result = run(race, "[race]\nfigure = 5.0\n")
    assert result.returncode == 0, result.stdout
    assert "passed  (repeats: 0." in result.stdout


def test_a_gate_stands_at_85_per_cent_of_its_figure(race: Path) -> None:
    result = run(race, "[race]\nfigure = 2.0\n")
    assert "gate 1.70 = 0.85 x 2" in result.stdout


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


def test_a_bench_without_a_gate_runs_once_in_the_short_form(race: Path) -> None:
    (race / "test_race.py").write_text(RACE.replace(", repeats=1", ", gated=False"))
    assert "6 passed" in run(race, "").stdout
    assert "2 passed" in run(race, "", "--short").stdout


def test_a_bench_without_a_peer_is_timed_alone(race: Path) -> None:
    (race / "test_race.py").write_text(RACE.replace(", repeats=1", ", repeats=1, peer=None"))
    result = run(race, "")
    assert result.returncode == 0, result.stdout
    assert "1 passed" in result.stdout
    assert "not gated  (repeats: 0.00" in result.stdout


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


FIGURES = "[race]\nfigure = 10.0\nfigure_without_bf16 = 8.0\nfigure_without_vnni = 5.5\n"


@pytest.mark.parametrize(
    ("has", "key", "figure"),
    [
        ({"bf16", "vnni"}, "figure", 10.0),
        ({"vnni"}, "figure_without_bf16", 8.0),
        ({"bf16"}, "figure_without_vnni", 5.5),
        (set(), "figure_without_vnni", 5.5),
    ],
)
def test_the_lowest_figure_that_applies_counts(tmp_path: Path, has: set[str], key: str, figure: float) -> None:
    (tmp_path / "gates.toml").write_text(FIGURES)
    assert load_gates(tmp_path / "gates.toml", has) == {"race": Gate("race", key, figure)}


def test_of_equal_figures_the_one_for_this_machine_is_ratcheted(tmp_path: Path) -> None:
    (tmp_path / "gates.toml").write_text("[race]\nfigure = 2.0\nfigure_without_vnni = 2.0\n")
    assert load_gates(tmp_path / "gates.toml", {"bf16"})["race"].key == "figure_without_vnni"
    assert load_gates(tmp_path / "gates.toml", {"vnni"})["race"].key == "figure"


def test_a_higher_figure_without_an_ability_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "gates.toml").write_text("[race]\nfigure = 2.0\nfigure_without_bf16 = 3.0\n")
    assert load_gates(tmp_path / "gates.toml", set())["race"].key == "figure"


@pytest.mark.parametrize("entry", ["figure = 1.0\nfigure_without_wings = 0.5\n", "figure_without_bf16 = 1.0\n"])
def test_an_unknown_key_and_a_missing_figure_are_refused(race: Path, entry: str) -> None:
    result = run(race, f"[race]\n{entry}")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR, result.stdout
    assert "[race] of the gates has" in result.stderr


def test_the_line_and_the_ratchet_name_the_key(tmp_path: Path) -> None:
    path = tmp_path / "gates.toml"
    path.write_text(FIGURES)
    gate = load_gates(path, ABILITIES.keys() - {"vnni"})["race"]
    contest = Contest("race", gated=True, repeats={0: Repeat(ours=1.0, plain=6.0)})
    assert "gate 4.67 = 0.85 x 5.5 without vnni" in contest.line(gate, 0)
    assert ratchet(path, gate, 6.0)
    assert path.read_text() == FIGURES.replace("5.5", "6.0")


def test_a_stage_slower_than_its_peer_has_a_gate_below_1(tmp_path: Path) -> None:
    path = tmp_path / "gates.toml"
    path.write_text("[race]\nfigure = 0.5\n")
    gate = load_gates(path, set())["race"]
    slower = Contest("race", gated=True, repeats={0: Repeat(ours=2.36, plain=1.0)})
    assert " 0.424x  gate 0.425 = 0.85 x 0.5" in slower.line(gate, 0)
    assert slower.judge(gate, 0) is Verdict.FAILED
    assert ratchet(path, gate, 0.578)
    assert path.read_text() == "[race]\nfigure = 0.57\n"


X86 = "processor\t: 0\nflags\t\t: fpu avx2 {}\nbugs\t: none\n"


@pytest.mark.parametrize(
    ("cpuinfo", "has"),
    [
        (X86.format("avx512_vnni avx512_bf16"), {"vnni", "bf16"}),
        (X86.format("avx_vnni"), {"vnni"}),
        (X86.format("avx512f"), set()),
        ("Features\t: fp asimd asimddp bf16\n", {"vnni", "bf16"}),
        ("", set()),
    ],
)
def test_abilities_are_read_off_the_processor(cpuinfo: str, has: set[str]) -> None:
    assert abilities(cpuinfo) == has
