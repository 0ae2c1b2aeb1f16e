"""Frames of a folder are turned as their orientation says, and a run says so once."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixelfast
from footage import walking_square
from frame_files import write_video
from oriented import oriented
from pictures import picture
from pixelfast.errors import SourceError
from pixelfast.options import Reading
from pixelfast.sources import FolderVideo, turned_note


def video(folder: Path, orientations: list[int], reading: Reading | None = None) -> FolderVideo:
    """Frames that are seen as 40x64 pictures whatever their orientation is."""
    folder.mkdir()
    for index, orientation in enumerate(orientations):
        size = (64, 40) if orientation >= 5 else (40, 64)
        (folder / f"{index}.jpg").write_bytes(oriented(picture(*size, index), "jpeg", orientation))
    names = [f"{index}.jpg" for index in range(len(orientations))]
    return FolderVideo(folder, names) if reading is None else FolderVideo(folder, names, reading=reading)


def test_the_note_counts_what_was_turned(tmp_path: Path) -> None:
    plain, turned, other = (
        video(tmp_path / name, numbers)
        for name, numbers in (("plain", [1, 1]), ("turned", [1, 3, 6, 8]), ("other", [2, 2, 2]))
    )
    assert turned_note([plain, turned]) == []
    for one in (plain, turned, turned):  # what is decoded twice counts once
        assert sum(len(chunk.frames) for chunk in one.chunks(32, 32, chunk=3)) == one.length
    assert turned.turned == {1, 2, 3}
    assert turned_note([plain, turned, other]) == [
        "3 of 4 frames of video turned carry an orientation and are turned by it: "
        "--no-orientation (orientation=False) leaves them"
    ]
    list(other.chunks(32, 32))
    assert turned_note([plain, turned, other])[0].startswith("6 of 7 frames of 2 videos (first: turned) carry")


def test_sizes_are_those_that_are_seen(tmp_path: Path) -> None:
    seen = video(tmp_path / "a", [1, 6, 8, 3])
    seen.check_one_size()
    assert seen.size() == (40, 64)
    assert next(seen.chunks(None, None)).frames.shape == (4, 40, 64)

    lying = video(tmp_path / "b", [1, 6, 8, 3], Reading(orientation=False))
    with pytest.raises(SourceError, match="not all of one size"):
        lying.check_one_size()
    assert turned_note([lying]) == []


@pytest.mark.parametrize("orientation", [2, 3, 6])
def test_scores_are_those_of_upright_files(tmp_path: Path, frame_engine: Path, orientation: int) -> None:
    frames = walking_square(20)
    write_video(tmp_path / "upright" / "01", frames)
    lies = {2: frames[:, :, ::-1], 3: frames[:, ::-1, ::-1], 6: np.rot90(frames, 1, axes=(1, 2))}[orientation]
    folder = tmp_path / "turned" / "01"
    folder.mkdir(parents=True)
    for number, frame in enumerate(lies, 1):
        (folder / f"frame_{number:04d}.png").write_bytes(oriented(Image.fromarray(frame), "png", orientation))

    upright = pixelfast.score(tmp_path / "upright", frame_engine)
    turned = pixelfast.score(tmp_path / "turned", frame_engine)
    left = pixelfast.score(tmp_path / "turned", frame_engine, orientation=False)

    # Where rows become columns, the kernel rounds in the other direction first.
    np.testing.assert_allclose(turned.raw, upright.raw, rtol=0.01 if orientation == 6 else 0)
    assert not np.array_equal(left.raw, upright.raw)
    said = [note for note in turned.notes if "carry an orientation" in note]
    assert said == [
        "20 of 20 frames of video 01 carry an orientation and are turned by it: "
        "--no-orientation (orientation=False) leaves them"
    ]
    assert not any("orientation" in note for note in left.notes + upright.notes)
