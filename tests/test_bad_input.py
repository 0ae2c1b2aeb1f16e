"""Bad input to `pixelfast.score` and `pixelfast.train`: one sentence that names the file and says what to do."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.errors import DecodeError, EngineError, ModelError, OutputError, PixelfastError, ScoresError, SourceError
from pixelfast.model import Model
from tiny_engines import SIZE, write_frame_engine, write_model

Make = Callable[[Path], Path]


def video(folder: Path, frames: int = 20, suffix: str = ".png") -> Path:
    return write_video(folder, walking_square(frames, 1, SIZE), suffix)


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def one_sentence(error: BaseException) -> str:
    text = str(error)
    assert isinstance(error, PixelfastError)
    assert text
    assert "\n" not in text
    assert not text.endswith(":")
    return text


# Sources


def no_images(folder: Path) -> Path:
    folder.mkdir()
    (folder / "notes.txt").write_text("no frames here")
    return folder


def mixed(folder: Path) -> Path:
    video(folder / "01")
    (folder / "01" / "frame_0001.png").rename(folder / "loose_0001.png")
    return folder


def empty_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def single_file(folder: Path) -> Path:
    return next(video(folder).iterdir())


def clip(folder: Path) -> Path:
    folder.mkdir()
    (folder / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    return folder / "clip.mp4"


BAD_SOURCES: list[tuple[Make, str]] = [
    (lambda folder: folder, "does not exist: give a folder of frames"),
    (no_images, r"holds no frames .*notes\.txt"),
    (mixed, r"holds both loose frames \(loose_0001\.png\) and folders \(01\)"),
    (empty_folder, r"holds no frames \(it is empty\)"),
    (single_file, r"is a single frame: give the folder that holds it"),
    (clip, r"clip\.mp4 has no index \(moov\)"),
]


@pytest.mark.parametrize(("make", "sentence"), BAD_SOURCES)
def test_footage_that_is_none(model: Model, tmp_path: Path, make: Make, sentence: str) -> None:
    source = make(tmp_path / "footage")
    before = tree(tmp_path)
    with pytest.raises(SourceError, match=sentence) as caught:
        pixelfast.score(source, model.folder, out=tmp_path / "scores.csv")
    assert str(source) in one_sentence(caught.value)
    with pytest.raises(SourceError, match=sentence):
        pixelfast.train(source, tmp_path / "trained")
    assert tree(tmp_path) == before


# Frames


def png_of_20000(path: Path) -> None:
    """A PNG whose header promises 20000x20000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)))


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


BAD_FRAMES: list[tuple[str, Callable[[Path], object], str]] = [
    (".jpg", lambda path: path.write_bytes(b""), r"is empty \(0 bytes\)"),
    (".jpg", cut_off, "is truncated"),
    (".png", lambda path: path.write_text("a text, not a picture"), "is not an image that pixelfast reads"),
    (".jpg", lambda path: path.write_text("a text, not a picture"), "is not an image that pixelfast reads"),
    (".png", png_of_20000, "says it is 20000x20000 pixels, more than"),
    (".png", lambda path: (path.unlink(), path.symlink_to("nowhere.png")), "does not exist"),
]


@pytest.mark.parametrize(("suffix", "spoil", "why"), BAD_FRAMES)
def test_frames_that_cannot_be_read_are_repaired_and_reported(
    model: Model, tmp_path: Path, suffix: str, spoil: Callable[[Path], object], why: str
) -> None:
    source = video(tmp_path / "footage", suffix=suffix)
    bad = source / f"frame_0008{suffix}"
    spoil(bad)
    scores = pixelfast.score(source, model.folder, flip="never")
    assert np.flatnonzero(scores.repaired).tolist() == [7]
    assert len(scores) == 20
    assert np.isfinite(scores.raw).all()
    note = next(note for note in scores.notes if "repaired" in note)
    assert f"{bad} " in note
    with pytest.raises(DecodeError, match=why) as caught:
        pixelfast.score(source, model.folder, on_error="raise", out=tmp_path / "scores.csv")
    assert str(bad) in one_sentence(caught.value)
    assert not (tmp_path / "scores.csv").exists()


def test_a_video_of_which_nothing_can_be_read(model: Model, tmp_path: Path) -> None:
    video(tmp_path / "footage" / "01")
    for path in video(tmp_path / "footage" / "02").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DecodeError, match="no frame of video 02 can be read") as caught:
        pixelfast.score(tmp_path / "footage", model.folder, out=tmp_path / "scores.csv")
    assert "frame_0001.png is empty" in one_sentence(caught.value)
    # The others are scored and written, and their parts kept.
    assert (tmp_path / "scores.csv").read_text().count("\n1_") == 20
    assert [path.name.split(".")[0] for path in (tmp_path / "scores.csv.parts").iterdir()] == ["01"]


# Engines


def wrong_size(folder: Path) -> Path:
    """A model folder whose manifest says 64x64, with an engine for 32x32."""
    return write_model(folder, height=64, width=64).folder


def cut_off_engine(folder: Path) -> Path:
    folder.mkdir()
    path = write_frame_engine(folder / "ae.onnx")
    path.write_bytes(path.read_bytes()[:900])
    return path


def engine_file(folder: Path, data: bytes, name: str = "ae.onnx") -> Path:
    folder.mkdir()
    (folder / name).write_bytes(data)
    return folder / name


def damaged_model(folder: Path) -> Path:
    model = write_model(folder).folder
    (model / "ae.onnx").write_bytes((model / "ae.onnx").read_bytes()[:-1])
    return model


def engine_of_another_size(folder: Path) -> Path:
    """A model whose engine was exchanged, and listed, for one of another size."""
    model = write_model(folder)
    other = write_frame_engine(folder.with_name("other.onnx"), size=64)
    return model.add({"ae.onnx": other}).folder


def no_frames_engine(folder: Path) -> Path:
    folder.mkdir()
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "nothing", [], [])), folder / "ae.onnx")
    return folder / "ae.onnx"


BAD_ENGINES: list[tuple[Make, type[PixelfastError], str]] = [
    (lambda folder: folder, EngineError, "does not exist"),
    (empty_folder, ModelError, r"holds no model\.json"),
    (lambda folder: engine_file(folder, b"not an engine"), EngineError, "is no ONNX engine: it begins with"),
    (lambda folder: engine_file(folder, b""), EngineError, r"is empty \(0 bytes\)"),
    (lambda folder: engine_file(folder, b"\x80\x02", "ae.pth"), EngineError, "pixelfast convert"),
    (no_frames_engine, EngineError, "does not fit|cannot be loaded"),
    (cut_off_engine, EngineError, "cannot be loaded; cut off or damaged"),
    (damaged_model, ModelError, r"ae\.onnx is not the file that model\.json lists"),
    (wrong_size, EngineError, "takes windows of 16 frames of 32x32 pixels, but the model beside it .* 64x64"),
    (engine_of_another_size, EngineError, "takes windows of 16 frames of 64x64 pixels, but the model .* 32x32"),
]


@pytest.mark.parametrize(("make", "kind", "sentence"), BAD_ENGINES)
def test_engines_that_are_none(tmp_path: Path, make: Make, kind: type[PixelfastError], sentence: str) -> None:
    source = video(tmp_path / "footage")
    engine = make(tmp_path / "engine")
    before = tree(tmp_path)
    with pytest.raises(kind, match=sentence) as caught:
        pixelfast.score(source, engine, out=tmp_path / "scores.csv")
    assert str(tmp_path / "engine") in one_sentence(caught.value)
    assert tree(tmp_path) == before


# Outputs


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("/proc/scores.csv", "cannot be written"),
        ("file/scores.csv", "is a file, not a folder"),
        ("missing/scores.parquet", r"there is no folder .*missing: make it first"),
        ("folder.csv", "is a folder: give the name of a file"),
        ("scores.xlsx", r"must end in \.csv or \.parquet"),
    ],
)
def test_outputs_that_cannot_be_written_are_found_out_before_the_work(
    model: Model, tmp_path: Path, out: str, sentence: str
) -> None:
    source = video(tmp_path / "footage")
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    before, steps = tree(tmp_path), []
    with pytest.raises(OutputError, match=sentence) as caught:
        pixelfast.score(source, model.folder, out=[tmp_path / "good.csv", tmp_path / out], progress=steps.append)
    one_sentence(caught.value)
    assert tree(tmp_path) == before
    assert not steps


def test_parts_that_cannot_be_written(model: Model, tmp_path: Path) -> None:
    source = video(tmp_path / "footage")
    (tmp_path / "file").touch()
    for parts in (tmp_path / "file", tmp_path / "file" / "parts", Path("/proc/parts")):
        with pytest.raises(OutputError, match=str(parts.name)) as caught:
            pixelfast.score(source, model.folder, parts=parts)
        one_sentence(caught.value)


def test_names_that_collide_in_a_csv_are_found_out_before_the_work(model: Model, tmp_path: Path) -> None:
    video(tmp_path / "footage" / "1")
    video(tmp_path / "footage" / "01")
    steps: list[object] = []
    with pytest.raises(ScoresError, match=r"videos .*01.* are both 1 in the CSV"):
        pixelfast.score(tmp_path / "footage", model.folder, out=tmp_path / "scores.csv", progress=steps.append)
    assert not steps
    assert len(pixelfast.score(tmp_path / "footage", model.folder, out=tmp_path / "scores.parquet")) == 40


# Training


def test_training_videos_shorter_than_a_window(tmp_path: Path) -> None:
    video(tmp_path / "footage" / "01", 15)
    video(tmp_path / "footage" / "02", 3)
    with pytest.raises(ModelError, match=r"too short: .*01 \(15\), 02 \(3\); .* at least 16 frames"):
        pixelfast.train(tmp_path / "footage", tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("wanted", "kind", "sentence"),
    [
        ({"out": "/proc/model"}, OutputError, "cannot be written"),
        ({"out": "file"}, OutputError, "is a file: give the name of a folder"),
        ({"out": "footage"}, OutputError, "is not replaced|no part of a model"),
        ({"method": "sound"}, PixelfastError, "the method must be density, motion or reconstruction"),
        ({"recipe": "plain"}, ModelError, "plain is for the motion method"),
        ({"method": "motion", "flow": "farneback"}, ModelError, "flow must be dis or raft"),
        ({"method": "motion", "flow_preset": "best"}, ModelError, "flow_preset must be one of"),
        ({"raft_weights": "raft.pth"}, ModelError, "is for method='motion'"),
        ({"method": "motion", "raft_weights": "raft.pth"}, ModelError, "for flow=.raft. only"),
        ({"recipe": "secret"}, ModelError, "secret"),
        ({"threads": 0}, PixelfastError, "threads must be at least 1"),
    ],
)
def test_training_that_cannot_be(
    tmp_path: Path, wanted: dict[str, object], kind: type[PixelfastError], sentence: str
) -> None:
    source = video(tmp_path / "footage", 40)
    (tmp_path / "file").touch()
    out = tmp_path / str(wanted.pop("out", "model"))
    with pytest.raises(kind, match=sentence) as caught:
        pixelfast.train(source, out, **wanted)  # type: ignore[arg-type]
    one_sentence(caught.value)
    assert not (tmp_path / "model").exists()
