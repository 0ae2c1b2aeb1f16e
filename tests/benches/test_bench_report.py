"""docs/benchmarks.md and its chart, made from contests that never ran."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from chart import chart
from gates import Contest, Gate, Repeat
from machine import describe_machine
from page import page, three_digits

BENCHES = Path(__file__).parents[2] / "benches"
QUIET = 0.75
GATES = {
    "rank": Gate("rank", "figure", 12.0),
    "decode_pillow": Gate("decode_pillow", "figure_without_vnni", 2.0),
    "slow": Gate("slow", "figure", 0.5),
}


def contest(name: str, *seconds: tuple[float, float | None], **facts: object) -> Contest:
    repeats = {index: Repeat(ours, plain) for index, (ours, plain) in enumerate(seconds)}
    return Contest(name, **{"gated": name in GATES, "section": "numerics", **facts}, repeats=repeats)


RANK = contest("rank", (0.1, 1.0), (0.1, 1.25), peer="SciPy", title="Ranks", items=10, unit="million values")
DECODE = contest("decode_pillow", (0.5, 1.0), section="decode", peer="Pillow", items=1000, unit="frames")
ALONE = contest("dis", (0.02, None), section="engines", peer=None, title="Flow | alone")
SLOW = contest("slow", (3.0, 1.0), peer="a memory copy")


def rows(text: str) -> dict[str, list[str]]:
    """Cells of each bench's row, by its name."""
    found = {}
    for line in text.splitlines():
        if name := re.search(r"`(\w+)`", line if line.startswith("| ") and line.count("|") == 9 else ""):
            found[name[1]] = [cell.strip() for cell in line.split("|")[1:-1]]
    return found


def test_a_row_tells_both_speeds_all_ratios_and_the_verdict() -> None:
    table = rows(page([RANK, DECODE, SLOW], GATES, QUIET, {}))
    assert table["rank"] == [
        "Ranks<br>`rank`",
        "SciPy",
        "100 million values/s",
        "8 million values/s",
        "**12.50**",
        "10.00 12.50",
        "10.20",
        "passed",
    ]
    assert table["decode_pillow"][2:4] == ["2,000 frames/s", "1,000 frames/s"]
    assert table["decode_pillow"][6] == "1.70 (without vnni)"
    assert table["slow"][0] == "`slow`"
    assert table["slow"][2:] == ["3 s", "1 s", "**0.333**", "0.333", "0.425", "FAILED"]


def test_the_best_is_of_the_quiet_repeats() -> None:
    beside_work = Contest(
        "rank", True, "SciPy", "numerics", repeats={0: Repeat(1, 9), 1: Repeat(1, 99, core_share=0.5)}
    )
    cells = rows(page([beside_work], GATES, QUIET, {}))["rank"]
    assert cells[4:6] == ["**9.00**", "9.00 99.00"]


def test_benches_without_gate_and_without_peer_are_there() -> None:
    peer = contest("rank_polars", (1.0, 4.0), peer="polars")
    table = rows(page([peer, ALONE], GATES, QUIET, {}))
    assert table["rank_polars"][4:] == ["**4.00**", "4.00", "", "not gated"]
    assert table["dis"] == ["Flow / alone<br>`dis`", "none", "20 ms", "", "", "", "", "not gated"]


def test_sections_come_in_the_order_of_the_pipeline() -> None:
    strange = contest("strange", (1.0, 1.0), section="of_tomorrow")
    whole = contest("score", (1.0, 1.0), section="score")
    text = page([strange, RANK, ALONE, whole, DECODE], GATES, QUIET, {})
    titles = re.findall("^## (.*)", text, re.MULTILINE)
    assert titles == ["Decoding", "Engines", "A whole run", "Post-processing", "Of tomorrow"]


def test_the_document_says_how_it_was_made_and_on_what() -> None:
    text = page([RANK], GATES, QUIET, {"Processor": "an abacus"}, short=True, chart="benchmarks.svg")
    assert "Made by `make bench`" in text
    assert "short form" in text
    assert "| Processor | an abacus |" in text
    assert "](benchmarks.svg)" in text
    assert "short form" not in page([RANK], GATES, QUIET, {})


def test_the_machine_tells_what_it_can_and_cannot() -> None:
    cpuinfo = "cpu family\t: 25\nmodel\t\t: 1\nmodel name\t: Some CPU\nflags\t: avx2 avx_vnni\n"
    facts = describe_machine({"simd": "no", "libjpeg_turbo": "3.1.0"}, cpuinfo)
    assert facts["Processor"] == "Some CPU (family 25, model 1)"
    assert facts["Abilities"].split("; ") == ["vnni (int8 dot products): yes", "bf16 (bfloat16 units): no"]
    assert facts["libjpeg-turbo"] == "3.1.0, with SIMD (nasm): no"
    assert "PyTorch" in facts["Versions"]


@pytest.mark.parametrize(
    ("value", "text"), [(41234.5, "41,200"), (101, "101"), (99.96, "100"), (16.34, "16.3"), (0.01234, "0.0123")]
)
def test_three_digits(value: float, text: str) -> None:
    assert three_digits(value) == text


def svg(*contests: Contest) -> ElementTree.Element:
    return ElementTree.fromstring(chart(contests, GATES, QUIET))


def bars(picture: ElementTree.Element) -> list[tuple[float, float]]:
    """Start and width of each bar; the first rectangle is the card."""
    found = picture.findall("{*}rect")[1:]
    return [(float(bar.attrib["x"]), float(bar.attrib["width"])) for bar in found]


def test_bars_are_logarithmic_and_start_at_the_peer() -> None:
    by_10, by_100 = (contest(name, (1.0, ratio), peer="x") for name, ratio in (("ten", 10.0), ("hundred", 100.0)))
    (ten, ten_wide), (hundred, hundred_wide), (slow, slow_wide) = bars(svg(by_10, by_100, SLOW))
    assert ten == hundred == pytest.approx(slow + slow_wide, abs=0.2)
    assert hundred_wide == pytest.approx(2 * ten_wide, abs=0.2)


def test_labels_fit_left_of_the_bars_and_all_fits_on_the_card() -> None:
    long = contest("a_bench_with_quite_a_long_name", (1.0, 20.0), peer="some peer with a name no shorter than that")
    picture = svg(long, SLOW)
    width, height = float(picture.attrib["width"]), float(picture.attrib["height"])
    for text in picture.findall("{*}text"):
        x, reach = float(text.attrib["x"]), 7 * len(text.text or "")
        left = {"start": x, "middle": x - reach / 2, "end": x - reach}[text.attrib["text-anchor"]]
        assert left >= 0
        assert left + reach <= width
        assert float(text.attrib["y"]) < height


def test_only_what_has_a_ratio_is_drawn() -> None:
    assert len(bars(svg(ALONE, RANK))) == 1
    assert bars(svg(ALONE)) == []


RACE = """
import pytest

@pytest.mark.versus("race", peer="the tortoise", repeats=1)
def test_race(contest):
    '''Who is first.'''
    contest(ours=lambda: sum(range(10)), plain=lambda: sum(range(100_000)), items=10, unit="laps")
"""


@pytest.mark.parametrize(("figure", "verdict"), [("1.0", "passed"), ("1e9", "FAILED")])
def test_the_plugin_writes_both_files_whatever_the_verdict(tmp_path: Path, figure: str, verdict: str) -> None:
    for name in ("abilities", "chart", "conftest", "gates", "machine", "page", "quiet", "threads"):
        shutil.copy(BENCHES / f"{name}.py", tmp_path)
    (tmp_path / "bench_race.py").write_text(RACE)
    (tmp_path / "gates.toml").write_text(f"[race]\nfigure = {figure}\n")
    command = [sys.executable, "-m", "pytest", "bench_race.py", "-p", "no:cacheprovider", "--quiet-share", "0"]
    subprocess.run([*command, "--report", "docs/report.md"], cwd=tmp_path, check=False, timeout=120)
    text = (tmp_path / "docs" / "report.md").read_text()
    cells = rows(text)["race"]
    assert (cells[0], cells[1], cells[-1]) == ("Who is first<br>`race`", "the tortoise", verdict)
    assert "## Race" in text
    assert "laps/s" in cells[2]
    assert len(bars(ElementTree.parse(tmp_path / "docs" / "report.svg").getroot())) == 1
