"""Folders of real image files, for the tests."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from pixelfast.sources import Video


def make_frames(folder: Path, names: Sequence[str], size: tuple[int, int] = (32, 24)) -> Path:
    """Writes images; the grey level of each is 10 times its position (and the same all over)."""
    folder.mkdir(parents=True, exist_ok=True)
    for position, name in enumerate(names):
        Image.new("L", size, position * 10 % 256).save(folder / name)
    return folder


def names_of(videos: Sequence[Video]) -> list[str]:
    return [video.name for video in videos]
