"""Frames of a folder, chunk by chunk."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from frame_folders import make_frames, names_of
from pixelfast import _core
from pixelfast.errors import SourceError
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.sources import open_source
from pixelfast.sources.decoding import DecodeSettings
from pixelfast.sources.video import FrameFormat


@pytest.mark.parametrize("chunk", [1, 3, 64])
def test_chunks_hold_all_frames_in_order(tmp_path: Path, chunk: int) -> None:
    folder = make_frames(tmp_path / "v", [f"{number}.png" for number in range(3, 10)], size=(20, 30))
    (video,) = open_source(folder)
    chunks = list(video.chunks(24, 16, chunk=chunk))
    assert [len(one.status) for one in chunks] == [min(chunk, 7 - start) for start in range(0, 7, chunk)]
    assert np.concatenate([one.frame_ids for one in chunks]).tolist() == list(range(3, 10))
    frames = np.concatenate([one.frames for one in chunks])
    assert (frames.shape, frames.dtype) == ((7, 24, 16), np.uint8)
    assert np.array_equal(frames, np.broadcast_to(np.arange(7)[:, None, None] * 10, frames.shape))
    assert all(one.seconds is None and not one.status.any() for one in chunks)


def test_the_size_is_kept_where_none_is_given(tmp_path: Path) -> None:
    folder = make_frames(tmp_path / "v", ["2.png", "3.png"], size=(20, 30))
    (folder / "1.png").touch()
    (video,) = open_source(folder)
    assert video.size() == (30, 20)
    frames = [chunk.frames for chunk in video.chunks(None, None, color="rgb", chunk=1)]
    assert [one.shape for one in frames] == [(1, 30, 20, 3)] * 3
    assert [one.max() for one in frames] == [0, 0, 10]


def test_mixed_sizes_are_refused_where_the_size_is_kept(tmp_path: Path) -> None:
    folder = make_frames(tmp_path / "v", ["1.png"], size=(20, 30))
    Image.new("L", (40, 30)).save(folder / "2.png")
    (video,) = open_source(folder)
    with pytest.raises(SourceError, match=r"2\.png is 40x30 pixels, but the first frame of its video is 20x30: make"):
        list(video.chunks(None, None))
    assert [chunk.frames.shape for chunk in video.chunks(16, 16)] == [(2, 16, 16)]


def test_a_video_without_a_readable_frame_has_no_size(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    folder.mkdir()
    (folder / "1.jpg").touch()
    (folder / "2.jpg").write_text("no image")
    (video,) = open_source(folder)
    with pytest.raises(SourceError, match=r"holds no frame that can be read: .*1\.jpg is empty \(0 bytes\)\. Copy"):
        video.size()


@pytest.mark.parametrize("arguments", [{"chunk": 0}, {"height": 3, "width": None}])
def test_impossible_chunks_are_refused_at_once(tmp_path: Path, arguments: dict[str, int | None]) -> None:
    (video,) = open_source(make_frames(tmp_path / "v", ["1.png"]))
    with pytest.raises(ValueError, match=r"chunk must be at least 1|height and width go together"):
        video.chunks(**{"height": 8, "width": 8} | arguments)  # type: ignore[arg-type]


def test_the_fingerprint_goes_with_content_and_names(tmp_path: Path) -> None:
    def fingerprint(folder: Path) -> bytes:
        (video,) = open_source(folder)
        return video.fingerprint()

    first = fingerprint(make_frames(tmp_path / "a", ["1.png", "2.png"]))
    assert fingerprint(make_frames(tmp_path / "b", ["1.png", "2.png"])) == first
    assert fingerprint(make_frames(tmp_path / "c", ["2.png", "1.png"])) != first
    assert fingerprint(make_frames(tmp_path / "d", ["1.png", "3.png"])) != first
    assert fingerprint(make_frames(tmp_path / "e", ["1.png", "2.png", "3.png"])) != first


PED2 = Path(__file__).parents[3] / "shared" / "data" / "ped2"


@pytest.mark.data
@pytest.mark.skipif(not PED2.is_dir(), reason="needs ../shared/data/ped2")
def test_real_footage_is_read_as_it_lies() -> None:
    videos = open_source(PED2 / "testing")
    assert names_of(videos) == ["01", "04", "06", "07", "10", "12"]
    (chunk, *_) = videos[0].chunks(None, None, chunk=4)
    assert chunk.frames.shape == (4, 240, 360)
    assert chunk.frame_ids.tolist() == [0, 1, 2, 3]
    pixels = np.asarray(Image.open(videos[0].describe(0)).convert("L"), dtype=np.float64)
    assert abs(chunk.frames[0] - pixels).mean() < 0.15
    assert not any(one.status.any() for video in videos for one in video.chunks(16, 16))


@pytest.mark.parametrize(
    ("threads", "frame_bytes", "piece", "depth"),
    [(1, 128**2, 16, 32), (2, 128**2, 16, 32), (16, 128**2, 128, 4), (64, 128**2, 512, 2), (16, 3 << 20, 16, 2)],
)
def test_a_piece_grows_with_the_threads_and_is_bounded_by_memory(
    threads: int, frame_bytes: int, piece: int, depth: int
) -> None:
    settings = DecodeSettings(lambda _: FrameFormat(128, 128), frame_bytes, threads, Stopwatch())
    assert (settings.piece, settings.depth) == (piece, depth)


@pytest.mark.parametrize(("threads", "cores", "at_once"), [(2, 2, 1), (7, 2, 1), (8, 2, 2), (8, 16, 1), (None, 16, 2)])
def test_of_many_threads_the_next_piece_is_begun_before_the_last_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int | None, cores: int, at_once: int
) -> None:
    monkeypatch.setattr("pixelfast.sources.folder.usable_cores", lambda: cores)
    real, begun = _core.decode_frames, list[str]()

    def told(files: list[str], *rest: Any, **more: Any) -> Any:
        begun.append(files[0])
        return real(files, *rest, **more)

    monkeypatch.setattr(_core, "decode_frames", told)
    folder = make_frames(tmp_path / "v", [f"{number}.png" for number in range(20)], size=(8, 8))
    (video,) = open_source(folder)
    chunks = video.chunks(8, 8, "grey", 4, threads)
    next(chunks)
    deadline = time.monotonic() + 5
    while len(begun) < at_once and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(begun) == at_once
    assert sum(len(chunk.frames) for chunk in chunks) == 16
