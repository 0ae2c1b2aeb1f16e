"""What is read of a live source, tried on files that come as one: stretches, what stands before them, what hangs."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from films import walk, write_film
from pixelfast.options import USUAL_READING
from pixelfast.sources import feed as feeds
from pixelfast.sources import reader as readers
from pixelfast.sources.camera import CameraAddress
from pixelfast.sources.feed import Feed
from pixelfast.sources.film import _opened
from pixelfast.sources.reader import CameraVideo, ReadPlan, Taken
from pixelfast.sources.video import FrameFormat
from pixelfast.sources.video_file import VideoFile

SIZE = (48, 64)


class Read:
    """All stretches of a feed: their sizes, and their frames by number."""

    def __init__(self, address: str, pace: float | None = None, *, stop_after: int | None = None) -> None:
        self.said, self.taken, self.sizes, self.frames = list[str](), list[Taken](), list[Any](), list[Any]()
        self.rates = list[float | None]()

        def paced(rate: float | None) -> float | None:
            self.rates.append(rate)
            return pace

        plan = ReadPlan(USUAL_READING, 2, 16, lambda _: FrameFormat(*SIZE), paced)
        live = CameraAddress(address, "rtsp://cam", True)
        self.feed = Feed(live, plan, self.said.append, self.taken.append, keep_trying=False)
        for video in self.feed.stretches():
            self._go_through(video)
            if len(self.taken) >= (stop_after or 1):
                self.feed.stop()

    def _go_through(self, video: CameraVideo) -> None:
        self.sizes.append(video.size())
        chunks = list(video.chunks(*SIZE, chunk=16))
        self.frames.append((np.concatenate([one.frame_ids for one in chunks]), [*chunks]))

    def pixels(self) -> Any:
        return np.concatenate([chunk.frames for _, chunks in self.frames for chunk in chunks])


@pytest.fixture(autouse=True)
def _files_are_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "open_camera", lambda camera: _opened(Path(camera.address)))


def test_pixels_and_times_are_those_of_the_file(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", walk(60))
    read, whole = Read(str(film)), list(VideoFile(film).chunks(*SIZE))
    np.testing.assert_array_equal(read.pixels(), np.concatenate([one.frames for one in whole]))
    seconds = np.concatenate([one.seconds for one in whole if one.seconds is not None])
    assert [one.seconds for one in read.taken] == seconds.tolist()
    assert read.rates == [25.0] and read.feed.dropped == 0


def test_a_change_of_size_begins_a_stretch(tmp_path: Path) -> None:
    both = tmp_path / "both.ts"
    small = write_film(tmp_path / "a.ts", walk(20), codec="mpeg2video")
    large = write_film(tmp_path / "b.ts", walk(20, 192, 256), codec="mpeg2video")
    both.write_bytes(small.read_bytes() + large.read_bytes())
    read = Read(str(both), stop_after=30)
    assert read.sizes == [(96, 128), (192, 256)]
    (first, _), (second, _) = read.frames
    assert first.tolist() == list(range(len(first))) and second[0] == first[-1] + 1


def test_it_begins_with_the_first_whole_picture(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.ts", walk(60), options={"g": "20", "bf": "0", "x264-params": "repeat-headers=1"})
    data = film.read_bytes()
    film.write_bytes(data[len(data) // 4 // 188 * 188 :])  # in the middle of the first group of pictures
    read = Read(str(film))
    chunks = [chunk for _, chunks in read.frames for chunk in chunks]
    assert chunks[0].status[0] == 0
    first = VideoFile(film)
    status = np.concatenate([one.status for one in first.chunks(*SIZE)])
    assert chunks[0].frame_ids[0] == np.flatnonzero(status == 0)[0] > 0


def test_frames_are_taken_at_the_pace_that_is_wanted(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", walk(60), rate=30)
    video = VideoFile(film)
    video.taken = 12.0
    expected = np.concatenate([one.frame_ids for one in video.chunks(*SIZE)])
    assert [one.number for one in Read(str(film), 12.0).taken] == expected.tolist()


def test_what_hangs_without_a_word_counts_as_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film, wakes, opened = write_film(tmp_path / "a.mp4", walk(20)), threading.Event(), list[int]()

    def hangs_at_first(camera: CameraAddress) -> Any:
        opened.append(1)
        if len(opened) == 2:
            wakes.wait(30)
        return _opened(Path(camera.address))

    monkeypatch.setattr(readers, "open_camera", hangs_at_first)
    monkeypatch.setattr(feeds, "_STUCK_SECONDS", 0.5)
    monkeypatch.setattr(feeds, "_FIRST_PAUSE", 0.1)
    began = time.monotonic()
    read = Read(str(film), stop_after=40)
    wakes.set()
    assert time.monotonic() - began < 10
    assert any("is lost (no picture for 0.5 seconds)" in one for one in read.said)
    assert [one.number for one in read.taken] == list(range(40))
    assert read.feed.reconnects == 1
