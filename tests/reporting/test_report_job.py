"""The page as a file: what it holds, what it needs, and how it is asked for."""

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

import pixelfast
from footage import walking_square
from pixelfast.model import Model
from pixelfast.reporting import page
from report_footage import scores_of, write_footage
from tiny_engines import SIZE

BUMPS = {"a": {20: 9.0}}


@pytest.fixture
def source(make_source: Callable[..., Path]) -> Path:
    return make_source(**{"1": walking_square(30, seed=1, size=SIZE), "2": walking_square(30, seed=2, size=SIZE)})


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pixelfast", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_same_scores_give_the_same_bytes(tmp_path: Path) -> None:
    scores = scores_of(["a"], 40, BUMPS)
    source = write_footage(tmp_path / "new", ["a"], 40)
    one, other = (pixelfast.report(scores, source, tmp_path / f"{name}.html").read_bytes() for name in "ab")
    assert one == other


def test_it_refers_to_nothing_outside(page_file: Path) -> None:
    text = re.sub(r'<script type="text/plain" id="plotly">.*?</script>', "", page_file.read_text(), flags=re.DOTALL)
    assert not re.findall(r"https?://|@import|url\(", text)
    kinds = {address[:5] for address in re.findall(r'(?:src|href)="([^"]*)"', text)}
    assert all(kind.startswith(("#", "data:")) for kind in kinds), kinds


def test_score_writes_it_with_error_maps_and_parts_of_its_own(source: Path, model: Model, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    done = run("score", source, "--engine", model.folder, "--flip", "never", "--report", report)
    assert done.returncode == 0, done.stderr
    assert f"written    {report}" in done.stdout
    assert len(list((tmp_path / "report.html.parts").glob("*.arrow"))) == 2
    text = report.read_text()
    assert text.count('class="heat"') == text.count('<article class="moment"') > 0
    assert "stand out most; there is no threshold" in text


def test_report_takes_the_parts_beside_the_scores(source: Path, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    scores = pixelfast.score(source, model.folder, out=out, flip="never", maps=True)
    done = run("report", out, "--source", source, "--out", tmp_path / "r.html", "--moments", 2)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"written  {tmp_path / 'r.html'} (")
    text = (tmp_path / "r.html").read_text()
    assert (text.count('class="heat"'), text.count('<article class="moment"')) == (2, 2)
    assert f"{len(scores):,} frames of 2 videos" in text


def test_a_source_that_is_gone_is_a_note_and_no_failure(tmp_path: Path) -> None:
    scores = scores_of(["a"], 40, BUMPS)
    text = pixelfast.report(scores, tmp_path / "gone", tmp_path / "r.html").read_text()
    assert "No picture. The source has no video a." in text
    assert f"no pictures: {tmp_path / 'gone'} does not exist" in text
    assert scores.notes == []


def test_no_frames_at_all_make_a_page(tmp_path: Path) -> None:
    text = pixelfast.report(scores_of([], 0, {}), tmp_path, tmp_path / "r.html").read_text()
    assert "There are no frames to show." in text


@pytest.mark.parametrize("missing", page._NEEDED)
def test_without_the_extra_a_sentence_comes_before_the_work(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "find_spec", lambda name: None if name == missing else find_spec(name))
    with pytest.raises(pixelfast.OutputError, match=rf"{missing} is missing: pip install 'pixelfast\[report\]'"):
        pixelfast.score("nowhere", "nowhere", report=tmp_path / "r.html")
    with pytest.raises(pixelfast.OutputError, match=rf"{missing} is missing: pip install 'pixelfast\[report\]'"):
        pixelfast.report("nowhere.parquet", "nowhere", tmp_path / "r.html")


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(pixelfast.OutputError, match="is a folder"):
        pixelfast.score("nowhere", "nowhere", report=tmp_path)


def test_labels_of_other_frames_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("Id,Label\na_1,1\n")
    with pytest.raises(pixelfast.ScoresError, match="has no label for"):
        pixelfast.report(scores_of(["a"], 4, {}), tmp_path, tmp_path / "r.html", labels=tmp_path / "labels.csv")


def test_scoring_alone_imports_neither_plotly_nor_jinja(source: Path, model: Model) -> None:
    program = (
        "import sys; from pixelfast.cli.run import run; "
        f"assert run(['score', {str(source)!r}, '--engine', {str(model.folder)!r}]) == 0; "
        "print([name for name in ('plotly', 'jinja2', 'pixelfast.reporting.job') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
