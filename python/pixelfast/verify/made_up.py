"""Frames to try engines on: of footage that is given, or made up."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.sources import FolderVideo, Video, open_source

SIZE: Final = (360, 640)
"""Height and width of made-up frames, pixels."""

_STEP: Final = (3, 2)
"""Pixels that the scene moves a frame, up and to the left."""

_DISTINCT: Final = 64
_A_VIDEO: Final = 500


@contextmanager
def made_up_source(frames: int) -> Iterator[Path]:
    """A folder of videos of about so many JPEG files of 640x360: a texture that moves, 64 pictures over and over."""
    import cv2

    with TemporaryDirectory(prefix="pixelfast-verify-") as name:
        folder = Path(name)
        rng = np.random.default_rng(0)
        pictures = folder / "pictures"
        pictures.mkdir()
        scene = _texture(*(side + _DISTINCT * step for side, step in zip(SIZE, _STEP, strict=True)))
        for index in range(_DISTINCT):
            top, left = (index * step for step in _STEP)
            picture = scene[top : top + SIZE[0], left : left + SIZE[1]]
            noisy = picture + rng.normal(0, 3, picture.shape)
            cv2.imwrite(str(pictures / f"{index:04d}.jpg"), noisy.clip(0, 255).astype(np.uint8))
        source = folder / "source"
        for video in range(max(1, round(frames / _A_VIDEO))):
            _link_video(pictures, source / f"{video + 1:04d}", min(frames, _A_VIDEO))
        yield source


def _texture(height: int, width: int) -> NDArray[np.float64]:
    """f64[height, width, 3]: coloured waves of all lengths and directions; by NumPy, as PyTorch may be missing."""
    rng = np.random.default_rng(0)
    rows, columns = np.arange(height)[:, None], np.arange(width)
    scene = np.full((height, width, 3), 127.5)
    for length, angle, phase, *color in rng.uniform(0, 1, (24, 6)):
        turn, radians = 6.3 * angle, 0.05 + 0.6 * length
        wave = np.sin(radians * (np.cos(turn) * rows + np.sin(turn) * columns) + 6.3 * phase)
        scene += 20 * wave[..., None] * (np.array(color) - 0.2)
    return scene


def _link_video(pictures: Path, folder: Path, frames: int) -> None:
    """Names for pictures, forth and back, that take no room of their own."""
    folder.mkdir(parents=True)
    turn = [*range(_DISTINCT), *range(_DISTINCT - 2, 0, -1)]
    for frame in range(frames):
        os.link(pictures / f"{turn[frame % len(turn)]:04d}.jpg", folder / f"{frame + 1:06d}.jpg")


def first_frames(source: Path, count: int, height: int, width: int, color: str) -> NDArray[np.uint8]:
    """Neighbouring frames u8[n, H, W] or u8[n, H, W, 3] of the source's longest video, at most `count`."""
    video = max(open_source(source), key=lambda one: one.length or 0)
    chunk = next(video.chunks(height, width, "rgb" if color == "rgb" else "grey", count))
    return np.ascontiguousarray(chunk.frames)


def files_of(videos: list[Video]) -> list[Path]:
    """The files of the frames of the longest video, where frames are files."""
    folders = [video for video in videos if isinstance(video, FolderVideo)]
    return list(max(folders, key=lambda one: one.length).paths) if folders else []
