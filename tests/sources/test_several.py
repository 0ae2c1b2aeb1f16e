"""Several video files decoded at once: strictly in order, few of them open, little waiting, nothing left behind."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import numpy as np
import pytest

from films import walk, write_film
from frame_files import write_video
from pixelfast.errors import LostFootageError
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.sources import Chunk, Video, VideoFile, open_source
from pixelfast.sources.several import AHEAD_BYTES, in_turn
from pixelfast.training.cache import FrameCache


class Drawn(VideoFile):
    """A file that is drawn: it tells when it is opened and closed, and how much of it was asked for."""

    open, most, lock = 0, 0, threading.Lock()

    def __init__(self, number: int, pieces: int = 3) -> None:
        super().__init__(Path(f"{number}.mp4"))
        self.pieces, self.made = pieces, 0

    def chunks(self, *_: object, **__: object) -> Iterator[Chunk]:
        with Drawn.lock:
            Drawn.open += 1
            Drawn.most = max(Drawn.most, Drawn.open)
        try:
            for made in range(self.pieces):
                self.made = made + 1
                time.sleep(0.0005)
                yield Chunk(np.arange(1), np.zeros((1, 4, 4), np.uint8), np.zeros(1, np.uint8))
        finally:
            with Drawn.lock:
                Drawn.open -= 1


def turns(
    videos: list[Video], threads: int = 2, nbytes: int = 1 << 20
) -> AbstractContextManager[Iterator[tuple[Video, Iterator[Chunk]]]]:
    def chunks(video: Video) -> Iterator[Chunk]:
        return video.chunks(32, 32, "grey", 7, 2)

    return closing(in_turn(videos, chunks, lambda video: video, threads=threads, chunk_bytes=nbytes))


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    Drawn.open = Drawn.most = 0
    yield
    assert Drawn.open == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "pixelfast-readahead"]


def waited_for(truth: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not truth() and time.monotonic() < deadline:
        time.sleep(0.01)
    return truth()


@pytest.mark.parametrize(("threads", "most"), [(1, 2), (2, 2), (8, 3), (64, 4)])
def test_of_many_files_a_few_are_open(threads: int, most: int) -> None:
    videos: list[Video] = [Drawn(number) for number in range(300)]
    with turns(videos, threads) as taken:
        assert [(video, len(list(chunks))) for video, chunks in taken] == [(video, 3) for video in videos]
    assert 1 < Drawn.most <= most


def test_the_next_file_is_begun_and_waits_by_bytes() -> None:
    first, second, third = (Drawn(number, pieces=1000) for number in range(3))
    with turns([first, second, third], nbytes=4 << 20) as taken:
        next(taken)
        depth = AHEAD_BYTES // (4 << 20) // 2
        assert waited_for(lambda: first.made == second.made == depth + 1)  # one in hand
        time.sleep(0.1)
        assert (first.made, second.made, third.made) == (depth + 1, depth + 1, 0)


def test_a_reader_that_leaves_a_file_gets_the_next() -> None:
    videos: list[Video] = [Drawn(number, pieces=1000) for number in range(5)]
    with turns(videos) as taken:
        assert [video for video, chunks in taken if next(chunks)] == videos
    with pytest.raises(KeyboardInterrupt), turns(videos) as taken:
        for _ in taken:
            raise KeyboardInterrupt


def test_what_goes_wrong_is_raised_at_its_place(tmp_path: Path) -> None:
    write_film(tmp_path / "a.mp4", walk(40))
    (tmp_path / "b.mp4").write_bytes(b"no film")
    write_film(tmp_path / "c.mp4", walk(40, seed=1))
    read = []
    with turns([VideoFile(tmp_path / f"{name}.mp4") for name in "abc"]) as taken:
        for video, chunks in taken:
            try:
                read.append((video.name, sum(len(chunk.frames) for chunk in chunks)))
            except LostFootageError:
                read.append((video.name, -1))
    assert read == [("a", 40), ("b", -1), ("c", 40)]


def test_frames_are_those_of_one_file_after_another(tmp_path: Path) -> None:
    for number in range(6):
        if number == 3:
            write_video(tmp_path / "3", walk(20, seed=3))
        else:
            write_film(tmp_path / f"{number}.mp4", walk(20 + 9 * number, seed=number))
    videos = open_source(tmp_path)
    assert [video.name for video in videos] == list("012345")
    expected = [np.concatenate([chunk.frames for chunk in video.chunks(32, 32, "grey", 64, 1)]) for video in videos]
    with turns(list(videos)) as taken:
        for (video, chunks), frames in zip(taken, expected, strict=True):
            assert (np.concatenate([chunk.frames for chunk in chunks]) == frames).all(), video.name
    cache = FrameCache.build(videos, tmp_path / "frames.u8", 32, 32, threads=2)
    assert (cache.frames == np.concatenate(expected)).all()


def test_a_phase_of_two_threads_counts_once() -> None:
    watch = Stopwatch()

    def work() -> None:
        with watch.phase("decode", 5):
            time.sleep(0.2)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.2 <= watch.seconds()["decode"] < 0.5
    assert watch.profile(2).rows[0].nbytes == 15
