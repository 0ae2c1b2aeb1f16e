"""Decoding JPEG files on two threads, against other libraries in pools of two that give frames of the same size.

Gated: small grey frames against a full decode. Beside them, without a gate: large frames, color, what is fast by
decoding at half size, and what others offer for the same work.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from made_frames import write_large_frames
from pixelfast import _core
from threads import THREADS

SIZE = 128

Frame = NDArray[np.uint8]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Two threads for the other libraries, which get one each."""
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(THREADS) as pool:
        yield pool


@pytest.fixture(scope="session")
def large_frames(
    frames: list[Path], size: Callable[[int, int], int], tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    return write_large_frames(frames[: size(96, 24)], tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="session")
def some_frames(frames: list[Path], size: Callable[[int, int], int]) -> list[Path]:
    """Fewer of the frames, for what is slow or only stands beside."""
    return frames[: size(500, 150)]


@pytest.mark.versus("decode_pillow", peer="Pillow")
def test_decode_against_pillow(contest, pool, frames: list[Path]) -> None:
    """640x360 to 128x128 grey."""
    contest(ours=lambda: decode(frames), plain=lambda: list(pool.map(by_pillow, frames)), rounds=2)


@pytest.mark.versus("decode_opencv", peer="OpenCV")
def test_decode_against_opencv(contest, pool, frames: list[Path]) -> None:
    """640x360 to 128x128 grey; OpenCV reads grey and resizes by area."""
    contest(ours=lambda: decode(frames), plain=lambda: list(pool.map(by_opencv, frames)), rounds=2)


@pytest.mark.versus("decode_1080p_pillow", peer="Pillow")
def test_large_frames_against_pillow(contest, pool, large_frames: list[Path]) -> None:
    """1920x1080 to 128x128 grey; Pillow decodes all of it."""
    contest(ours=lambda: decode(large_frames), plain=lambda: list(pool.map(by_pillow, large_frames)), rounds=2)


@pytest.mark.versus("decode_1080p_opencv", peer="OpenCV", gated=False, short=False)
def test_large_frames_against_opencv(contest, pool, large_frames: list[Path]) -> None:
    """1920x1080 to 128x128 grey."""
    contest(ours=lambda: decode(large_frames), plain=lambda: list(pool.map(by_opencv, large_frames)), rounds=2)


@pytest.mark.versus("decode_rgb_pillow", peer="Pillow", gated=False)
def test_rgb_frames_against_pillow(contest, pool, some_frames: list[Path]) -> None:
    """640x360 to RGB of the same size."""
    contest(ours=lambda: decode_rgb(some_frames), plain=lambda: list(pool.map(rgb_by_pillow, some_frames)), rounds=2)


@pytest.mark.versus("decode_rgb_opencv", peer="OpenCV", gated=False)
def test_rgb_frames_against_opencv(contest, pool, some_frames: list[Path]) -> None:
    """640x360 to RGB of the same size."""
    contest(ours=lambda: decode_rgb(some_frames), plain=lambda: list(pool.map(rgb_by_opencv, some_frames)), rounds=2)


@pytest.mark.versus("decode_pillow_draft", peer="Pillow, draft mode", gated=False)
def test_decode_against_pillow_draft(contest, pool, some_frames: list[Path]) -> None:
    """640x360 to 128x128 grey."""
    contest(ours=lambda: decode(some_frames), plain=lambda: list(pool.map(by_pillow_draft, some_frames)))


@pytest.mark.versus("decode_1080p_draft", peer="Pillow, draft mode", gated=False, short=False)
def test_large_frames_against_pillow_draft(contest, pool, large_frames: list[Path]) -> None:
    """1920x1080 to 128x128 grey; Pillow keeps twice the target."""
    contest(ours=lambda: decode(large_frames), plain=lambda: list(pool.map(by_pillow_draft, large_frames)))


@pytest.mark.versus("decode_opencv_half", peer="OpenCV at half size", gated=False)
def test_decode_against_opencv_at_half_size(contest, pool, some_frames: list[Path]) -> None:
    """640x360 to 128x128 grey."""
    contest(ours=lambda: decode(some_frames), plain=lambda: list(pool.map(by_opencv_half, some_frames)))


@pytest.mark.versus("decode_1080p_half", peer="OpenCV at half size", gated=False, short=False)
def test_large_frames_against_opencv_at_half_size(contest, pool, large_frames: list[Path]) -> None:
    """1920x1080 to 128x128 grey."""
    contest(ours=lambda: decode(large_frames), plain=lambda: list(pool.map(by_opencv_half, large_frames)))


@pytest.mark.versus("decode_simplejpeg", peer="simplejpeg", gated=False)
def test_decode_against_simplejpeg(contest, pool, some_frames: list[Path]) -> None:
    """640x360 to 128x128 grey."""
    pytest.importorskip("simplejpeg")
    contest(ours=lambda: decode(some_frames), plain=lambda: list(pool.map(by_simplejpeg, some_frames)))


@pytest.mark.filterwarnings("ignore:The image decoding:DeprecationWarning")  # torchvision says so of its decoder
@pytest.mark.versus("decode_torchvision", peer="torchvision", gated=False)
def test_decode_against_torchvision(contest, pool, some_frames: list[Path]) -> None:
    """640x360 to 128x128 grey."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    contest(ours=lambda: decode(some_frames), plain=lambda: list(pool.map(by_torchvision, some_frames)))
    torch.set_num_threads(before)


def decode(frames: list[Path]) -> Frame:
    return _core.decode_frames(frames, SIZE, SIZE, threads=THREADS)[0]


def decode_rgb(frames: list[Path]) -> Frame:
    return _core.decode_frames(frames, 360, 640, "rgb", threads=THREADS)[0]


def by_pillow(path: Path) -> Frame:
    with Image.open(path) as image:
        return np.asarray(image.convert("L").resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def by_pillow_draft(path: Path) -> Frame:
    with Image.open(path) as image:
        image.draft("L", (SIZE, SIZE))
        return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def rgb_by_pillow(path: Path) -> Frame:
    with Image.open(path) as image:
        return np.asarray(image)


def by_opencv(path: Path) -> Frame:
    return shrunk(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))


def by_opencv_half(path: Path) -> Frame:
    return shrunk(cv2.imread(str(path), cv2.IMREAD_REDUCED_GRAYSCALE_2))


def rgb_by_opencv(path: Path) -> Frame:
    return cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)


def by_simplejpeg(path: Path) -> Frame:
    import simplejpeg

    grey = simplejpeg.decode_jpeg(path.read_bytes(), "GRAY", min_height=SIZE, min_width=SIZE)
    return shrunk(grey[..., 0])


def by_torchvision(path: Path) -> Frame:
    from torchvision.io import ImageReadMode, decode_jpeg, read_file

    return shrunk(decode_jpeg(read_file(str(path)), mode=ImageReadMode.GRAY)[0].numpy())


def shrunk(grey: Frame) -> Frame:
    return cv2.resize(grey, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
