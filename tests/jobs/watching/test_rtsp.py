"""A camera of the network: GStreamer's RTSP server on loopback, killed and started again in the middle."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pixelfast
from cameras import rtsp_server, with_results
from films import write_film
from pixelfast.sources import camera as cameras
from pixelfast.sources import feed as feeds
from street import street

LEVEL = {"reconstruction": 0.0006}


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "this has taken too long"
        time.sleep(0.02)


class Beside:
    """A watch that another thread iterates."""

    def __init__(self, source: str, model: Path, **settings: Any) -> None:
        self.watch = pixelfast.watch(source, model, threshold=LEVEL.get(model.name), **settings)
        self.results, self.events, self.error = with_results(self.watch), list[Any](), list[Exception]()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.events.extend(self.watch)
        except Exception as error:
            self.error.append(error)

    def end(self) -> None:
        self.watch.stop()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def __enter__(self) -> "Beside":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


@pytest.fixture
def short(tmp_path: Path) -> Path:
    return write_film(tmp_path / "short.mp4", street(90, 9, "fast"), options={"g": "25", "bf": "0"})


@pytest.mark.parametrize("name", ["density", "live", "motion", "reconstruction"])
def test_raw_and_events_are_those_of_the_same_file(watching: Path, short: Path, name: str) -> None:
    model = watching / name
    scores = pixelfast.score(short, model)
    with rtsp_server(short) as server, Beside(server.address, model) as beside:
        until(lambda: not beside.watch.standing().connected and len(beside.results) >= 90)
    results, events = beside.results[:90], [one for one in beside.events if one.start < 90]
    assert [one.frame for one in results] == list(range(90))
    np.testing.assert_array_equal(np.array([one.raw for one in results], np.float32), scores.raw)
    expected = scores.events(LEVEL.get(name))
    assert [(one.start, one.end, one.peak) for one in events] == [(e.start, e.end, e.peak_frame) for e in expected]
    assert not beside.error and beside.watch.standing().dropped == 0


def test_mjpeg_comes_as_h264_does(watching: Path, tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.avi", street(60, 9, "fast"), codec="mjpeg", pixels="yuvj420p")
    model = watching / "reconstruction"
    with rtsp_server(film, "mjpeg") as server, Beside(server.address, model) as beside:
        until(lambda: len(beside.results) >= 60)
    raw = np.array([one.raw for one in beside.results[:60]], np.float32)
    np.testing.assert_allclose(raw, pixelfast.score(film, model).raw, rtol=1e-3)  # the tables of the JPEGs are its own


def test_a_server_that_is_killed_is_connected_again(
    watching: Path, new: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    with rtsp_server(new) as server, Beside(server.address, watching / "density") as beside:
        until(lambda: beside.watch.standing().connected)
        time.sleep(3.0)  # the runner is in the picture, and no result of it is there yet
        server.kill()
        until(lambda: not beside.watch.standing().connected)
        before = len(beside.results)
        until(lambda: "trying again in 2 s" in caplog.text)
        server.start()
        until(lambda: beside.watch.standing().reconnects == 1)
        until(lambda: len(beside.results) >= before + 180)
    said = [one for one in caplog.messages if "rtsp://" in one]
    for words in ("is there", "trying again in 1 s", "refuses the connection", "trying again in 2 s", "is there again"):
        assert any(words in one for one in said), words
    assert all(one[:20].strip().count(":") == 2 for one in said), "each has its time"
    assert "secret" not in caplog.text + "".join(capfd.readouterr()) + str(beside.events)
    frames = [one.frame for one in beside.results]
    assert frames == sorted(set(frames))
    whole = pixelfast.Scorer(watching / "density").raw(new).raw
    # A gap begins a new stretch, which is scored as a video of its own.
    again = beside.results[before:]
    assert 25 < before < 180
    np.testing.assert_array_equal(np.array([one.raw for one in again[:180]], np.float32), whole)
    first = beside.events[0]
    assert first.video == f"rtsp://127.0.0.1:{server.address.split(':')[3].split('/')[0]}/cam…"
    assert abs(first.time.timestamp() - time.time()) < 60 and first.time.tzinfo is not None
    seconds = [one.seconds for one in beside.results]
    assert all(a < b for a, b in pairwise(seconds))


def test_a_stream_that_stalls_counts_as_lost(
    watching: Path, new: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "STALL_SECONDS", 1.5)
    with rtsp_server(new) as server, Beside(server.address, watching / "reconstruction") as beside:
        until(lambda: beside.watch.standing().connected)
        os.kill(server.process.pid, signal.SIGSTOP)
        until(lambda: "is lost (no packet for 1.5 seconds)" in caplog.text)
        os.kill(server.process.pid, signal.SIGCONT)
        until(lambda: beside.watch.standing().reconnects == 1)


def test_a_first_connection_that_cannot_be_made_is_an_error(watching: Path, new: Path) -> None:
    model = watching / "reconstruction"
    with rtsp_server(new) as server:
        wrong = server.address.replace("/cam", "/nothing")
        with pytest.raises(pixelfast.SourceError, match=r"is not there \(404\): look up") as caught:
            list(pixelfast.watch(wrong, model, threshold=1.0))
        assert "secret" not in str(caught.value) and caught.value.__cause__ is None
        server.kill()
        with pytest.raises(pixelfast.SourceError, match="refuses the connection"):
            list(pixelfast.watch(server.address, model, threshold=1.0))


def test_one_that_shall_go_on_is_tried_again(watching: Path, new: Path, caplog: pytest.LogCaptureFixture) -> None:
    with rtsp_server(new) as server:
        server.kill()
        with Beside(server.address, watching / "reconstruction", keep_trying=True) as beside:
            until(lambda: "trying again in 1 s" in caplog.text)
            server.start()
            until(lambda: len(beside.results) > 0)
            assert beside.watch.standing().reconnects == 0


def test_frames_are_dropped_openly_where_scoring_is_too_slow(
    watching: Path, new: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelfast.sources.reader._MOST_WAITING", 16)
    with rtsp_server(new) as server:
        beside = Beside(server.address, watching / "reconstruction", chunk=1)
        desk: Any = beside.watch._desk
        took = desk.took
        beside.watch._feed._took = lambda frame: (time.sleep(0.1), took(frame))[1]  # ten a second of 25
        until(lambda: beside.watch.standing().dropped > 20)
        until(lambda: len(beside.results) > 40)
        beside.end()
    standing, frames = beside.watch.standing(), [one.frame for one in beside.results]
    assert standing.dropped > 20 and not beside.error
    gaps = [b - a for a, b in pairwise(frames) if b != a + 1]
    assert gaps and min(gaps) > 4, "whole stretches are left, not every second frame"
    assert "frames were dropped and have no score" in caplog.text


def test_sampling_goes_by_the_times_of_a_camera(watching: Path, tmp_path: Path) -> None:
    film = write_film(tmp_path / "fast.mp4", street(120, 9, "fast"), rate=50, options={"bf": "0"})
    model = watching / "reconstruction"
    with rtsp_server(film) as server, Beside(server.address, model, sample_fps=25.0) as beside:
        until(lambda: len(beside.results) >= 50)
    assert [one.frame for one in beside.results[:50]] == list(range(0, 100, 2))


def test_pauses_grow_to_a_minute(
    watching: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (feeds._FIRST_PAUSE, feeds._LONGEST_PAUSE) == (1.0, 60.0)
    monkeypatch.setattr(feeds, "_FIRST_PAUSE", 0.25)
    monkeypatch.setattr(feeds, "_LONGEST_PAUSE", 1.0)
    with Beside("rtsp://127.0.0.1:1/cam", watching / "reconstruction", keep_trying=True):
        until(lambda: caplog.text.count("trying again") >= 5)
    pauses = [one.rpartition("again in ")[2] for one in caplog.messages if "trying again" in one]
    assert pauses[:5] == ["0.25 s", "0.5 s", "1 s", "1 s", "1 s"]


def test_ctrl_c_tells_what_goes_on_and_ends_well(watching: Path, new: Path, tmp_path: Path) -> None:
    with rtsp_server(new) as server:
        command = [sys.executable, "-m", "pixelfast", "watch", server.address, "--model", watching / "reconstruction"]
        command += ["--threshold", "0", "--json", "--save-events", tmp_path / "events"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said = next(line for line in process.stderr if "is there" in line)
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    event = json.loads(out)
    assert (event["start"], event["video"]) == (0, said.split()[3])
    assert event["end"] > 25 and event["time"] is not None
    assert err.startswith("watched: ") and "; 1 event; 0 frames dropped" in err
    assert sorted(one.suffix for one in (tmp_path / "events").iterdir()) == [".jpg", ".json", ".mp4"]
    assert "secret" not in out + err + said
