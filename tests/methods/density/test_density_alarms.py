"""Alarms at a rate that was asked for, on drawn footage that nobody has seen: every event is a false one."""

from pathlib import Path

import pytest

import pixelfast
from frame_files import write_video
from street import QUICK, street

SEEDS, VIDEOS, FRAMES = 3, 12, 140


def test_one_event_in_500_frames_is_one_in_250_to_1000(tmp_path: Path) -> None:
    """5,040 held-out frames of three scenes, each learnt from as many."""
    expected = observed = 0.0
    for seed in range(SEEDS):
        normal, new = tmp_path / f"normal-{seed}", tmp_path / f"new-{seed}"
        for number in range(2 * VIDEOS):
            folder = normal if number < VIDEOS else new
            write_video(folder / f"{number:02d}", street(FRAMES, 1000 * seed + number), ".bmp")
        model = pixelfast.train(normal, tmp_path / f"model-{seed}", method="density", recipe=QUICK)
        scores = pixelfast.score(new, model.folder, flip="never", alarm_rate="1/500frames")
        events = scores.events()
        assert scores.curve is not None
        assert scores.curve.frames == VIDEOS * FRAMES
        assert len(scores.events(alarm_rate="1/50frames")) > len(events)
        observed += len(events)
        expected += len(scores) / 500
    assert expected == pytest.approx(10.08)
    assert 1 / 2 <= observed / expected <= 2, (observed, expected)
