"""Repair: made-up chunks against the rule, and real broken files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from frame_folders import make_frames
from pixelfast.errors import DecodeError
from pixelfast.sources import READ, TRUNCATED, UNREADABLE, Chunk, FolderVideo, Repair, Video, open_source


def repair_all(frames: np.ndarray, status: np.ndarray) -> np.ndarray:
    """The rule, frame by frame: the nearest earlier readable one, else the next."""
    readable = [at for at in range(len(status)) if status[at] != UNREADABLE]
    sources = [max((at for at in readable if at <= n), default=readable[0]) for n in range(len(status))]
    return frames[sources]


@given(
    status=st.lists(st.sampled_from([READ, TRUNCATED, UNREADABLE]), min_size=1, max_size=40),
    cuts=st.lists(st.integers(1, 9), min_size=40, max_size=40),
    frozen=st.booleans(),
)
def test_repair_takes_the_nearest_earlier_frame_else_the_next(status: list[int], cuts: list[int], frozen: bool) -> None:
    codes = np.array(status, dtype=np.uint8)
    frames = np.arange(1, len(codes) + 1, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 3), dtype=np.uint8)
    frames[codes == UNREADABLE] = 0
    frames.flags.writeable = not frozen
    expected = None if (codes == UNREADABLE).all() else repair_all(frames, codes)
    chunks, start = [], 0
    for cut in cuts:
        part = slice(start, start + cut)
        if start < len(codes):
            chunks.append(Chunk(np.arange(len(codes))[part], frames[part], codes[part]))
        start += cut
    repair = Repair(FolderVideo(Path("nowhere"), [f"{at}.jpg" for at in range(len(codes))]))
    if expected is None:
        with pytest.raises(DecodeError, match="no frame of video nowhere can be read"):
            list(repair.run(chunks))
        return
    repaired = list(repair.run(chunks))
    assert np.array_equal(np.concatenate([one.frames for one in repaired]), expected)
    assert [len(one.frames) for one in repaired] == [len(one.status) for one in chunks]
    assert np.concatenate([one.status for one in repaired]).tolist() == status
    assert np.concatenate([one.frame_ids for one in repaired]).tolist() == list(range(len(codes)))
    assert (repair.truncated, repair.unreadable) == (status.count(TRUNCATED), status.count(UNREADABLE))
    assert (repair.sentence() is None) == (not any(status))


@pytest.fixture
def broken(tmp_path: Path) -> Video:
    """Seven frames: empty, text, good, truncated, empty, good, good."""
    folder = make_frames(tmp_path / "v", [f"{number}.jpg" for number in range(7)], size=(64, 64))
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "3.jpg")
    (folder / "3.jpg").write_bytes((folder / "3.jpg").read_bytes()[:-800])
    (folder / "0.jpg").write_bytes(b"")
    (folder / "1.jpg").write_text("this is a text")
    (folder / "4.jpg").write_bytes(b"")
    (video,) = open_source(folder)
    return video


@pytest.mark.parametrize("chunk", [1, 2, 7])
def test_real_broken_files_are_repaired_and_reported(broken: Video, chunk: int) -> None:
    decoded = np.concatenate([one.frames for one in broken.chunks(32, 32, chunk=chunk)])
    repair = Repair(broken)
    chunks = list(repair.run(broken.chunks(32, 32, chunk=chunk)))
    assert np.concatenate([one.status for one in chunks]).tolist() == [2, 2, 0, 1, 2, 0, 0]
    assert np.array_equal(np.concatenate([one.frames for one in chunks]), decoded[[2, 2, 2, 3, 3, 5, 6]])
    sentence = repair.sentence()
    assert sentence is not None
    assert sentence.startswith("video v: 3 unreadable and 1 truncated of 7 frames were repaired (first: ")
    assert sentence.endswith("0.jpg is empty (0 bytes))")


def test_a_consumer_may_change_what_it_was_given(broken: Video) -> None:
    decoded = np.concatenate([one.frames for one in broken.chunks(32, 32)])
    taken = []
    for chunk in Repair(broken).run(broken.chunks(32, 32, chunk=1)):
        taken.append(chunk.frames.copy())
        chunk.frames[:] = 255
    assert np.array_equal(np.concatenate(taken), decoded[[2, 2, 2, 3, 3, 5, 6]])


def test_on_error_raise_names_the_file(broken: Video) -> None:
    with pytest.raises(DecodeError, match=r"v/0\.jpg is empty \(0 bytes\): mend or remove it, or let it be repaired"):
        list(Repair(broken, on_error="raise").run(broken.chunks(32, 32)))
