"""Decoding 640x360 JPEG files to 128x128 grey on two threads, against Pillow and OpenCV in pools of two."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pixelfast import _core

THREADS = 2
SIZE = 128


@pytest.mark.versus("decode_pillow")
def test_decode_against_pillow(contest, frames: list[Path]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        contest(ours=lambda: decode(frames), plain=lambda: list(pool.map(by_pillow, frames)), rounds=2)


@pytest.mark.versus("decode_opencv")
def test_decode_against_opencv(contest, frames: list[Path]) -> None:
    cv2.setNumThreads(1)  # the pool has the threads
    with ThreadPoolExecutor(THREADS) as pool:
        contest(ours=lambda: decode(frames), plain=lambda: list(pool.map(by_opencv, frames)), rounds=2)


def decode(frames: list[Path]) -> NDArray[np.uint8]:
    return _core.decode_frames(frames, SIZE, SIZE, threads=THREADS)[0]


def by_pillow(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("L").resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def by_opencv(path: Path) -> NDArray[np.uint8]:
    return cv2.resize(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
