"""A video file scores like its own extracted frames, and what is wrong with one costs the others nothing."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import pixelfast
from films import walk, write_film
from pixelfast.errors import LostFootageError
from street import QUICK

Frames = NDArray[np.uint8]
AVENUE = Path(__file__).parents[3] / "shared" / "data" / "avenue"
QUICKLY: dict[str, dict[str, Any]] = {
    "density": {"recipe": QUICK},
    "motion": {"epochs": 1},
    "reconstruction": {"epochs": 1, "width_share": 0.125},
}


def extracted(film: Path, folder: Path) -> Path:
    """The frames as anybody would extract them: in color, one file a frame."""
    folder.mkdir()
    capture, index = cv2.VideoCapture(str(film)), 0
    while (read := capture.read())[0]:
        cv2.imwrite(str(folder / f"{index:05}.png"), read[1])
        index += 1
    return folder


def lossless(frames: Frames, folder: Path) -> Path:
    """Luma of limited range as grey files of full range."""
    folder.mkdir()
    full = np.clip(np.rint((frames.astype(float) - 16) * 255 / 219), 0, 255).astype(np.uint8)
    for index, frame in enumerate(full):
        cv2.imwrite(str(folder / f"{index:05}.png"), frame)
    return folder


def agreement(one: pixelfast.Scores, other: pixelfast.Scores) -> float:
    return float(np.corrcoef(one.rank, other.rank)[0, 1])


@pytest.mark.parametrize("method", QUICKLY)
def test_a_file_scores_like_its_extracted_frames(method: str, tmp_path: Path) -> None:
    frames = walk(90, 144, 192)
    film = write_film(tmp_path / "a.mkv", frames, codec="ffv1")
    usual = write_film(tmp_path / "b.mp4", frames, options={"crf": "20"})
    model = pixelfast.train(film, tmp_path / "model", method=method, **QUICKLY[method])
    by_file, by_frames = (
        pixelfast.score(source, model.folder) for source in (film, lossless(frames, tmp_path / "grey"))
    )
    assert np.allclose(by_file.raw, by_frames.raw, rtol=1e-3 if method == "reconstruction" else 1e-2, atol=1e-3)
    if method != "reconstruction":
        assert agreement(by_file, by_frames) > 0.999
    coded = pixelfast.score(usual, model.folder)
    assert agreement(coded, pixelfast.score(extracted(usual, tmp_path / "color"), model.folder)) >= 0.99
    assert by_file.seconds is not None and np.allclose(by_file.seconds, np.arange(90) / 25)


@pytest.mark.data
@pytest.mark.skipif(not AVENUE.is_dir(), reason="needs ../shared/data/avenue")
def test_real_footage_scores_like_its_extracted_frames(tmp_path: Path) -> None:
    film = AVENUE / "testing" / "20.avi"
    model = pixelfast.train(AVENUE / "training" / "16.avi", tmp_path / "model", recipe=QUICK)
    by_file = pixelfast.score(film, model.folder)
    by_frames = pixelfast.score(extracted(film, tmp_path / "20"), model.folder)
    assert len(by_file) == len(by_frames) == 273
    assert agreement(by_file, by_frames) >= 0.99


def test_files_and_folders_are_scored_together_and_broken_files_cost_themselves(tmp_path: Path) -> None:
    frames = walk(90)
    write_film(tmp_path / "normal.mp4", frames)
    model = pixelfast.train(tmp_path / "normal.mp4", tmp_path / "model", recipe=QUICK)
    new = tmp_path / "new"
    new.mkdir()
    write_film(new / "cam1.mp4", frames[:40])
    write_film(new / "cam2.mkv", frames[40:80], codec="ffv1")
    lossless(frames[:30], new / "cam3")
    (new / "cam4.mp4").write_text("no video at all")
    with pytest.raises(
        LostFootageError, match=r"1 of 4 videos not scored .*cam4\.mp4 is no video: it holds text"
    ) as lost:
        pixelfast.score(new, model.folder, out=tmp_path / "scores.parquet")
    scores = lost.value.scores
    assert scores.videos == ("cam1", "cam2", "cam3") and scores.lengths.tolist() == [40, 40, 30]
    assert "insist" not in str(lost.value)
    assert pixelfast.Scores.read(tmp_path / "scores.parquet").videos == scores.videos
    (new / "cam4.mp4").unlink()
    assert pixelfast.score(new, model.folder, out=tmp_path / "scores.parquet").reused == 3


def test_clean_reports_on_files(tmp_path: Path) -> None:
    frames = walk(90)
    film = write_film(tmp_path / "a.mp4", frames)
    model = pixelfast.train(film, tmp_path / "model", recipe=QUICK)
    report = pixelfast.clean(film, model.folder, tmp_path / "out")
    assert report.frames == report.unwritten == report.unchanged == 90 and report.videos == 1
    assert any("not written" in note for note in report.notes)
