"""Whether memory grows over many scores: what is read, what is called growth, and the scores themselves."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from films import walk, write_film
from frame_files import write_video
from machines import WITHOUT
from pixelfast.jobs.score import run
from pixelfast.machine.memory import resident_memory
from pixelfast.scores import Scores
from pixelfast.sources import open_source
from pixelfast.verify.repeated import describe_repeated, growth
from tiny_engines import write_model

MIB = 1 << 20


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ([264, 281, 275, 269, 287, 300, 300, 300, 286, 283], "does not grow: 269 to 300 MiB (264 after the first)"),
        ([100, 200, 300, 300, 300, 300, 300, 300, 300, 300], "does not grow: 300 to 300 MiB (100 after the first)"),
        (list(range(100, 200, 10)), "GROWS by 10.0 MiB a score: 130 to 190 MiB (100 after the first)"),
        ([100], "does not grow: 100 to 100 MiB (100 after the first)"),
        ([100, 120], "does not grow: 120 to 120 MiB (100 after the first)"),
    ],
)  # fmt: skip
def test_growth_is_what_goes_on(seen: list[int], words: str) -> None:
    assert growth([one * MIB for one in seen]) == words


def test_memory_of_this_process_is_read(tmp_path: Path) -> None:
    if resident_memory() is None:
        pytest.skip("what a process has is read on Linux alone")
    held = np.ones(256 * MIB, np.uint8)
    found = resident_memory()
    assert found is not None
    assert held.nbytes < found < 16 * held.nbytes
    assert resident_memory(tmp_path / "nothing") is None
    (tmp_path / "status").write_text("VmSize:\t 9 kB\nVmRSS:\t 5 kB\n")
    assert resident_memory(tmp_path / "status") == 5 * 1024


@pytest.mark.parametrize("kind", ["folder", "film"])
def test_scores_again_and_again(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, source = walk(60), tmp_path / "footage"
    if kind == "film":
        write_film(source.with_suffix(".mkv"), frames)
        (video,) = open_source(source.with_suffix(".mkv"))
    else:
        write_video(source / "01", frames)
        (video,) = open_source(source)
    model, lengths = write_model(tmp_path / "model"), []

    def counted(*given: Any) -> Scores:
        lengths.append(len((scores := run(*given)).raw))
        return scores

    monkeypatch.setattr("pixelfast.verify.repeated.run", counted)
    facts = dict(
        describe_repeated(video, model.folder / "ae.onnx", WITHOUT, flip="never", threads=1, frames=20, runs=4)
    )
    assert lengths == [20] * 4
    assert facts["4 scores"] == "of ae.onnx in one process: each time the same scores"
    assert re.match(r"(does not grow|GROWS)|not measured", facts["memory, host"])
    assert facts["memory, GPU"] == "not measured: it needs a GPU that PyTorch reaches"
