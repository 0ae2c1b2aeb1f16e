"""Masks from every form they come in, and RBDC and TBDC from scores, parts and masks on disk."""

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray

import pixelfast
from footage import walking_square
from oracles import regions as plain
from pixelfast.cli.run import run
from pixelfast.errors import ArgumentError, ScoresError
from pixelfast.evaluation.masks import MaskFolder
from pixelfast.model import Model
from pixelfast.pipeline.parts import Part, read_part, write_part
from tiny_engines import SIZE

AVENUE = Path(__file__).parents[3] / "shared" / "data" / "avenue" / "masks_mat"
MASKS = np.random.default_rng(0).random((12, 20, 30)) < 0.2


def pictures(folder: Path, masks: NDArray[np.bool_]) -> Path:
    """PNG files numbered so that only their natural order is that of time."""
    folder.mkdir(parents=True)
    for number, mask in enumerate(masks):
        cv2.imwrite(str(folder / f"{number}.png"), np.where(mask, 255, 0).astype(np.uint8))
    return folder


def published(path: Path, masks: NDArray[np.bool_]) -> Path:
    """As Avenue has them: a row of cells, one picture each."""
    cells = np.empty((1, len(masks)), object)
    for number, mask in enumerate(masks):
        cells[0, number] = mask.astype(np.uint8)
    scipy.io.savemat(path, {"volLabel": cells})
    return path


def array(path: Path, masks: NDArray[np.generic]) -> Path:
    np.save(path, masks)
    return path


FORMS: dict[str, Callable[[Path], Path]] = {
    "pictures": lambda folder: pictures(folder / "07", MASKS),
    "bool": lambda folder: array(folder / "7.npy", MASKS),
    "0 and 1": lambda folder: array(folder / "07.npy", MASKS.astype(np.uint8)),
    "0 and 255": lambda folder: array(folder / "7.npy", MASKS.astype(np.uint8) * 255),
    "Avenue's": lambda folder: published(folder / "7_label.mat", MASKS),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_masks(tmp_path: Path, form: str) -> None:
    FORMS[form](tmp_path)
    (tmp_path / "README.txt").touch()
    array(tmp_path / "8.npy", ~MASKS)
    np.testing.assert_array_equal(MaskFolder(tmp_path).read("7", 12, 3), MASKS)
    assert MaskFolder(tmp_path).read("9", 12, 0) is None


def test_videos_below_folders(tmp_path: Path) -> None:
    pictures(tmp_path / "day" / "cam", MASKS)
    np.testing.assert_array_equal(MaskFolder(tmp_path).read("day/cam", 12, 3), MASKS)


def test_grey_is_nearer_to_black_or_to_white(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    cv2.imwrite(str(tmp_path / "1" / "0.png"), np.array([[0, 127], [128, 255]], np.uint8))
    masks = MaskFolder(tmp_path).read("1", 1, 1)
    assert masks is not None
    assert masks.tolist() == [[[False, False], [True, True]]]


def sentence(folder: Path, video: str = "7", frames: int = 12, abnormal: int = 3) -> str:
    with pytest.raises(ScoresError) as caught:
        MaskFolder(folder).read(video, frames, abnormal)
    return str(caught.value)


def test_masks_that_do_not_fit_are_named(tmp_path: Path) -> None:
    assert "nowhere does not exist: give the folder of the masks" in sentence(tmp_path / "nowhere")
    FORMS["bool"](tmp_path)
    assert "7.npy is no folder" in sentence(tmp_path / "7.npy")
    assert "has no masks of video 8, of which 3 frames are labelled abnormal: add" in sentence(tmp_path, "8")
    assert "7.npy has 12 masks, but video 7 has 13 frames" in sentence(tmp_path, frames=13)
    pictures(tmp_path / "07", MASKS)
    assert "are masks of one video: remove one of them" in sentence(tmp_path)


def test_files_that_are_no_masks_are_named(tmp_path: Path) -> None:
    array(tmp_path / "1.npy", MASKS[0])
    assert "1.npy must hold whole numbers or truth values [N, H, W], not bool (20, 30)" in sentence(tmp_path, "1")
    array(tmp_path / "2.npy", MASKS.astype(float))
    assert "not float64 (12, 20, 30)" in sentence(tmp_path, "2")
    np.save(tmp_path / "3.npy", np.array([{}]), allow_pickle=True)
    assert "3.npy cannot be read as masks: " in sentence(tmp_path, "3")
    (tmp_path / "4_label.mat").write_bytes(b"no such thing" * 30)
    assert "4_label.mat cannot be read as masks: " in sentence(tmp_path, "4")
    scipy.io.savemat(tmp_path / "5_label.mat", {"other": 1})
    assert "5_label.mat cannot be read as masks: 'volLabel'" in sentence(tmp_path, "5")
    (tmp_path / "6").mkdir()
    assert "6 holds no .png" in sentence(tmp_path, "6")
    black = pictures(tmp_path / "7", MASKS) / "3.png"
    black.write_bytes(b"")
    assert "3.png is empty" in sentence(tmp_path)
    cv2.imwrite(str(black), np.zeros((5, 5), np.uint8))
    assert "cannot be read as masks of one size" in sentence(tmp_path)
    array(tmp_path / "8.npy", np.zeros((12, 2, 2), np.uint8))
    assert "8.npy has no abnormal pixel, but the labels have 3 abnormal frames" in sentence(tmp_path, "8")
    cv2.imwrite(str(pictures(tmp_path / "9", MASKS[:0]) / "0.png"), np.ones((5, 5), np.uint8))
    assert "abnormal frames: a pixel is abnormal above 127, as 255" in sentence(tmp_path, "9", 1)


def test_without_scipy_the_way_to_npy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published(tmp_path / "7_label.mat", MASKS)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "scipy.io", None)
        said = sentence(tmp_path)
    assert "pip install scipy; or turn it to 7.npy" in said
    monkeypatch.chdir(tmp_path)
    exec(said.split("where SciPy is: ")[1], {"np": np, "scipy": scipy})
    np.testing.assert_array_equal(np.load("7.npy"), MASKS)


@pytest.mark.data
@pytest.mark.skipif(not AVENUE.is_dir(), reason="no footage beside the checkout")
def test_avenues_own_masks() -> None:
    masks = MaskFolder(AVENUE).read("21", 76, 1)
    assert masks is not None
    assert masks.shape == (76, 360, 640)
    assert 0 < masks.mean() < 0.2


@pytest.fixture
def scored(make_source: Callable[..., Path], model: Model, tmp_path: Path) -> Path:
    """A folder with scores, their parts with maps, labels, and masks of two videos; a third has neither."""
    videos = {name: walking_square(count, seed=count, size=SIZE) for name, count in (("01", 40), ("02", 30), ("3", 20))}
    pixelfast.score(make_source(**videos), model.folder, out=tmp_path / "scores.parquet", maps=True)
    rng, rows = np.random.default_rng(4), ["Id,Label"]
    for name, frames in videos.items():
        masks = np.zeros((len(frames), 24, 36), np.bool_)
        if name != "3":
            for first in (5, 9):
                y, x = rng.integers(0, 18), rng.integers(0, 28)
                masks[first : first + 12, y : y + 6, x : x + 8] = True
            pictures(tmp_path / "masks" / name, masks)
        rows += [f"{int(name)}_{number + 1},{int(mask.any())}" for number, mask in enumerate(masks)]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    return tmp_path


def judged(home: Path, scores: str = "scores.parquet", **changes: Path) -> pixelfast.Evaluation:
    folders = {"parts": home / "scores.parquet.parts", "masks": home / "masks"}
    return pixelfast.evaluate(home / scores, home / "labels.csv", **{**folders, **changes})


def parts(home: Path) -> dict[str, tuple[Path, Part]]:
    return {(part := read_part(path)).video: (path, part) for path in (home / "scores.parquet.parts").iterdir()}


def test_maps_of_a_run_are_judged(scored: Path) -> None:
    found = judged(scored)
    maps = [part.maps.astype(float) for _, (_, part) in sorted(parts(scored).items())]
    masks = [MaskFolder(scored / "masks").read(*one) for one in (("1", 40, 12), ("2", 30, 12))]
    expected = plain.region_criteria(maps, [*masks, np.zeros((20, 24, 36), np.bool_)])
    assert (found.rbdc, found.tbdc) == pytest.approx(expected, abs=2e-3)  # some of more than 500 distinct values
    alone = pixelfast.evaluate(scored / "scores.parquet", scored / "labels.csv")
    assert (alone.rbdc, alone.tbdc) == (None, None)
    assert dataclasses.replace(found, rbdc=None, tbdc=None) == alone
    pixelfast.Scores.read(scored / "scores.parquet").write(scored / "scores.csv")
    assert judged(scored, "scores.csv").rbdc == found.rbdc


def test_a_grid_need_not_be_square(scored: Path) -> None:
    for name, (path, part) in parts(scored).items():
        masks = MaskFolder(scored / "masks").read(str(int(name)), len(part.raw), 0)
        true = np.zeros((len(part.raw), 24, 36), np.bool_) if masks is None else masks
        write_part(path, dataclasses.replace(part, maps=true[:, ::2].astype(np.float16)))
    found = judged(scored)
    assert found.rbdc is not None
    assert found.rbdc > 0.99
    assert found.tbdc == 1.0


def test_parts_that_do_not_fit_are_named(scored: Path) -> None:
    def said(**changes: Path) -> str:
        with pytest.raises(ScoresError) as caught:
            judged(scored, **changes)
        return str(caught.value)

    assert "nowhere does not exist: score again with maps=True" in said(parts=scored / "nowhere")
    assert "masks holds no parts: score again" in said(parts=scored / "masks")
    path, part = parts(scored)["02"]
    write_part(path.with_name("other.arrow"), part)
    assert "other.arrow is a second part of video 02" in said()
    path.with_name("other.arrow").unlink()
    write_part(path, dataclasses.replace(part, maps=None))
    assert f"{path} has no error maps: score again with maps=True (--maps)" in said()
    record = type(part.record)(**{name: None if v is None else v[:-1] for name, v in vars(part.record).items()})
    write_part(path, dataclasses.replace(part, raw=part.raw[:-1], record=record, maps=part.maps[:-1], frames=29))
    assert "has 29 frames, but the scores of video 02 have 30: give the parts" in said()
    path.unlink()
    assert "has no part of video 2: score again" in said()


@pytest.mark.parametrize(("given", "missing"), [("parts", "masks"), ("masks", "parts")])
def test_one_without_the_other_is_refused(tmp_path: Path, given: str, missing: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{missing} must be given too"):
        pixelfast.evaluate("nowhere", "nowhere", **{given: tmp_path})
    with pytest.raises(ArgumentError, match=f"{given} must be a path, not 5"):
        pixelfast.evaluate("nowhere", "nowhere", **{given: 5})


def test_the_command_says_both(scored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = judged(scored)
    command = ["evaluate", str(scored / "scores.parquet"), str(scored / "labels.csv")]
    command += ["--parts", str(scored / "scores.parquet.parts"), "--masks", str(scored / "masks")]
    assert run(command) == 0
    assert f"RBDC {found.rbdc:.4f}, TBDC {found.tbdc:.4f}: areas" in capsys.readouterr().out
    assert run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found.to_dict()
    assert run(command[:3]) == 0
    assert "RBDC" not in capsys.readouterr().out
