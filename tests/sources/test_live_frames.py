"""Frames that come as arrays are made the same of as frames in files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixelfast import _core
from pixelfast.errors import SourceError
from pixelfast.sources import Color, Video
from pixelfast.sources.live import LiveVideo

SIDES = st.integers(1, 40)


@given(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES), st.sampled_from([(), (3,)]), st.sampled_from(["grey", "rgb"]))
def test_sizes_and_colors_are_made_as_the_decoder_does(
    tmp_path_factory: pytest.TempPathFactory,
    size: tuple[int, int],
    wanted: tuple[int, int],
    channels: tuple[int, ...],
    color: Color,
) -> None:
    frame = np.random.default_rng(size).integers(0, 256, (*size, *channels), np.uint8)
    path: Path = tmp_path_factory.getbasetemp() / "live.png"
    Image.fromarray(frame).save(path)
    expected, _ = _core.decode_frames([path], *wanted, color)
    [chunk] = LiveVideo([frame], 64).chunks(*wanted, color)
    np.testing.assert_array_equal(chunk.frames, expected)
    assert chunk.frames.flags.c_contiguous


@given(st.integers(0, 40), st.integers(1, 300), st.integers(1, 20))
def test_every_frame_comes_once_in_order(count: int, chunk: int, most: int) -> None:
    frames = [np.full((2, 2), index, np.uint8) for index in range(count)]
    video = LiveVideo([(float(index), frame) for index, frame in enumerate(frames)], chunk)
    assert isinstance(video, Video) and video.length is None
    if not video.begins():
        assert count == 0
        return
    chunks = list(video.chunks(None, None, "grey", most))
    assert [int(frame[0, 0]) for one in chunks for frame in one.frames] == list(range(count))
    assert [frame for one in chunks for frame in one.frame_ids.tolist()] == list(range(count))
    assert [time for one in chunks if one.seconds is not None for time in one.seconds.tolist()] == list(range(count))
    assert max(len(one.frames) for one in chunks) <= min(most, 8)


def test_no_more_frames_are_taken_than_are_needed() -> None:
    taken = []
    frames = (taken.append(index) or np.zeros((2, 2), np.uint8) for index in range(100))
    chunks = LiveVideo(frames, 64).chunks(2, 2)
    next(chunks)
    assert len(taken) == 4
    with pytest.raises(SourceError, match="ends before its first frame"):
        LiveVideo([], 1).size()
