"""`pixelfast.clean` on frames with an EXIF or TIFF orientation: what it turns is upright in every viewer."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps, JpegImagePlugin

import pixelfast
from oriented import KINDS, oriented
from pictures import picture
from pixelfast import _core
from pixelfast.cleaning.frame_files import Change, write_frame_files
from pixelfast.model import Model

BOTH = {1: 4, 2: 3, 3: 2, 4: 1, 5: 8, 6: 7, 7: 6, 8: 5}
"""The orientation that shows upside down what each shows upright."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
"""How a picture comes to lie so that each orientation shows it as it was."""


def lying(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(TURNS[orientation]) if orientation > 1 else image


def pixels(data: bytes, *, seen: bool) -> NDArray[np.int16]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray((ImageOps.exif_transpose(image) if seen else image).convert("RGB"), np.int16)


def cleaned(tmp_path: Path, data: bytes, *, orientation: bool = True, name: str = "a.jpg") -> tuple[Path, Change]:
    """The file of one frame that stands upside down, corrected."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / name).write_bytes(data)
    yes, read = np.ones(1, np.bool_), np.zeros(1, np.uint8)
    (change,) = write_frame_files([tmp_path / "in" / name], tmp_path / "out", yes, read, orientation=orientation)
    return tmp_path / "out" / name, change


@pytest.mark.parametrize("size", [(64, 96), (61, 90)])
@pytest.mark.parametrize("kind", [*KINDS, "bmp"])
@pytest.mark.parametrize("number", range(1, 9))
def test_what_is_turned_is_upright_in_every_viewer(
    tmp_path: Path, number: int, kind: str, size: tuple[int, int]
) -> None:
    if kind == "bmp":
        picture(*size).save(data := io.BytesIO(), "bmp")
        before = data.getvalue()
    else:
        before = oriented(picture(*size), kind, number)
    path, change = cleaned(tmp_path, before)
    after = path.read_bytes()

    wanted = pixels(before, seen=True)[::-1]
    loss = {Change.TURNED: 4, Change.REENCODED: 30}[change] if kind in ("jpeg", "progressive") else 0
    for seen in (True, False):  # a viewer that knows of orientation, and one that does not
        assert np.abs(pixels(after, seen=seen) - wanted).max() <= loss
        assert np.abs(pixels(after, seen=seen) - wanted).mean() <= (2 if loss else 0)
    for orientation in (True, False):
        frames, status = _core.decode_frames([path], color="rgb", orientation=orientation)
        assert status.tolist() == [0]
        assert np.abs(frames[0] - wanted).max() <= loss
    with Image.open(path) as image:
        assert image.getexif().get(274, 1) == 1


@pytest.mark.parametrize("subsampling", [0, 1, 2, "grey"])
@pytest.mark.parametrize("number", range(1, 9))
def test_jpegs_of_whole_blocks_lose_nothing_but_the_orientation(
    tmp_path: Path, number: int, subsampling: int | str
) -> None:
    image = picture(64, 96)
    how = {} if subsampling == "grey" else {"subsampling": subsampling}
    image = image.convert("L") if subsampling == "grey" else image
    before = oriented(image, "jpeg", number, comment=b"camera 7", icc_profile=b"profile" * 9, **how)
    path, change = cleaned(tmp_path, before)
    after = path.read_bytes()

    assert change is Change.TURNED
    with Image.open(path) as shown:
        assert (shown.getexif()[274], shown.getexif()[270]) == (1, "the north gate")
        assert (shown.info["comment"], shown.info["icc_profile"]) == (b"camera 7", b"profile" * 9)
    # The coefficients are the same: turned back by way of another orientation, so are all pixels.
    again, lossless = _core.flip_jpeg(after)
    assert lossless
    back, lossless = _core.flip_jpeg(again)
    assert lossless
    np.testing.assert_array_equal(pixels(back, seen=True), pixels(after, seen=True))
    assert np.abs(pixels(again, seen=True) - pixels(before, seen=True)).max() <= 4


@pytest.mark.parametrize(("subsampling", "turned"), [("4:2:2", (1, 2)), ("4:2:0", (2, 2)), ("4:4:4", (1, 1))])
@pytest.mark.parametrize("size", [(64, 96), (61, 91)])
def test_subsampling_is_turned_with_the_picture(
    tmp_path: Path, subsampling: str, turned: tuple[int, int], size: tuple[int, int]
) -> None:
    path, _ = cleaned(tmp_path, oriented(picture(*size), "jpeg", 6, subsampling=subsampling))
    with Image.open(path) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        assert image.layer[0][1:3] == turned


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [3, 4, 6])
def test_frames_judged_as_they_lie_are_turned_as_they_lie(tmp_path: Path, kind: str, number: int) -> None:
    before = oriented(picture(64, 96), kind, number)
    path, _ = cleaned(tmp_path, before, orientation=False)
    lies = pixels(oriented(picture(64, 96), kind, 1), seen=True)
    for seen in (True, False):
        assert np.abs(pixels(path.read_bytes(), seen=seen) - lies[::-1]).max() <= 4


def test_a_picture_that_only_its_orientation_turned_keeps_its_bytes(tmp_path: Path) -> None:
    """Even where it is cut off, and so could not be coded again."""
    before = oriented(picture(61, 90), "jpeg", 4)[:-100]
    path, change = cleaned(tmp_path, before)
    after = path.read_bytes()
    assert change is Change.TURNED
    assert len(after) == len(before)
    assert sum(a != b for a, b in zip(after, before, strict=True)) == 1
    assert _core.frame_size(path) == (61, 90)


@pytest.mark.parametrize("number", range(1, 9))
def test_a_neighbour_of_another_kind_stands_in_as_it_is_seen(tmp_path: Path, number: int) -> None:
    for kind, suffix in (("jpeg", ".jpg"), ("tiff", ".tiff")):
        folder, out = tmp_path / kind, tmp_path / f"{kind}.out"
        folder.mkdir()
        out.mkdir()
        paths = [folder / f"1{suffix}", folder / "2.png"]
        paths[0].write_bytes(oriented(picture(40, 64), kind, number))
        paths[1].write_bytes(b"")
        changes = write_frame_files(paths, out, np.zeros(2, np.bool_), np.array([0, 2], np.uint8))
        assert changes == [Change.UNCHANGED, Change.REPLACED]
        shown = pixels((out / "2.png").read_bytes(), seen=False)
        assert np.abs(shown - pixels(paths[0].read_bytes(), seen=True)).max() <= (4 if kind == "jpeg" else 0)


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
@pytest.mark.parametrize("number", [1, 3, 4, 6, 7])
def test_clean_turns_what_is_seen_upside_down(model: Model, tmp_path: Path, kind: str, number: int) -> None:
    """Frames that a viewer shows upright stay as they are, however they lie; those that hang are turned."""
    rows = np.linspace(220, 40, 64).round().astype(np.uint8)
    upright = Image.fromarray(np.repeat(rows[:, None], 96, axis=1)).convert("RGB")
    source = tmp_path / "src"
    source.mkdir()
    for index in range(12):
        shown = upright if index not in (3, 7) else upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        data = oriented(lying(shown, number), kind, number)
        (source / f"frame_{index:02d}.{kind}").write_bytes(data)

    report = pixelfast.clean(source, model.folder, tmp_path / "out")

    assert (report.unchanged, report.turned) == (10, 2)
    for path in sorted((tmp_path / "out").iterdir()):
        assert np.abs(pixels(path.read_bytes(), seen=True) - np.asarray(upright, np.int16)).max() <= 6
    said = [note for note in report.notes if "carry an orientation" in note]
    assert len(said) == (number > 1)
    again = pixelfast.clean(tmp_path / "out", model.folder, tmp_path / "twice")
    assert again.unchanged == 12
