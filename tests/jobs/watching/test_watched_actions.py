"""What is done with events: a command that may fail or hang, and files that may not fit on the disk."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

import pixelfast
from cameras import watched
from films import write_film
from pixelfast.jobs.watching import album, clips, commands
from pixelfast.jobs.watching.album import Album, KeptPicture, packer
from pixelfast.jobs.watching.commands import Commands
from pixelfast.jobs.watching.events import WatchEvent
from street import street

EVENT = WatchEvent(
    "cam", 10, 20, 15, 0.4, 0.44, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 3.0, 2.0, "fast", "speed", (0.25, 0.75)
)


def test_the_command_gets_the_json_of_each_event(watching: Path, new: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    events, _ = watched(new, watching / "density", on_event=f"cat >> '{log}'")
    assert len(events) > 1
    assert sorted(log.read_text().splitlines()) == sorted(one.json() for one in events)


def test_json_says_all_in_one_line() -> None:
    plain = json.loads(EVENT.json())
    assert "\n" not in EVENT.json()
    assert plain == {
        "video": "cam", "start": 10, "end": 20, "peak": 15, "seconds": 0.4, "lasts": 0.44,
        "time": "2026-01-02T03:04:05.000+00:00", "value": 3.0, "threshold": 2.0, "reason": "fast", "stream": "speed",
        "where": [0.25, 0.75], "saved": None, "hours": None, "extrapolated": None,
    }  # fmt: skip
    assert json.loads(EVENT._replace(end=None, time=None, where=None).json())["end"] is None
    assert EVENT.line() == ("2026-01-02 03:04:05  0.4 s  frames 10 to 20  peak 3 (threshold 2)  bottom left: fast")
    assert "0.4 s, going on  frames 10 to …" in EVENT._replace(end=None).line()


def test_a_command_that_fails_is_said(watching: Path, new: Path, caplog: pytest.LogCaptureFixture) -> None:
    events, _ = watched(new, watching / "density", on_event="exit 3")
    assert caplog.text.count("the command of --on-event failed (exit code 3)") == len(events)


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    said, pid = list[str](), tmp_path / "pid"
    hanging = Commands(f"sleep 300 & echo $! > '{pid}'; wait", said.append, limit=0.5)
    hanging.run(EVENT)
    hanging.close()
    assert said == ["the command of --on-event took longer than 0.5 seconds and was ended"]
    child = Path(f"/proc/{pid.read_text().strip()}/stat")
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_four_at_once_and_the_rest_in_turn_and_too_many_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_MOST_WAITING", 6)
    said, log = list[str](), tmp_path / "log"
    some = Commands(f"echo + >> '{log}'; sleep 0.5; echo - >> '{log}'", said.append)
    for _ in range(4):
        some.run(EVENT)
        time.sleep(0.1)
    for _ in range(8):
        some.run(EVENT)
    some.close()
    marks = [1 if one == "+" else -1 for one in log.read_text().split()]
    assert len(marks) == 20 and max(np.cumsum(marks)) == 4
    assert len(said) == 2 and "wait already" in said[0]


def test_watching_goes_on_beside_a_hanging_command(
    watching: Path, new: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_AT_THE_END", 0.2)
    began = time.monotonic()
    events, results = watched(new, watching / "density", on_event="sleep 300")
    assert len(events) > 1 and len(results) == 180
    assert time.monotonic() - began < 30
    assert "a command of --on-event still runs, and is ended" in caplog.text


def test_each_event_is_saved_as_clip_picture_and_json(watching: Path, new: Path, tmp_path: Path) -> None:
    folder = tmp_path / "events"
    events, _ = watched(new, watching / "density", save_events=folder)
    assert sorted(one.name for one in folder.iterdir()) == sorted(
        f"new_frame_{one.start:07d}{suffix}" for one in events for suffix in (".jpg", ".json", ".mp4")
    )
    with av.open(str(new)) as file:
        shown = [frame.to_ndarray(format="gray").astype(int) for frame in file.decode(video=0)]
    for event in events:
        stem = Path(event.saved)
        assert json.loads(stem.with_suffix(".json").read_text()) == json.loads(event.json())
        peak = cv2.imread(str(stem.with_suffix(".jpg")), cv2.IMREAD_GRAYSCALE).astype(int)
        assert np.abs(peak - shown[event.peak]).mean() < 4
        first, last = max(0, event.start - 75), min(179, event.end + 1 + 75)
        with av.open(str(stem.with_suffix(".mp4"))) as file:
            clip = [(frame.time, frame.to_ndarray(format="gray").astype(int)) for frame in file.decode(video=0)]
        assert abs(len(clip) - (last - first + 1)) <= 1
        assert clip[0][1].shape == shown[0].shape
        assert np.diff([time for time, _ in clip]) == pytest.approx(0.04, abs=1e-3)
        for index in (0, len(clip) // 2):
            assert np.abs(clip[index][1] - shown[first + index]).mean() < 6


def test_a_long_event_has_a_clip_of_a_minute_and_is_saved_before_it_ends(
    watching: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clips, "LONGEST", 6.0)
    film = write_film(tmp_path / "a.mp4", street(300, 9))
    events, _ = watched(film, watching / "reconstruction", threshold=0.0, save_events=tmp_path / "events")
    (saved,) = (json.loads(one.read_text()) for one in (tmp_path / "events").glob("*.json"))
    assert (saved["start"], saved["end"]) == (0, 299)
    assert events[0].end is None
    with av.open(str(next((tmp_path / "events").glob("*.mp4")))) as file:
        assert 2.9 < float(file.duration / av.time_base) < 6.1


def test_a_turned_picture_is_saved_upright(watching: Path, tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", street(40, 9, "fast"), rotation=90)
    events, _ = watched(film, watching / "reconstruction", threshold=0.0, save_events=tmp_path / "events")
    assert cv2.imread(events[0].saved + ".jpg").shape == (144, 96, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_frames_are(orientation: int) -> None:
    from pixelfast.sources.planes import write_frames

    rng = np.random.default_rng(0)
    grey = np.kron(rng.integers(0, 256, (6, 8)), np.ones((16, 16))).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(grey, format="gray")
    shape = grey.shape if orientation < 5 else grey.shape[::-1]
    out = np.zeros((1, *shape), np.uint8)
    write_frames([frame], out, "grey", orientation=orientation, threads=1)
    packed = packer(None)(frame, orientation)
    assert packed is not None
    seen = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert np.abs(seen.astype(int) - out[0]).mean() < 4


def test_a_full_disk_is_said_and_watching_goes_on(
    watching: Path, new: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(clips, "write_clip", full)
    events, results = watched(new, watching / "density", save_events=tmp_path / "events")
    assert len(events) > 1 and len(results) == 180
    assert caplog.text.count("is not saved: ") == len(events)
    assert "the disk is full: make room" in caplog.text
    assert list((tmp_path / "events").iterdir()) == []


def test_a_folder_that_cannot_be_is_refused_before_the_work(watching: Path, new: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(pixelfast.OutputError, match="cannot be made"):
        pixelfast.watch(new, watching / "density", save_events=tmp_path / "file" / "events")


def test_an_album_stays_within_its_bytes_and_keeps_the_span() -> None:
    kept, most = Album(most_bytes=100_000), 0
    for number in range(5000):
        kept.add(KeptPicture(number, number / 25, bytes(1000)))
        most = max(most, sum(len(one.picture) for one in kept.between(0, 1e9)))
    assert most <= 100_000
    numbers = [one.number for one in kept.between(0, 1e9)]
    assert numbers[0] == 0 and numbers[-1] >= 4900
    kept.forget(100.0)
    assert kept.between(0, 99.9) == []
    assert album.MOST_BYTES <= 1 << 28
