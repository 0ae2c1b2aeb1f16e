"""An alarm rate from the command to the events: thresholds follow it, and every engine can be calibrated."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.cli.app import app
from pixelfast.errors import ArgumentError, EngineError, OutputError, ScoresError
from pixelfast.model import Model
from pixelfast.scores.event_files import COLUMNS
from tiny_trainings import SMALL


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    for number in (1, 2):
        write_video(folder / "normal" / f"{number:02d}", walking_square(48, number))
        write_video(folder / "more" / f"{number:02d}", walking_square(60, 10 + number))
    write_video(folder / "new" / "01", walking_square(40, 5))
    write_video(folder / "new" / "02", np.concatenate([walking_square(30, 6), walking_square(20, 7)[:, ::-1] // 2]))
    pixelfast.train(folder / "normal", folder / "model", fps=10, **SMALL)  # type: ignore[arg-type]
    return folder


@pytest.fixture
def model(home: Path) -> Model:
    return Model.load(home / "model")


def runs(scores: pixelfast.Scores, level: float) -> list[tuple[str, int, int]]:
    """The events above a level, found row by row."""
    found: list[tuple[str, int, int]] = []
    before = None
    smoothed = scores.smoothed_raw()
    for row, value in enumerate(smoothed):
        video = scores.videos[scores.video_index[row]]
        if value > level:
            frame = int(scores.frame[row])
            found[-1:] = (
                [(video, found[-1][1], frame)] if before == (video, True) else [*found[-1:], (video, frame, frame)]
            )
        before = video, bool(value > level)
    return found


def test_the_threshold_follows_the_rate(home: Path, model: Model) -> None:
    usual = pixelfast.score(home / "new", home / "model")
    calibration = model.calibration("ae.int8.onnx", 1, "mean", "mean", 3)
    assert calibration is not None
    assert calibration.events is not None
    assert calibration.events.fps == 10
    assert (usual.alarm_rate, usual.threshold) == ("1/hour", calibration.threshold)
    assert usual.curve == calibration.events
    often = pixelfast.score(home / "new", home / "model", alarm_rate="1/20frames")
    assert often.threshold == calibration.threshold_at("1/20frames") < calibration.threshold
    assert [(one.video, one.start, one.end) for one in often.events()] == runs(often, often.threshold)
    assert usual.events(alarm_rate="1/20frames") == often.events()
    assert (often.raw == usual.raw).all()


def test_events_say_when_and_how_rare(home: Path) -> None:
    scores = pixelfast.score(home / "new", home / "model", fps=10)
    event = max(scores.events(threshold=float(np.median(scores.raw))), key=lambda one: one.peak_value)
    assert scores.curve is not None
    row = int(np.flatnonzero((scores.video_index == 1) & (scores.frame == event.peak_frame))[0])
    assert (event.video, event.peak_value) == ("02", scores.smoothed_raw()[row])
    assert event.peak_seconds == pytest.approx((event.peak_frame - 1) / 10)
    assert event.seconds is not None
    assert event.seconds <= event.peak_seconds
    assert event.hours == scores.curve.hours(event.peak_value)
    assert event.extrapolated == (event.peak_value >= scores.curve.levels[0])


def test_a_run_again_at_another_rate_scores_nothing_again(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    first = pixelfast.score(home / "new", home / "model", out=out)
    second = pixelfast.score(home / "new", home / "model", out=out, alarm_rate="5/minute")
    assert second.reused == 2
    assert second.threshold != first.threshold
    merged = pixelfast.merge(tmp_path / "scores.parquet.parts", alarm_rate="5/minute", events=tmp_path / "events.csv")
    assert (merged.threshold, merged.alarm_rate) == (second.threshold, "5/minute")
    read = pixelfast.Scores.read(out)
    assert (read.threshold, read.alarm_rate, read.curve) == (second.threshold, "5/minute", second.curve)
    assert read.events() == second.events() == merged.events()


def test_a_scorer_keeps_its_rate(home: Path) -> None:
    with pixelfast.Scorer(home / "model", alarm_rate="1/20frames", flip="never") as scorer:
        scores, raw = scorer.score(home / "new"), scorer.raw(home / "new")
        live = [one.above for one in scorer.stream(walking_square(40, 5))]
    assert scores.threshold == raw.scores().threshold
    assert live == (scores["01"].smoothed_raw() > scores.threshold).tolist()


def test_events_as_a_file(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    command = ["score", str(home / "new"), "--engine", str(home / "model"), "--fps", "10", "--alarm-rate", "1/20frames"]
    done = CliRunner().invoke(app, [*command, "--events", str(path)])
    assert done.exit_code == 0, done.output
    assert "1/20frames, by 32 held-out frames" in done.output
    scores = pixelfast.score(home / "new", home / "model", fps=10, alarm_rate="1/20frames")
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == COLUMNS
    events = scores.events()
    assert [(one["video"], int(one["start"]), int(one["end"]), int(one["peak"])) for one in lines] == [
        (one.video, one.start, one.end, one.peak_frame) for one in events
    ]
    assert [float(one["seconds"]) for one in lines] == [one.seconds for one in events]
    assert [one["extrapolated"] for one in lines] == [str(one.extrapolated).lower() for one in events]


@pytest.mark.parametrize("rate", ["often", "0/hour", "1/500"])
def test_what_is_no_rate_is_refused_before_the_work(home: Path, tmp_path: Path, rate: str) -> None:
    for call in (
        lambda: pixelfast.score("nowhere", home / "model", alarm_rate=rate),
        lambda: pixelfast.merge("nowhere", alarm_rate=rate),
        lambda: pixelfast.Scorer(home / "model", alarm_rate=rate),
    ):
        with pytest.raises(ArgumentError, match="alarm_rate must be events in some time or frames"):
            call()
    with pytest.raises(OutputError, match=r"must end in \.csv: events are written as a table"):
        pixelfast.score(home / "new", home / "model", events=tmp_path / "events.txt")


def test_a_rate_needs_a_calibration_that_counted(home: Path) -> None:
    scores = replace(pixelfast.score(home / "new", home / "model"), curve=None, alarm_rate=None)
    with pytest.raises(ScoresError, match="do not know how often normal footage gives events"):
        scores.events(alarm_rate="1/hour")
    with pytest.raises(ArgumentError, match="not both"):
        scores.events(0.5, alarm_rate="1/hour")


@pytest.mark.parametrize(
    ("engine", "options"),
    [
        ("ae.safetensors", ()),
        ("ae.onnx", ("--stride", "1", "--how", "max")),
        ("ae.onnx", ("--pool", "rare", "--smooth", "5")),
        ("", ("--smooth", "9")),
    ],
)
def test_any_engine_gets_its_calibration_by_the_command_that_the_run_names(
    home: Path, engine: str, options: Sequence[str]
) -> None:
    path, runner = home / "model" / engine, CliRunner()
    scoring = ["score", str(home / "new"), "--engine", str(path), *options]
    before = runner.invoke(app, scoring)
    (said,) = [line for line in before.output.splitlines() if "make it with: " in line]
    command = said.split("make it with: pixelfast ")[1].split()
    assert command[-len(options) :] == list(options) or not options
    command[command.index("NORMAL")] = str(home / "more")
    made = runner.invoke(app, [*command, "--flip", "never"])
    assert made.exit_code == 0, made.output
    assert "measured   120 frames" in made.output
    after = runner.invoke(app, scoring)
    assert "make it with" not in after.output
    assert "extrapolated: 120 held-out frames" in after.output


def test_without_footage_it_takes_what_the_training_held_out(home: Path, model: Model) -> None:
    known = model.calibration("ae.onnx", 1, "mean", "mean", 3)
    assert known is not None
    again = pixelfast.calibrate(home / "model" / "ae.onnx", flip="never")
    assert again.frames == known.frames == 32
    # The windows that hold the first of them hold frames before, too, which training's own calibration leaves out.
    assert again.threshold == pytest.approx(known.threshold, rel=0.5)
    measured = [one for one in Model.load(home / "model").manifest.calibrations if one.use == again.use]
    assert measured == [again]


def test_what_cannot_be_calibrated_says_so(home: Path, tmp_path: Path) -> None:
    lone = tmp_path / "ae.onnx"
    lone.write_bytes((home / "model" / "ae.onnx").read_bytes())
    with pytest.raises(EngineError, match="belongs to no model, which keeps calibrations"):
        pixelfast.calibrate(lone, home / "more")
    with pytest.raises(pixelfast.SourceError):
        pixelfast.calibrate(home / "model", tmp_path / "nothing")
