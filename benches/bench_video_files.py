"""Video files to small grey frames, against FFmpeg's own decoding of them to nowhere, with the same threads."""

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from films import write_film
from pixelfast.sources import VideoFile
from threads import THREADS

SIZE = 128


@pytest.fixture(scope="session")
def films(
    frames: list[Path], size: Callable[[int, int], int], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The generated video as files: as small as the frames are, and as large as cameras give."""
    folder = tmp_path_factory.mktemp("films")
    grain = np.random.default_rng(0).normal(0, 2.0, (720, 1280)).astype(np.float32)
    some = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in frames[: size(400, 200)]]
    made = {}
    for name, across, codec in (("h264", 640, "libx264"), ("h264_720p", 1280, "libx264"), ("mpeg4", 640, "mpeg4")):
        high = across * 9 // 16
        grains = (np.roll(grain, index)[:high, :across] for index in range(len(some)))
        pixels = np.stack([cv2.resize(one, (across, high)) + own for one, own in zip(some, grains, strict=True)])
        luma = (16 + pixels * (219 / 255)).clip(16, 235).astype(np.uint8)
        made[name] = write_film(folder / f"{name}.mkv", luma, codec=codec)
    return made


def ours(path: Path) -> int:
    return sum(len(chunk.frames) for chunk in VideoFile(path).chunks(SIZE, SIZE, chunk=64, threads=THREADS))


def to_nowhere(path: Path) -> int:
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "AUTO", THREADS
        return sum(len(packet.decode()) for packet in file.demux(stream))


@pytest.mark.versus("video_files", peer="FFmpeg to nowhere")
def test_small_files(contest, films: dict[str, Path]) -> None:
    """640x360 H.264 to 128x128 grey."""
    contest(ours=lambda: ours(films["h264"]), plain=lambda: to_nowhere(films["h264"]), rounds=2)


@pytest.mark.versus("video_files_720p", peer="FFmpeg to nowhere")
def test_large_files(contest, films: dict[str, Path]) -> None:
    """1280x720 H.264 to 128x128 grey."""
    contest(ours=lambda: ours(films["h264_720p"]), plain=lambda: to_nowhere(films["h264_720p"]), rounds=2)


@pytest.mark.versus("video_files_mpeg4", peer="FFmpeg to nowhere", gated=False)
def test_old_files(contest, films: dict[str, Path]) -> None:
    """640x360 MPEG-4 to 128x128 grey, which takes FFmpeg a third of a millisecond a frame."""
    contest(ours=lambda: ours(films["mpeg4"]), plain=lambda: to_nowhere(films["mpeg4"]), rounds=2)
