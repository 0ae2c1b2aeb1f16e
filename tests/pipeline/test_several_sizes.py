"""Frames of several sizes within a video are noted, and nothing else about them changes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import pixelfast
from footage import walking_square
from pixelfast.model import Model
from tiny_engines import SIZE


def test_several_sizes_are_noted_once_a_video(make_source: Callable[..., Path], model: Model) -> None:
    source = make_source(a=walking_square(20, 1, SIZE), b=walking_square(20, 2, SIZE))
    plain = pixelfast.score(source, model.folder, flip="never")
    assert not any("has frames of" in note for note in plain.notes)
    for number in (7, 8, 9):
        file = source / "b" / f"frame_{number:04d}.png"
        with Image.open(file) as image:
            image.resize((2 * SIZE, 3 * SIZE), Image.Resampling.NEAREST).save(file)
    (source / "b" / "frame_0010.png").write_bytes(b"no image")
    scores = pixelfast.score(source, model.folder, flip="never")
    (note,) = [note for note in scores.notes if "has frames of" in note]
    assert note == (
        f"video b has frames of 2 sizes, such as {SIZE}x{SIZE} ({source}/b/frame_0001.png) and {2 * SIZE}x{3 * SIZE} "
        f"({source}/b/frame_0007.png): all are scaled to {SIZE}x{SIZE} pixels, and where the size changes, scores may "
        "rise"
    )
    assert np.array_equal(scores.raw[:20], plain.raw[:20])
