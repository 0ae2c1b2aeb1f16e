"""A file that is watched: raw scores and events of `score`, as late as is promised, in flat memory."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pixelfast
from cameras import watched, with_results
from films import walk, write_film
from pixelfast.jobs.watching.events import WatchEvent
from street import street

MODELS = ("density", "live", "motion", "reconstruction")
LEVEL = {"reconstruction": 0.0006}
"""Thresholds of models without calibration."""


def assert_as_scored(film: Path, model: Path, **settings: Any) -> list[WatchEvent]:
    level = LEVEL.get(model.name)
    with pixelfast.Scorer(model, on_error="insist", **settings) as scorer:
        raw, scores = scorer.raw(film), scorer.score(film)
    events, results = watched(film, model, threshold=level, **settings)
    taken = [one.frame for one in results]
    np.testing.assert_array_equal(np.array([one.raw for one in results], np.float32), raw.raw[taken])
    assert [one.repaired for one in results] == raw.marks("repaired")[taken].tolist()
    expected = scores.events(level)
    if len(results) == len(scores) and not scores.frozen.any():
        assert [one.frame for one in results] == list(range(len(scores)))
        told = [(one.start, one.end, one.peak, one.reason, one.stream) for one in events]
        assert told == [(one.start, one.end, one.peak_frame, one.reason, one.stream) for one in expected]
        np.testing.assert_allclose([one.value for one in events], [one.peak_value for one in expected], rtol=1e-9)
    return events


@pytest.mark.parametrize("chunk", [1, 16, 50])
@pytest.mark.parametrize("name", MODELS)
def test_raw_and_events_are_those_of_score(watching: Path, new: Path, name: str, chunk: int) -> None:
    events = assert_as_scored(new, watching / name, chunk=chunk)
    assert len(events) > 1


def test_events_follow_the_alarm_rate_and_say_how_rare_they_are(watching: Path, new: Path) -> None:
    rate = "1/100frames"
    with pixelfast.Scorer(watching / "density", on_error="insist", alarm_rate=rate) as scorer:
        expected = scorer.score(new).events()
    with pixelfast.watch(new, watching / "density", alarm_rate=rate) as watch:
        events = list(watch)
    said = [(one.start, one.end, one.extrapolated) for one in events]
    assert said == [(one.start, one.end, one.extrapolated) for one in expected]
    np.testing.assert_allclose([one.hours for one in events], [one.hours for one in expected], rtol=1e-6)


@pytest.mark.parametrize(("seconds", "given"), [(0.0, True), (1e9, False)])
def test_memory_is_given_back_now_and_then(
    watching: Path, new: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, given: bool
) -> None:
    calls: list[None] = []
    monkeypatch.setattr("pixelfast.jobs.watch._TIDY_SECONDS", seconds)
    monkeypatch.setattr("pixelfast.jobs.watch.give_back_memory", lambda: calls.append(None))
    with pixelfast.watch(new, watching / "density", threshold=1e9) as watch:
        assert list(watch) == []
    assert bool(calls) == given


KINDS: dict[str, dict[str, Any]] = {
    "turned.mp4": {"rotation": 90},
    "deep.mkv": {"codec": "ffv1", "pixels": "yuv420p10le"},
    "full.avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
    "slow.mp4": {"rate": 10},
    "fast.mp4": {"rate": 50},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_of_every_kind_of_file(watching: Path, tmp_path: Path, name: str, kind: str) -> None:
    frames = street(60, 9, "fast")
    if kind == "deep.mkv":
        frames = np.repeat(frames, 2, axis=2)[:, :, :144]
    # Of a whole video that is turned by mistake correction is taken back, of a stream it is not.
    assert_as_scored(write_film(tmp_path / kind, frames, **KINDS[kind]), watching / name, flip="never")


@pytest.mark.parametrize("name", MODELS)
def test_lost_packets_cost_what_they_cost_a_file(watching: Path, new: Path, tmp_path: Path, name: str) -> None:
    whole = bytearray(new.read_bytes())
    for at in range(len(whole) // 3, len(whole) // 3 + 400):
        whole[at] ^= 0x5A
    (tmp_path / "new.mp4").write_bytes(whole)
    assert_as_scored(tmp_path / "new.mp4", watching / name)


def test_a_file_that_is_cut_off_is_watched_to_where_it_ends(
    watching: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    film = write_film(tmp_path / "a.ts", street(90, 9, "fast"), codec="mpeg2video")
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    assert_as_scored(film, watching / "density")
    assert not [one for one in caplog.messages if "is lost" in one]


LATE = [("reconstruction", 16, 33), ("reconstruction", 64, 80), ("motion", 16, 50), ("live", 16, 50)]


@pytest.mark.parametrize(("name", "chunk", "most"), LATE)
def test_results_come_at_most_a_window_and_a_chunk_later(
    watching: Path, tmp_path: Path, name: str, chunk: int, most: int
) -> None:
    film = write_film(tmp_path / "a.mp4", street(200, 7))
    with pixelfast.watch(film, watching / name, chunk=chunk, threshold=1e9) as watch:
        come, late = [0], list[int]()
        desk: Any = watch._desk
        took, push = desk.took, desk.push

        def heard(frame: Any) -> None:
            come[0] = frame.number
            took(frame)

        def known(result: Any) -> Any:
            late.append(come[0] - result.frame)
            return push(result)

        watch._feed._took, desk.push = heard, known  # type: ignore[method-assign]
        assert list(watch) == []
    assert len(late) == 200
    assert max(late[: 200 - most]) <= most


def test_nothing_is_dropped_of_a_file_however_slow(watching: Path, new: Path) -> None:
    with pixelfast.watch(new, watching / "reconstruction", threshold=0.0006) as watch:
        results = with_results(watch)
        for _ in watch:
            time.sleep(0.2)
        assert len(results) == watch.standing().frames == 180
        assert watch.standing().dropped == 0


def test_a_long_event_is_told_once_after_ten_seconds(watching: Path, tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", walk(300), rate=25)
    events, results = watched(film, watching / "reconstruction", threshold=0.0)
    assert len(results) == 300
    (event,) = events
    assert event.start == 0 and event.end is None
    assert event.lasts == pytest.approx(10.0, abs=0.05)
    short, _ = watched(write_film(tmp_path / "b.mp4", walk(240), rate=25), watching / "reconstruction", threshold=0.0)
    assert [(one.start, one.end) for one in short] == [(0, 239)]


def test_what_a_file_is_and_when(watching: Path, new: Path) -> None:
    event = watched(new, watching / "density")[0][0]
    assert event.video == str(new)
    assert event.time is None
    assert event.seconds == pytest.approx(event.start / 25)
    assert event.lasts == pytest.approx((event.end - event.start + 1) / 25)
    assert event.where is not None and all(0 < share < 1 for share in event.where)


def test_the_models_threshold_is_overridden(watching: Path, new: Path) -> None:
    model = watching / "density"
    own = pixelfast.score(new, model).threshold
    assert own is not None
    assert watched(new, model)[0] == watched(new, model, threshold=own)[0]
    higher = watched(new, model, threshold=2 * own)[0]
    assert [one.start for one in higher] == [one.start for one in pixelfast.score(new, model).events(2 * own)]
    assert {one.threshold for one in higher} == {2 * own}
    assert watched(new, model, threshold=1e9)[0] == []


def test_without_a_threshold_there_is_a_sentence(watching: Path, new: Path) -> None:
    with pytest.raises(pixelfast.EngineError, match=r"has no threshold for these settings: give one with --threshold"):
        pixelfast.watch(new, watching / "reconstruction")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"threshold": "high"}, "threshold must be a number"),
        ({"threshold": float("nan")}, "threshold must be a finite number"),
        ({"page": 70_000}, "page must be at most"),
        ({"page": "8000"}, "page must be a whole number"),
        ({"on_event": 3}, "on_event must be a text"),
        ({"save_events": 3}, "save_events must be a path"),
        ({"keep_trying": 1}, "keep_trying must be True or False"),
        ({"chunk": 0}, "chunk must be at least 1"),
        ({"smooth": 2}, "smooth must be an odd number"),
        ({"model": 3}, "model must be a path"),
    ],
)
def test_wrong_arguments_get_a_sentence_before_any_work(change: dict[str, Any], said: str) -> None:
    with pytest.raises(pixelfast.ArgumentError, match=said):
        pixelfast.watch("nowhere.mp4", **{"model": "nowhere", **change})


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_stays_flat(watching: Path, tmp_path: Path) -> None:
    film = write_film(tmp_path / "long.mp4", np.tile(walk(250), (24, 1, 1)), options={"preset": "ultrafast"})
    sizes = dict[int, int]()
    settings: dict[str, Any] = {"threshold": 0.0003, "save_events": tmp_path / "events", "page": 0}
    with pixelfast.watch(film, watching / "reconstruction", **settings) as watch:
        desk: Any = watch._desk
        push = desk.push

        def measured(result: Any) -> Any:
            if result.frame % 500 == 0:
                sizes[result.frame] = _resident()
            return push(result)

        desk.push = measured
        for _ in watch:
            pass
    early, late = sizes[2500], max(sizes[at] for at in range(4500, 6000, 500))
    assert late - early < 12 << 20, {at: size >> 20 for at, size in sizes.items()}
