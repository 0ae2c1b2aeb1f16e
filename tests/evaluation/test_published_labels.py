"""Labels in every form that data sets are published with: MATLAB's, masks, volumes; the forms as SciPy writes them."""

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import pixelfast
from made_scores import make_scores
from pixelfast.errors import ScoresError
from pixelfast.evaluation.frames import FrameTable, from_scores
from pixelfast.evaluation.labels import read_labels
from pixelfast.evaluation.masks import MaskFolder

DATA = Path(__file__).parents[3] / "shared" / "data"
Truth = NDArray[np.bool_]


def runs(truth: Truth) -> list[tuple[int, int]]:
    """The first and the last frame of each abnormal stretch, from 1, found a frame at a time."""
    found: list[tuple[int, int]] = []
    for number, abnormal in enumerate(truth, 1):
        if abnormal and found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        elif abnormal:
            found.append((number, number))
    return found


def cells(values: Sequence[Any], *, column: bool = False) -> NDArray[np.object_]:
    """A cell array, as a row or as a column."""
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape((-1, 1) if column else (1, -1))


def stretches(truth: Truth) -> NDArray[np.float64]:
    """As MATLAB has them: doubles, [2, K], an empty matrix for none."""
    return np.array(runs(truth), np.float64).T if truth.any() else np.zeros((0, 0))


def listed(truth: Truth) -> NDArray[np.uint16]:
    return (np.flatnonzero(truth) + 1).astype(np.uint16)[None]


def structs(truths: Sequence[Truth], field: str = "gt_frame") -> NDArray[np.void]:
    array = np.empty((1, len(truths)), [(field, object)])
    for index, truth in enumerate(truths):
        array[0, index][field] = listed(truth)
    return array


def pictures(truth: Truth, seed: int = 0) -> NDArray[np.uint8]:
    """Masks [N, 6, 8] with some abnormal pixels in the frames that are abnormal, one at least."""
    some = np.random.default_rng(seed).random((len(truth), 6, 8)) < 0.1
    some[:, 2, 3] = True
    return np.where(truth[:, None, None], some, False).astype(np.uint8)


def script(truths: Sequence[Truth]) -> str:
    """UCSD's own `UCSDped2.m`."""
    lists = [", ".join(f"{first}:{last}" for first, last in runs(truth)) for truth in truths]
    lines = [f"TestVideoFile{{end+1}}.gt_frame = [{one}];" for one in lists]
    return "\n".join(["% gt_frame = [1:3] in a comment", "TestVideoFile = {};", *lines])


WHOLE: dict[str, Callable[[Sequence[Truth]], dict[str, Any]]] = {
    "gt of 2xK": lambda truths: {"gt": cells([stretches(one) for one in truths])},
    "in a column": lambda truths: {"gt": cells([stretches(one).astype(np.int32) for one in truths], column=True)},
    "gt(1).gt_frame": lambda truths: {"gt": structs(truths)},
    "one other field": lambda truths: {"anything": structs(truths, "frames")},
    "cells of structs": lambda truths: {"TestVideoFile": cells([{"gt_frame": listed(one)} for one in truths])},
    "cells of 0 and 1": lambda truths: {"gt": cells([one.astype(np.uint8)[None] for one in truths])},
    "cells of truth": lambda truths: {"gt": cells([one[:, None] for one in truths])},
    "cells of volumes": lambda truths: {"gt": cells([np.moveaxis(pictures(one), 0, 2) for one in truths])},
    "cells of volLabel": lambda truths: {"gt": cells([cells(list(pictures(one))) for one in truths])},
    "0 and 1 over all": lambda truths: {"labels": np.concatenate(truths).astype(np.float64), "about": "Ped2"},
    "a volume over all": lambda truths: {"mask": np.moveaxis(pictures(np.concatenate(truths)), 0, 2)},
    "sparse": lambda truths: {"gt": scipy.sparse.csc_matrix(np.concatenate(truths).astype(np.float64)[None])},
}
LENGTHS = {"01": 20, "2": 9, "größe": 31}
RNG = np.random.default_rng(3)
TRUTHS = [np.repeat(RNG.random(length) < 0.4, 3)[:length] for length in LENGTHS.values()]
FRAMES = from_scores(make_scores(LENGTHS))


def table(lengths: Sequence[int]) -> FrameTable:
    return from_scores(make_scores({str(number): length for number, length in enumerate(lengths)}))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("form", WHOLE)
def test_a_file_over_all_videos(tmp_path: Path, form: str, compressed: bool) -> None:
    path = tmp_path / "labels.MAT"
    scipy.io.savemat(path, WHOLE[form](TRUTHS), do_compression=compressed, appendmat=False)
    np.testing.assert_array_equal(read_labels(path, FRAMES), np.concatenate(TRUTHS))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    truths=st.lists(st.lists(st.booleans(), min_size=3, max_size=12), min_size=2, max_size=5),
    form=st.sampled_from(["gt of 2xK", "gt(1).gt_frame", "cells of structs", "cells of volumes", "script"]),
)
def test_what_is_written_is_read(tmp_path: Path, truths: list[list[bool]], form: str) -> None:
    each = [np.array(one) for one in truths]
    if form == "script":
        path = tmp_path / "UCSDped2.m"
        path.write_text(script(each))
    else:
        path = tmp_path / "labels.mat"
        scipy.io.savemat(path, WHOLE[form](each))
    np.testing.assert_array_equal(read_labels(path, table([len(one) for one in each])), np.concatenate(each))


def test_version_4(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "l.mat", {"gt": np.concatenate(TRUTHS).astype(float)}, format="4")
    np.testing.assert_array_equal(read_labels(tmp_path / "l.mat", FRAMES), np.concatenate(TRUTHS))


def write_pictures(folder: Path, truth: Truth, ending: str = "png") -> None:
    folder.mkdir()
    for number, mask in enumerate(pictures(truth)):
        cv2.imwrite(str(folder / f"{number}.{ending}"), mask * 255)


def mat(path: Path, value: Any, name: str = "gt") -> None:
    scipy.io.savemat(path, {name: value}, do_compression=True)


OF_ONE: dict[str, Callable[[Path, Truth], None]] = {
    "PNG": write_pictures,
    "UCSD's BMP": lambda path, truth: write_pictures(path.with_name(f"{path.name}_gt"), truth, "bmp"),
    "npy of labels": lambda path, truth: np.save(f"{path}.npy", truth),
    "npy of masks": lambda path, truth: np.save(f"{path}.npy", pictures(truth)),
    "Avenue's": lambda path, truth: mat(
        path.with_name(f"{path.name}_label.mat"), cells(list(pictures(truth))), "volLabel"
    ),
    "volume": lambda path, truth: mat(path.with_name(f"{path.name}.mat"), np.moveaxis(pictures(truth), 0, 2) * 1.0),
    "0 and 1": lambda path, truth: mat(path.with_name(f"{path.name}.mat"), truth.astype(float)),
    "2xK": lambda path, truth: mat(path.with_name(f"{path.name}.mat"), stretches(truth)),
    "gt_frame": lambda path, truth: mat(path.with_name(f"{path.name}.mat"), listed(truth), "gt_frame"),
    "struct": lambda path, truth: mat(path.with_name(f"{path.name}.mat"), {"gt_frame": listed(truth)}),
}


@pytest.mark.parametrize("form", OF_ONE)
def test_a_folder_with_something_for_each_video(tmp_path: Path, form: str) -> None:
    for name, truth in zip(LENGTHS, TRUTHS, strict=True):
        OF_ONE[form](tmp_path / name, truth)
    np.testing.assert_array_equal(read_labels(tmp_path, FRAMES), np.concatenate(TRUTHS))


def test_forms_may_be_mixed_and_lie_beside_the_videos(tmp_path: Path) -> None:
    for form, name, truth in zip(("UCSD's BMP", "2xK", "npy of masks"), LENGTHS, TRUTHS, strict=True):
        OF_ONE[form](tmp_path / name, truth)
        (tmp_path / name).mkdir()
        (tmp_path / name / "001.tif").touch()
    np.testing.assert_array_equal(read_labels(tmp_path, FRAMES), np.concatenate(TRUTHS))


def test_the_same_masks_are_labels_and_masks(tmp_path: Path) -> None:
    for form in ("UCSD's BMP", "volume", "Avenue's", "npy of masks"):
        (tmp_path / form).mkdir()
        OF_ONE[form](tmp_path / form / "01", TRUTHS[0])
        masks = MaskFolder(tmp_path / form).read("1", 20, 1)
        np.testing.assert_array_equal(masks, pictures(TRUTHS[0]) > 0)


def test_one_video_of_avenue_alone(tmp_path: Path) -> None:
    OF_ONE["Avenue's"](tmp_path / "1", TRUTHS[0])
    found = read_labels(tmp_path / "1_label.mat", from_scores(make_scores({"1": 20})))
    np.testing.assert_array_equal(found, TRUTHS[0])


def test_below_folders(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    write_pictures(tmp_path / "day" / "cam1", TRUTHS[0])
    np.save(tmp_path / "day" / "cam2.npy", TRUTHS[1])
    found = read_labels(tmp_path, from_scores(make_scores({"day/cam1": 20, "day/cam2": 9})))
    np.testing.assert_array_equal(found, np.concatenate(TRUTHS[:2]))


def said(path: Path, frames: FrameTable = FRAMES) -> str:
    with pytest.raises(ScoresError) as caught:
        read_labels(path, frames)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (cells([np.array([[1], [2]])] * 2), r"has labels of 2 videos, but the scores are of 3: score all"),
        (cells([np.array([[1], [21]])] * 3), r"video 1: frames 1 to 21 of 20 that were scored: frames count from 1"),
        (cells([np.array([[0], [3]])] * 3), r"video 1: frames 0 to 3 of 20 .*: frames count from 1"),
        (cells([np.array([[9], [3]])] * 3), r"frames 9 to 3 of 20 .*, first before last"),
        (cells([np.array([[1, 5]])] * 3), r"\[1, 2\] may be two frames or a stretch: write stretches as \[2, K\]"),
        (cells([np.ones((3, 2)) * 2] * 3), r"video 1: \[3, 2\] is neither a list of frames nor, as \[2, K\]"),
        (cells([np.array([[1.5, 3, 4]])] * 3), r"video 1: 1.5 is neither 0, nor 1, nor the number of a frame"),
        (cells([np.array([[np.inf, 3, 4]])] * 3), r"video 1: inf is neither"),
        (cells([np.array([[0, 1, 1]])] * 3), r"video 1 has 3 labels, but 20 frames were scored"),
        (cells([np.zeros((6, 8, 5))] * 3), r"video 1: 5 masks, but 20 frames were scored"),
        (cells(["abc"] * 3), r"labels are numbers, not <U3"),
        (np.array([0.0, 1, 1]), r"labels.mat has 3 labels, but 60 frames were scored"),
        ({"start": 1, "end": 2}, r"has labels of 1 videos, but the scores are of 3"),
        (
            cells([{"start": 1, "end": 2}] * 3),
            r"a struct of start, end: call the field of the abnormal frames gt_frame",
        ),
    ],
)
def test_values_that_do_not_fit_are_named(tmp_path: Path, value: Any, sentence: str) -> None:
    mat(tmp_path / "labels.mat", value)
    text = said(tmp_path / "labels.mat")
    assert "labels.mat" in text
    assert re.search(sentence, text), text


def test_files_that_cannot_be_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "labels.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n")
    assert "is of MATLAB 7.3 (HDF5), which is not read: save it as version 7, by MATLAB or Octave" in said(path)
    shutil.copy(path, tmp_path / "7_label.mat")
    with pytest.raises(ScoresError, match=r"7_label.mat is of MATLAB 7.3 \(HDF5\)"):
        MaskFolder(tmp_path).read("7", 3, 1)
    path.write_bytes(b"nothing of the kind" * 20)
    assert "is damaged, or in none of the forms that labels come in" in said(path)
    scipy.io.savemat(path, {"a": 1, "b": 2})
    assert "holds a, b: leave one variable in it, or call that of the labels gt" in said(path)
    scipy.io.savemat(path, {})
    assert "holds nothing" in said(path)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "scipy.io", None)
        assert said(path).endswith("is read by SciPy: pip install scipy")
    (tmp_path / "labels.m").write_text("x = 1;")
    assert "names no frames: lines such as TestVideoFile{1}.gt_frame = [61:180];" in said(tmp_path / "labels.m")
    (tmp_path / "labels.m").write_text("T{1}.gt_frame = [1:2:9];")
    assert "video 1 has the frames [1:2:9]: lists such as [5:90, 140:200]" in said(tmp_path / "labels.m")
    (tmp_path / "labels.m").write_text("T{1}.gt_frame = 3:5; T{2}.gt_frame=[]; T{3}.gt_frame = [1 3];")
    assert read_labels(tmp_path / "labels.m", FRAMES).nonzero()[0].tolist() == [2, 3, 4, 29, 31]


def test_two_for_one_video_are_named(tmp_path: Path) -> None:
    for form in ("PNG", "volume"):
        OF_ONE[form](tmp_path / "01", TRUTHS[0])
    assert "are labels of one video: remove one of them" in said(tmp_path)


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "ped2").is_dir(), reason="no footage beside the checkout")
@pytest.mark.parametrize(("name", "masks"), [("ped2", "masks"), ("avenue", "masks_mat")])
def test_real_labels_are_what_their_masks_say(tmp_path: Path, name: str, masks: str) -> None:
    folder = DATA / name
    ids = [line.partition(",")[0] for line in (folder / "labels.csv").read_text().splitlines()[1:]]
    scores = tmp_path / "scores.csv"
    rng = np.random.default_rng(0)
    scores.write_text("\n".join(["Id,Predicted", *(f"{one},{rng.random():.6f}" for one in ids)]))
    by_csv, by_masks = (pixelfast.evaluate(scores, folder / labels) for labels in ("labels.csv", masks))
    assert by_masks == by_csv
    assert by_csv.frames == len(ids)
