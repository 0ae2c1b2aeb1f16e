"""What a training says of the time that is left: that of the whole job."""

import time
from pathlib import Path

import pytest

from footage import DrawnVideo, walking_square
from pixelfast.flip.recipe import SOURCE
from pixelfast.flip.training import _planned_steps, expected_seconds
from pixelfast.jobs.time_left import TimeLeft
from pixelfast.progress import Progress
from pixelfast.training.cache import FrameCache


def test_the_time_left_counts_what_is_still_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    now, told = [100.0], list[Progress]()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    tell = TimeLeft(told.append, flip_seconds=240)
    for phase, done in (("decode", 5), ("train", 11), ("train", 21), ("flip", 1), ("flip", 2), ("export", 1)):
        tell(Progress(phase, done, 111, "epoch 1, loss 1"))
        now[0] += 20
    said = {(step.phase, step.done): step.note for step in told}
    # A training that was resumed at step 10: ten steps in 20 s, ninety to go, and four minutes of flips.
    assert said["train", 21] == "epoch 1, 7 min 0 s left of the whole training, loss 1"
    assert said["flip", 2] == "epoch 1, 36 min 20 s left of the whole training, loss 1"
    assert {said["decode", 5], said["train", 11], said["export", 1]} == {"epoch 1, loss 1"}


def test_the_flip_classifier_is_expected_to_take_what_its_steps_take(tmp_path: Path) -> None:
    videos = [DrawnVideo("1", walking_square(60, 1))]
    cache = FrameCache.build(videos, tmp_path / "frames.u8", threads=1)  # type: ignore[arg-type]
    assert _planned_steps(SOURCE, 44) == 5 * 2
    assert 0 < expected_seconds(cache, SOURCE, threads=1) < 60


def test_writing_engines_and_calibrating_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now, told = [100.0], list[Progress]()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    tell = TimeLeft(told.append, flip_seconds=200, export_seconds=5, calibration_share=0.1)
    for phase, done in (("train", 0), ("train", 50), ("train", 100), ("export", 0), ("flip", 1), ("flip", 100)):
        tell(Progress(phase, done, 100))
        now[0] += 99
    said = [step.note.split(" left")[0] for step in told]
    # 99 s for 50 steps, so as many for the rest, 19.8 for the calibration, two engines and the flips.
    assert said == ["", "5 min 29 s", "3 min 50 s", "", "", "25 s"]
    alone = list[Progress]()
    tell = TimeLeft(alone.append, flip_seconds=0, export_seconds=5)
    tell(Progress("train", 0, 10))
    tell(Progress("train", 10, 10))
    assert alone[-1].note.startswith("5 s left")  # without a flip classifier there is one engine to write
