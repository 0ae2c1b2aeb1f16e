"""Footage to try engines on: what is given, or a scene that is made up."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.frame_files import link_or_copy
from pixelfast.runtime.trial import Footage
from pixelfast.sources import Color, FolderVideo, Video
from pixelfast.training.made_up import moving_texture

SIZE: Final = (360, 640)
"""Height and width of made-up frames, pixels."""

_QUALITY: Final = 75
_NOISE: Final = 2.0
"""Of JPEG and in grey levels, so that a made-up file has what a camera's of this size has, about 45 kB."""

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
        for index, picture in enumerate(moving_texture(_DISTINCT, *SIZE)):
            noisy = picture + rng.normal(0, _NOISE, picture.shape)
            quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
            encoded = cv2.imencode(".jpg", noisy.clip(0, 255).astype(np.uint8), quality)[1]
            (pictures / f"{index:04d}.jpg").write_bytes(encoded.tobytes())
        source = folder / "source"
        for video in range(max(1, round(frames / _A_VIDEO))):
            _link_video(pictures, source / f"{video + 1:04d}", min(frames, _A_VIDEO))
        yield source


def _link_video(pictures: Path, folder: Path, frames: int) -> None:
    """Names for pictures, forth and back, that take no room of their own where the file system has links."""
    folder.mkdir(parents=True)
    turn = [*range(_DISTINCT), *range(_DISTINCT - 2, 0, -1)]
    for frame in range(frames):
        link_or_copy(pictures / f"{turn[frame % len(turn)]:04d}.jpg", folder / f"{frame + 1:06d}.jpg")


def footage_of(videos: list[Video]) -> Footage:
    """The longest of the videos, as engines are tried on it."""
    video = max(videos, key=lambda one: one.length or 0)

    def frames(count: int, height: int, width: int, color: Color) -> NDArray[np.uint8]:
        return np.ascontiguousarray(next(video.chunks(height, width, color, count)).frames)

    return Footage(videos[0].size(), frames)


def files_of(videos: list[Video]) -> list[Path]:
    """The files of the frames of the longest video, where frames are files."""
    folders = [video for video in videos if isinstance(video, FolderVideo)]
    return list(max(folders, key=lambda one: one.length).paths) if folders else []
