"""The frame cache: what is kept, what is held out, what is repaired, and what cannot be opened."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from footage import DrawnVideo, walking_square
from pixelfast.errors import DecodeError, ModelError, OutputError
from pixelfast.progress import Progress
from pixelfast.sources import Video, open_source
from pixelfast.training.cache import FrameCache


def numbered(lengths: list[int], size: int = 4) -> list[Video]:
    """Videos whose frames all differ."""
    rng = np.random.default_rng(sum(lengths))
    return [
        DrawnVideo(f"{i:02d}", rng.integers(0, 256, (n, size, size), dtype=np.uint8)) for i, n in enumerate(lengths)
    ]


def build(videos: list[Video], folder: Path, size: int = 4) -> FrameCache:
    return FrameCache.build(videos, folder / "frames.u8", size, size)


def test_cache_holds_the_decoded_frames_of_a_folder(tmp_path: Path) -> None:
    drawn = walking_square(20)
    for name in ("a", "b"):
        (tmp_path / "normal" / name).mkdir(parents=True)
        for index, frame in enumerate(drawn):
            Image.fromarray(frame).save(tmp_path / "normal" / name / f"frame_{index:04d}.png")
    steps: list[Progress] = []
    videos = open_source(tmp_path / "normal")
    cache = FrameCache.build(videos, tmp_path / "frames.u8", threads=1, progress=steps.append)
    np.testing.assert_array_equal(cache.frames, np.concatenate([drawn, drawn]))
    assert [(video.name, video.offset, video.length) for video in cache.videos] == [("a", 0, 20), ("b", 20, 20)]
    assert (steps[-1].phase, steps[-1].done, steps[-1].total) == ("decode", 40, 40)
    assert not cache.frames.flags.writeable


@settings(max_examples=60, deadline=None)
@given(lengths=st.lists(st.integers(0, 400), min_size=1, max_size=6), stride=st.integers(1, 5))
def test_windows_stay_in_their_video_and_out_of_held_out_frames(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], stride: int
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    if max(lengths) < 16:
        with pytest.raises(ModelError, match="too short"):
            build(numbered(lengths), folder)
        return
    cache = build(numbered(lengths), folder)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    train, held_out = cache.train_frame_ids(), cache.held_out_frame_ids()
    long_enough = np.array(lengths) >= 16
    assert sorted([*train, *held_out]) == np.flatnonzero(long_enough[owner]).tolist()
    for starts, allowed in ((cache.train_windows(stride), train), (cache.held_out_windows(stride), held_out)):
        windows = starts[:, None] + np.arange(16)
        assert np.isin(windows, allowed).all()
        assert (owner[windows] == owner[windows[:, :1]]).all()
    assert len(cache.train_windows()) > 0
    assert sum(len(frames) for _, frames in cache.held_out()) == len(held_out)


@pytest.mark.parametrize(
    ("length", "held_out"), [(16, 0), (31, 0), (32, 16), (160, 16), (161, 17), (200, 20), (1001, 101)]
)
def test_last_tenth_is_held_out_but_no_less_than_a_window(tmp_path: Path, length: int, held_out: int) -> None:
    cache = build(numbered([length]), tmp_path)
    assert cache.videos[0].held_out == held_out
    assert cache.held_out_frame_ids().tolist() == list(range(length - held_out, length))
    assert cache.train_windows(2).tolist() == list(range(0, length - held_out - 15, 2))


def test_whole_videos_are_held_out_where_all_are_short(tmp_path: Path) -> None:
    cache = build(numbered([20] * 12), tmp_path)
    assert [video.held_out for video in cache.videos] == [0] * 10 + [20] * 2


def test_unreadable_frames_become_their_neighbours(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    drawn = numbered([40])[0].drawn  # type: ignore[attr-defined]
    cache = build([DrawnVideo("7", drawn, unreadable=[0, 1, 20, 21, 39])], tmp_path)
    expected = drawn.copy()
    expected[[0, 1, 20, 21, 39]] = drawn[[2, 2, 19, 19, 38]]
    np.testing.assert_array_equal(cache.frames, expected)
    assert "5 unreadable" in cache.notes[0]
    assert "7/frame_0000.png is empty (0 bytes)" in cache.notes[0]
    assert cache.notes[0] in caplog.messages


def test_video_without_a_readable_frame_is_named(tmp_path: Path) -> None:
    videos = [*numbered([20]), DrawnVideo("broken", np.zeros((20, 4, 4), np.uint8), unreadable=range(20))]
    with pytest.raises(DecodeError, match=r"broken/frame_0000.png is empty"):
        build(videos, tmp_path)
    assert not list(tmp_path.iterdir())


def test_videos_of_unknown_length_are_taken(tmp_path: Path) -> None:
    drawn = numbered([300])[0].drawn  # type: ignore[attr-defined]
    cache = build([DrawnVideo("stream", drawn, length_known=False)], tmp_path)
    np.testing.assert_array_equal(cache.frames, drawn)


def test_short_videos_are_left_out_aloud(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "pixelfast"):
        cache = build(numbered([15, 20, 3]), tmp_path)
    assert [(video.name, video.offset) for video in cache.videos] == [("01", 15)]
    assert "00 (15), 02 (3)" in cache.notes[0]
    assert cache.notes[0] in caplog.messages


def test_only_short_videos_are_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"00 \(15\), 01 \(2\); training needs videos of at least 16 frames"):
        build(numbered([15, 2]), tmp_path)


def test_cache_opens_again_with_the_same_digest(tmp_path: Path) -> None:
    built = build(numbered([40, 20]), tmp_path)
    opened = FrameCache.open(built.path)
    np.testing.assert_array_equal(opened.frames, built.frames)
    assert (opened.videos, opened.digest, opened.notes) == (built.videos, built.digest, built.notes)
    other = tmp_path / "other"
    other.mkdir()
    assert build(numbered([40, 21]), other).digest != built.digest


def test_interrupted_build_leaves_nothing_to_open(tmp_path: Path) -> None:
    cache = build(numbered([40]), tmp_path)

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FrameCache.build(numbered([50]), cache.path, 4, 4, progress=interrupt)
    with pytest.raises(ModelError, match="there is no frame cache at"):
        FrameCache.open(cache.path)


def damage_index(path: Path) -> None:
    path.with_suffix(".json").write_text("{")


def age_index(path: Path) -> None:
    path.with_suffix(".json").write_text(json.dumps({"format": 0}))


def cut_frames(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-16])


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (damage_index, "frames.json is damaged"),
        (age_index, "frames.json was written by another version"),
        (cut_frames, "frames.u8 is not what its index says"),
        (Path.unlink, "frames.u8 is not what its index says"),
    ],
)
def test_damaged_caches_are_refused(tmp_path: Path, harm: "object", sentence: str) -> None:
    cache = build(numbered([40]), tmp_path)
    harm(cache.path)  # type: ignore[operator]
    with pytest.raises(ModelError, match=sentence):
        FrameCache.open(cache.path)


def test_unwritable_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no folder"):
        build(numbered([40]), tmp_path / "nowhere")
