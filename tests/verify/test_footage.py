"""Footage that is made up: as large as a camera's, the same each time, and in motion."""

import cv2
import numpy as np

from pixelfast.verify.footage import SIZE, made_up_source


def test_made_up_files_are_as_large_as_a_cameras_and_the_same_each_time() -> None:
    with made_up_source(140) as source, made_up_source(140) as again:
        files = sorted((source / "0001").iterdir())
        assert len(files) == 140
        assert 40_000 < np.mean([file.stat().st_size for file in files]) < 50_000
        assert [file.read_bytes() for file in files] == [
            file.read_bytes() for file in sorted((again / "0001").iterdir())
        ]
        pictures = [cv2.imread(str(file)) for file in files[:2]]
    assert all(picture.shape == (*SIZE, 3) for picture in pictures)
    blue, _, red = (pictures[0][..., channel].astype(int) for channel in range(3))
    assert np.abs(blue - red).mean() > 10, "a texture in colour"
    assert np.abs(pictures[0].astype(int) - pictures[1]).mean() > 5, "which moves"


def test_many_frames_are_several_videos() -> None:
    with made_up_source(1100) as source:
        assert [len(list(folder.iterdir())) for folder in sorted(source.iterdir())] == [500, 500]
