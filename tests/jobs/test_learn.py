"""What a person calls normal: a density model learns it at once, the others keep its frames."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.cli.app import app
from pixelfast.errors import ArgumentError, EngineError, ModelError, OutputError, SourceError, UnknownVideoError
from pixelfast.model import Model
from pixelfast.scores.highlights import choose_moments
from street import QUICK, street
from tiny_trainings import SMALL

KINDS = ("none", "fast", "back", "left")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A street that is learnt, and two videos of each kind of intruder, who is drawn alike but among other people."""
    folder = tmp_path_factory.mktemp("home")
    for number in range(8):
        write_video(folder / "normal" / f"{number:02d}", street(140, number), ".bmp")
    for number, kind in enumerate(2 * KINDS):
        write_video(folder / "new" / f"{number}-{kind}", street(100, 100 + number, kind), ".bmp")
    pixelfast.train(folder / "normal", folder / "model", method="density", recipe=QUICK, fps=25)
    pixelfast.score(folder / "new", folder / "model", out=folder / "scores.parquet")
    return folder


def loud(scores: pixelfast.Scores) -> set[str]:
    """The kinds of videos with an event."""
    return {event.video[2:] for event in scores.events()}


def number_of(scores: pixelfast.Scores, video: str) -> int:
    """The first moment of a video, as a page numbers it."""
    moments, _ = choose_moments(scores, len(scores))
    return next(one.number for one in moments if one.video == video)


@pytest.mark.parametrize(("kind", "video"), [("fast", "1-fast"), ("back", "2-back"), ("left", "3-left")])
def test_a_density_model_learns_what_is_normal_and_nothing_else(
    home: Path, tmp_path: Path, kind: str, video: str
) -> None:
    before = pixelfast.Scores.read(home / "scores.parquet")
    assert loud(before) == {"fast", "back", "left"}
    moment = number_of(before, video)
    bytes_before = {path.name: path.read_bytes() for path in (home / "model").iterdir()}
    wiser = pixelfast.learn(home / "model", home / "new", home / "scores.parquet", moment, out=tmp_path / "wiser")
    assert {path.name: path.read_bytes() for path in (home / "model").iterdir()} == bytes_before
    after = pixelfast.score(home / "new", wiser.folder)
    assert loud(after) == {"fast", "back", "left"} - {kind}  # in the other video of that kind, too
    old, new = (Model.load(folder).manifest.calibrations[0] for folder in (home / "model", wiser.folder))
    assert new.frames > old.frames
    assert after.threshold == new.threshold
    assert any("called normal by a person: frames" in note and video in note for note in wiser.manifest.notes)


def test_a_model_learns_again_and_by_events(home: Path, tmp_path: Path) -> None:
    scores = pixelfast.Scores.read(home / "scores.parquet")
    events = [event for event in scores.events() if event.video in ("1-fast", "2-back")]
    with pixelfast.Scorer(home / "model") as scorer:
        first = scorer.learn(home / "new", scores, events, out=tmp_path / "wiser")
    assert loud(pixelfast.score(home / "new", first.folder)) == {"left"}
    left = number_of(scores, "3-left")
    second = pixelfast.learn(first, home / "new", scores, [left], out=tmp_path / "wisest")
    assert loud(pixelfast.score(home / "new", second.folder)) == set()


def test_the_command_names_the_next_folder(home: Path) -> None:
    scores = pixelfast.Scores.read(home / "scores.parquet")
    numbers = f"{number_of(scores, '1-fast')},{number_of(scores, '2-back')}"
    command = ["learn", str(home / "model"), str(home / "new"), "--events", str(home / "scores.parquet")]
    for name in ("model-2", "model-3"):
        done = CliRunner().invoke(app, [*command, "--normal", numbers])
        assert done.exit_code == 0, done.output
        assert f"{home / name}, score with it from now on" in done.output.replace("\n", "")
        assert Model.load(home / name).manifest.method == "density"
    wrong = CliRunner().invoke(app, [*command, "--normal", "3;7"])
    assert wrong.exit_code == 2


def test_the_page_shows_the_command_of_each_moment(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    out, page = tmp_path / "my scores.parquet", tmp_path / "page.html"
    pixelfast.score(home / "new", home / "model", out=out, report=page)
    scores, text = pixelfast.Scores.read(out), page.read_text()
    command = shlex.join(["pixelfast", "learn", str(home / "model"), str(home / "new"), "--events", str(out)])
    for moment in choose_moments(scores, 50)[0]:
        assert f"<code>{command} --normal {moment.number}</code>".replace("'", "&#39;") in text


def test_other_methods_keep_the_frames_for_the_next_training(tmp_path: Path) -> None:
    write_video(tmp_path / "normal" / "01", walking_square(48, 1))
    frames = walking_square(60, 2)
    write_video(tmp_path / "new" / "cam", frames)
    model = pixelfast.train(tmp_path / "normal", tmp_path / "model", **SMALL)  # type: ignore[arg-type]
    scores = pixelfast.score(tmp_path / "new", model.folder, flip="never")
    event = max(scores.events(threshold=float(np.quantile(scores.raw, 0.8))), key=lambda one: one.peak_value)
    wiser = pixelfast.learn(model, tmp_path / "new", scores, event)
    assert wiser.folder.name == "model-2"
    first, last = max(1, event.start - 12), min(60, event.end + 12)
    (video,) = (tmp_path / "model-2.normal").iterdir()
    kept = sorted(video.iterdir())
    assert [path.name for path in kept] == [f"frame_{number:06d}.png" for number in range(first, last + 1)]
    for path, frame in zip(kept, frames[first - 1 : last], strict=True):
        assert np.array_equal(np.asarray(Image.open(path).convert("L")), frame)
    (note,) = [note for note in wiser.manifest.notes if "for the next" in note]
    assert "a reconstruction model learns by training alone" in note
    command = shlex.split(note.split(": ", 2)[-1])
    again = pixelfast.train(command[2:4], tmp_path / "again", **SMALL)  # type: ignore[arg-type]
    assert again.manifest.training is not None
    assert again.manifest.training.frames == 48 + len(kept)
    assert pixelfast.score(tmp_path / "new", wiser.folder).threshold is not None


def test_what_cannot_be_learnt_says_so(home: Path, tmp_path: Path) -> None:
    def learn(source: Path = home / "new", normal: object = 1, out: Path = tmp_path / "out") -> object:
        return pixelfast.learn(home / "model", source, home / "scores.parquet", normal, out=out)  # type: ignore[arg-type]

    with pytest.raises(ArgumentError, match="there is no moment 999: these scores show"):
        learn(normal=999)
    with pytest.raises(ArgumentError, match="normal names no moment"):
        learn(normal=[])
    with pytest.raises(ArgumentError, match="each of normal must be a whole number"):
        learn(normal=["3"])
    with pytest.raises(SourceError, match="the source has no video"):
        learn(source=home / "normal")
    with pytest.raises(OutputError, match="is the model itself, which stays as it is"):
        learn(out=home / "model")
    scores = pixelfast.Scores.read(home / "scores.parquet")
    strange = scores.events()[0]._replace(video="elsewhere")
    with pytest.raises(UnknownVideoError):
        learn(normal=strange)
    with pytest.raises(ModelError):
        pixelfast.learn(tmp_path / "nowhere", home / "new", scores, 1)
    assert not (tmp_path / "out").exists()


def test_a_lone_engine_learns_nothing(tmp_path: Path) -> None:
    from tiny_engines import write_frame_engine

    engine = write_frame_engine(tmp_path / "ae.onnx")
    write_video(tmp_path / "new" / "a", walking_square(20))
    with pixelfast.Scorer(engine) as scorer:
        scores = scorer.score(tmp_path / "new")
        with pytest.raises(EngineError, match="belongs to no model, which could learn"):
            scorer.learn(tmp_path / "new", scores, 1)
