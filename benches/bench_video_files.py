"""Video files to small grey frames, against FFmpeg's own decoding of them to nowhere, with the same threads."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from films import write_film
from pixelfast.sources import Chunk, VideoFile
from pixelfast.sources.several import in_turn
from threads import THREADS

SIZE = 128
PIECE = 16
"""Frames that a run on two threads decodes at a time."""

FILES, CLIPS = 3, 40


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
        if name == "h264":
            made["clip"] = write_film(folder / "clip.mp4", luma[:25], codec=codec)
    return made


def ours(films: Sequence[Path]) -> int:
    """As a run decodes them: the next file is begun while one is read."""

    def chunks(film: Path) -> Iterator[Chunk]:
        return VideoFile(film).chunks(SIZE, SIZE, chunk=PIECE, threads=THREADS)

    turns = in_turn(films, chunks, VideoFile, threads=THREADS, chunk_bytes=PIECE * SIZE * SIZE)
    return sum(len(chunk.frames) for _, decoded in turns for chunk in decoded)


def to_nowhere(films: Sequence[Path]) -> int:
    """One after another, each on all threads."""
    frames = 0
    for film in films:
        with av.open(str(film)) as file:
            stream = file.streams.video[0]
            stream.thread_type, stream.codec_context.thread_count = "AUTO", THREADS
            frames += sum(len(packet.decode()) for packet in file.demux(stream))
    return frames


@pytest.mark.versus("video_files", peer="FFmpeg to nowhere")
def test_small_files(contest, films: dict[str, Path]) -> None:
    """Files of 640x360 H.264 to 128x128 grey."""
    some = [films["h264"]] * FILES
    contest(ours=lambda: ours(some), plain=lambda: to_nowhere(some), rounds=2)


@pytest.mark.versus("video_files_720p", peer="FFmpeg to nowhere")
def test_large_files(contest, films: dict[str, Path]) -> None:
    """Files of 1280x720 H.264 to 128x128 grey."""
    some = [films["h264_720p"]] * FILES
    contest(ours=lambda: ours(some), plain=lambda: to_nowhere(some), rounds=2)


@pytest.mark.versus("video_files_mpeg4", peer="FFmpeg to nowhere", gated=False)
def test_old_files(contest, films: dict[str, Path]) -> None:
    """Files of 640x360 MPEG-4 to 128x128 grey, which takes FFmpeg a third of a millisecond a frame."""
    some = [films["mpeg4"]] * FILES
    contest(ours=lambda: ours(some), plain=lambda: to_nowhere(some), rounds=2)


@pytest.mark.versus("video_clips", peer="FFmpeg to nowhere")
def test_short_clips(contest, films: dict[str, Path]) -> None:
    """Many clips of 25 frames of 640x360 H.264 to 128x128 grey."""
    some = [films["clip"]] * CLIPS
    contest(ours=lambda: ours(some), plain=lambda: to_nowhere(some), rounds=2)


@pytest.mark.versus("video_file_alone", peer="FFmpeg to nowhere")
def test_one_file(contest, films: dict[str, Path]) -> None:
    """One file of 640x360 H.264 to 128x128 grey, as of a long one the next can only be begun."""
    some = [films["h264"]]
    contest(ours=lambda: ours(some), plain=lambda: to_nowhere(some), rounds=4)
