"""`pixelfast.clean`: the same names, unchanged bytes where nothing is wrong, turned or replaced files elsewhere."""

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import pixelfast
from footage import walking_square
from pixelfast.errors import DecodeError, ModelError, OutputError, SourceError
from pixelfast.model import Flip, Model
from pixelfast.progress import Progress
from tiny_engines import write_model

COLOR = np.array([1.0, 0.8, 0.6])


def picture(index: int, height: int = 64, width: int = 96) -> NDArray[np.uint8]:
    """A colour frame, bright above."""
    grey = cv2.resize(walking_square(8, 1, 64)[index % 8], (width, height))
    return (grey[..., None] * COLOR).round().astype(np.uint8)


def encoded(frame: NDArray[np.uint8], suffix: str) -> bytes:
    buffer = io.BytesIO()
    kind = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".bmp": "BMP", ".tiff": "TIFF", ".webp": "WEBP"}[suffix]
    options = {"quality": 90, "subsampling": "4:2:0"} if kind == "JPEG" else {}
    Image.fromarray(frame).save(buffer, kind, **({"lossless": True} if kind == "WEBP" else options))
    return buffer.getvalue()


def write(folder: Path, flipped: set[int], suffix: str = ".jpg", height: int = 64, count: int = 12) -> Path:
    """A video folder; the frames at the positions in `flipped` hang upside down."""
    folder.mkdir(parents=True)
    for index in range(count):
        frame = picture(index, height)
        data = encoded(frame[::-1] if index in flipped else frame, suffix)
        (folder / f"frame_{index + 1:04d}{suffix}").write_bytes(data)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def pixels(path: Path) -> NDArray[np.int16]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), np.int16)


def difference(a: Path, b: NDArray[np.uint8]) -> float:
    return float(np.abs(pixels(a) - b).mean())


def test_flipped_jpegs_are_turned_without_loss_and_the_rest_is_untouched(model: Model, tmp_path: Path) -> None:
    write(tmp_path / "src" / "01", {3, 4, 9})
    write(tmp_path / "src" / "02", set())
    before = {path: path.read_bytes() for path in (tmp_path / "src").rglob("*.jpg")}
    report = pixelfast.clean(tmp_path / "src", model.folder, tmp_path / "out")
    assert names(tmp_path / "out") == names(tmp_path / "src")
    assert (report.videos, report.frames, report.unchanged, report.turned, report.reencoded) == (2, 24, 21, 3, 0)
    assert (report.replaced, report.left, report.refused) == (0, 0, ())
    for path, data in before.items():
        assert path.read_bytes() == data
        copy = tmp_path / "out" / path.relative_to(tmp_path / "src")
        index = int(path.stem[-4:]) - 1
        if path.parent.name == "01" and index in (3, 4, 9):
            # Without loss: turned back, the picture is the source's to the rounding of the decoder.
            assert np.abs(pixels(copy)[::-1] - pixels(path)).max() <= 4
            assert np.abs(pixels(copy)[::-1] - pixels(path)).mean() < 0.3
            assert difference(copy, picture(index)) < 3
        else:
            assert copy.read_bytes() == data
    again = pixelfast.clean(tmp_path / "out", model.folder, tmp_path / "twice")
    assert again.unchanged == 24


def test_a_height_that_allows_no_lossless_turn_is_encoded_again(model: Model, tmp_path: Path) -> None:
    write(tmp_path / "src", {5}, height=60)
    report = pixelfast.clean(tmp_path / "src", model.folder, tmp_path / "out")
    assert (report.turned, report.reencoded, report.unchanged) == (0, 1, 11)
    turned = tmp_path / "out" / "frame_0006.jpg"
    assert difference(turned, picture(5, 60)) < 3
    with Image.open(turned) as image:
        assert image.size == (96, 60)
        assert image.layer[0][1:3] == (2, 2)  # its own chroma subsampling, 4:2:0


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp"])
def test_other_formats_are_turned_without_loss(model: Model, tmp_path: Path, suffix: str) -> None:
    write(tmp_path / "src", {0, 6}, suffix)
    report = pixelfast.clean(tmp_path / "src", model.folder, tmp_path / "out")
    assert (report.turned, report.unchanged) == (2, 10)
    for index in range(12):
        copy = tmp_path / "out" / f"frame_{index + 1:04d}{suffix}"
        np.testing.assert_array_equal(pixels(copy), picture(index))
        with Image.open(copy) as image:
            assert image.format == suffix[1:].upper()


def test_deep_and_translucent_pictures_keep_what_they_hold(model: Model, tmp_path: Path) -> None:
    write(tmp_path / "src", set(), ".png")
    deep = (picture(4)[::-1, :, 0].astype(np.uint16) * 257) ^ 0x5A
    translucent = np.dstack([picture(7)[::-1], np.full((64, 96), 77, np.uint8)])
    cv2.imwrite(str(tmp_path / "src" / "frame_0005.png"), deep)
    Image.fromarray(translucent).save(tmp_path / "src" / "frame_0008.png")
    report = pixelfast.clean(tmp_path / "src", model.folder, tmp_path / "out")
    assert report.turned == 2
    out_deep = cv2.imread(str(tmp_path / "out" / "frame_0005.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(out_deep, deep[::-1])
    with Image.open(tmp_path / "out" / "frame_0008.png") as image:
        np.testing.assert_array_equal(np.asarray(image), translucent[::-1])


def test_unreadable_frames_get_the_corrected_neighbours_file(model: Model, tmp_path: Path) -> None:
    source = write(tmp_path / "src", {3})
    for number in (1, 5, 6):
        (source / f"frame_{number:04d}.jpg").write_bytes(b"")
    (source / "frame_0012.jpg").rename(source / "frame_0012.png")
    (source / "frame_0012.png").write_text("no picture at all")
    report = pixelfast.clean(source, model.folder, tmp_path / "out")
    assert (report.replaced, report.turned, report.unchanged) == (4, 1, 7)
    out = tmp_path / "out"
    assert names(out) == names(source)
    assert (out / "frame_0001.jpg").read_bytes() == (source / "frame_0002.jpg").read_bytes()
    corrected = (out / "frame_0004.jpg").read_bytes()  # itself a turned one
    assert (out / "frame_0005.jpg").read_bytes() == corrected
    assert (out / "frame_0006.jpg").read_bytes() == corrected
    with Image.open(out / "frame_0012.png") as image:
        assert image.format == "PNG"  # its name says so
    assert difference(out / "frame_0012.png", picture(10)) < 3
    assert any("4 unreadable" in note and "frame_0001.jpg is empty" in note for note in report.notes)
    with pytest.raises(DecodeError, match=r"frame_0001\.jpg is empty"):
        pixelfast.clean(source, model.folder, tmp_path / "strict", on_error="raise")


def test_truncated_frames_are_copied_as_they_are(model: Model, tmp_path: Path) -> None:
    source = write(tmp_path / "src", set())
    path = source / "frame_0007.jpg"
    path.write_bytes(path.read_bytes()[:-60])
    report = pixelfast.clean(source, model.folder, tmp_path / "out")
    assert (report.unchanged, report.replaced) == (12, 0)
    assert (tmp_path / "out" / "frame_0007.jpg").read_bytes() == path.read_bytes()
    assert any("1 truncated" in note for note in report.notes)


def test_a_refused_video_is_left_alone(model: Model, tmp_path: Path) -> None:
    write(tmp_path / "src" / "hanging", set(range(8)))
    write(tmp_path / "src" / "good", {2})
    report = pixelfast.clean(tmp_path / "src", model.folder, tmp_path / "out")
    assert (report.refused, report.turned, report.unchanged) == (("hanging",), 1, 23)
    insisted = pixelfast.clean(tmp_path / "src", model.folder, tmp_path / "insisted", flip="always")
    assert (insisted.refused, insisted.turned) == ((), 9)
    untouched = pixelfast.clean(tmp_path / "src", model.folder, tmp_path / "untouched", flip="never")
    assert untouched.unchanged == 24


def test_a_list_of_folders_goes_under_their_names(model: Model, tmp_path: Path) -> None:
    folders = [write(tmp_path / "a" / "one", {1}), write(tmp_path / "b" / "two", set())]
    steps: list[Progress] = []
    report = pixelfast.clean(folders, model.folder, tmp_path / "out", progress=steps.append)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one", "two"]
    assert (report.turned, steps[-1].done, steps[-1].phase) == (1, 24, "clean")
    plain = report.to_dict()
    assert (plain["out"], plain["frames"], plain["refused"]) == (str(tmp_path / "out"), 24, [])


Place = Callable[[Path], Path]
TAKEN: list[tuple[Place, str]] = [
    (lambda source: source, "lies in the source or holds it"),
    (lambda source: source / "01" / "inside", "lies in the source or holds it"),
    (lambda source: source / "beside", "lies in the source or holds it"),
    (lambda source: source.parent, "lies in the source or holds it"),
    (lambda source: source.parent / "full", "is not empty: name a new one"),
    (lambda source: source.parent / "file", "is a file: name a new folder"),
    (lambda source: source.parent / "no" / "such", "there is no folder"),
    (lambda source: Path("/proc/nothing"), "cannot be written"),
]


@pytest.mark.parametrize(("place", "sentence"), TAKEN)
def test_where_the_frames_must_not_go(model: Model, tmp_path: Path, place: Place, sentence: str) -> None:
    home = tmp_path / "home"
    write(home / "src" / "01", {1})
    (home / "full").mkdir()
    (home / "full" / "something").touch()
    (home / "file").touch()
    before = names(home)
    with pytest.raises(OutputError, match=sentence):
        pixelfast.clean(home / "src", model.folder, place(home / "src"))
    assert names(home) == before


def test_an_empty_folder_is_taken(model: Model, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path / "src", {1})
    assert pixelfast.clean(tmp_path / "src", model.folder, tmp_path / "out").turned == 1
    assert len(names(tmp_path / "out")) == 12


def test_nothing_is_left_half_written(model: Model, tmp_path: Path) -> None:
    write(tmp_path / "home" / "src" / "01", {1})
    broken = write(tmp_path / "home" / "src" / "02", set())
    for path in broken.iterdir():
        path.write_bytes(b"")
    with pytest.raises(DecodeError, match="no frame of video 02 can be read"):
        pixelfast.clean(tmp_path / "home" / "src", model.folder, tmp_path / "home" / "out")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["src"]


def test_what_clean_needs(model: Model, tmp_path: Path) -> None:
    write(tmp_path / "src", {1})
    with pytest.raises(ModelError, match="does not exist"):
        pixelfast.clean(tmp_path / "src", tmp_path / "nothing", tmp_path / "out")
    with pytest.raises(SourceError, match="does not exist"):
        pixelfast.clean(tmp_path / "nothing", model.folder, tmp_path / "out")
    doubtful = write_model(tmp_path / "doubtful", flip=Flip(held_out_accuracy=0.9, trusted=False))
    report = pixelfast.clean(tmp_path / "src", doubtful.folder, tmp_path / "out")
    assert report.unchanged == 12
    assert any("is not trusted" in note for note in report.notes)
