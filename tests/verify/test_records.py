"""The budget of a verification, and the files that hold what it found as soon as it is found."""

import json
import logging
from pathlib import Path

import pytest

from pixelfast.errors import OutputError
from pixelfast.methods.reconstruction.engine import AE
from pixelfast.runtime.trial import Agreement, Candidate, Trial
from pixelfast.verify.budget import Budget
from pixelfast.verify.records import Records
from pixelfast.verify.said_once import said_once


def test_a_budget_takes_what_still_fits_and_remembers_the_rest() -> None:
    now = [100.0]
    budget = Budget(30, lambda: now[0])
    assert budget.words() == ""
    assert budget.fits("first", 30)
    now[0] += 21
    assert not budget.fits("long", 10)
    assert budget.fits("short", 9)
    now[0] += 10
    assert not budget.fits("nothing", 0)
    assert budget.words() == "long; nothing: no longer within the budget of 30 s, --budget gives more"


def test_each_line_is_there_as_soon_as_it_is_found(tmp_path: Path) -> None:
    trial = Trial(
        Candidate(Path("a/ae.plan"), "ae.plan", AE, 4, lambda: None, on_gpu=True), 0.5, Agreement("1", enough=True),
        {32: 10.0, 271: 99.5}, own_length=271,
    )  # fmt: skip
    with Records(tmp_path / "new" / "out") as records:
        records.fact("GPU", "none: “nothing”")
        lines = (tmp_path / "new" / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == [{"fact": "GPU", "says": "none: “nothing”"}]
        records.trial(trial)
        records.text("printed\nso")
        assert (tmp_path / "new" / "out" / "report.txt").read_text() == "printed\nso\n"
        found = json.loads((tmp_path / "new" / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()[1])
    assert found == {
        "engine": "ae.plan", "kind": "ae", "stride": 4, "on_gpu": True, "passed": True, "agreement": "1",
        "first_s": 0.5, "frames_s": {"32": 10.0, "271": 99.5}, "own_length": 271, "remark": "",
    }  # fmt: skip


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    for word in ("one", "two"):
        with Records(tmp_path) as records:
            records.text(word)
    assert (tmp_path / "report.txt").read_text() == "two\n"


def test_what_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken" / "report.txt").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"file/out cannot be written: "):
        Records(tmp_path / "file" / "out")
    with pytest.raises(OutputError, match=r"report.txt cannot be written: "):
        Records(tmp_path / "taken")


def test_a_disk_that_is_full_gets_a_sentence(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("a device that is always full is of Linux")
    (tmp_path / "results.jsonl").symlink_to(full)
    with (
        pytest.raises(OutputError, match=r"results.jsonl cannot be written: the disk is full"),
        Records(tmp_path) as kept,
    ):
        kept.fact("a", "b")


def test_without_a_folder_nothing_is_kept() -> None:
    with Records() as records:
        records.fact("a", "b")
        records.text("c")


def test_sentences_of_many_runs_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("pixelfast")
    with said_once():
        for sentence in ("one", "two", "one"):
            log.warning(sentence)
    log.warning("one")
    assert caplog.messages == ["one", "two", "one"]
