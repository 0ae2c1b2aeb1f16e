"""What is lost beside a gap is repaired from its own side, where any frame of it can be read."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.model import Model
from pixelfast.sources import READ, TRUNCATED, UNREADABLE, Chunk, FolderVideo, Repair
from pixelfast.sources.repair import stand_ins
from tiny_engines import SIZE


def plain_stand_ins(status: list[int], stretches: list[int]) -> list[int]:
    """The rule: of the readable frames of its own stretch, else of all, the last one before, else the next."""
    everywhere = [at for at, code in enumerate(status) if code != UNREADABLE]
    chosen = []
    for frame, stretch in enumerate(stretches):
        near = [at for at in everywhere if stretches[at] == stretch] or everywhere
        chosen.append(max((at for at in near if at <= frame), default=near[0]))
    return chosen


@given(
    st.lists(st.lists(st.sampled_from([READ, TRUNCATED, UNREADABLE]), min_size=3, max_size=9), max_size=6), st.data()
)
def test_by_the_plain_rule_for_any_chunks(statuses: list[list[int]], data: st.DataObject) -> None:
    status = [READ, READ, *(code for some in statuses for code in some)]
    if data.draw(st.booleans()):
        status[:2] = [UNREADABLE] * 2
    stretches = [0, 0, *(number for number, some in enumerate(statuses) for _ in some)]
    codes, count = np.array(status, np.uint8), len(status)
    video = FolderVideo(Path("nowhere"), [f"{at + 1000 * stretch}.jpg" for at, stretch in enumerate(stretches)])
    vars(video)["starts"] = tuple(at for at in range(1, count) if stretches[at] != stretches[at - 1])
    frames = np.arange(1, count + 1, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 3), np.uint8)
    frames[codes == UNREADABLE] = 0
    cuts = sorted({0, count, *data.draw(st.lists(st.integers(1, count), max_size=9))})
    whole = Chunk(np.arange(count), frames, codes, np.arange(count) / 25, bytes(32 * count))
    repair = Repair(video)
    chunks = (whole.cut(start, stop) for start, stop in pairwise(cuts))
    if min(status) == UNREADABLE:
        with pytest.raises(pixelfast.LostFootageError):
            list(repair.run(chunks))
        return
    repaired, expected = list(repair.run(chunks)), plain_stand_ins(status, stretches)
    assert stand_ins(codes, video.starts).tolist() == expected
    assert (np.concatenate([one.frames for one in repaired])[:, 0, 0] - 1).tolist() == expected
    assert np.concatenate([one.frame_ids for one in repaired]).tolist() == list(range(count))
    assert np.concatenate([one.status for one in repaired]).tolist() == status
    assert b"".join(one.digests for one in repaired) == whole.digests
    assert [repair.unreadable, repair.truncated] == [status.count(UNREADABLE), status.count(TRUNCATED)]


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_from_files_to_scores(make_source: Callable[..., Path], model: Model, tmp_path: Path, chunk: int) -> None:
    """The frames after a gap are scored as if its first readable one had stood there from the start."""
    drawn = walking_square(60, 1, SIZE)
    source = make_source(a=drawn) / "a"
    names = sorted(source.iterdir())
    for late in names[30:]:
        late.rename(source / f"frame_{int(late.stem[-4:]) + 5000:04d}.png")
    names = sorted(source.iterdir())
    for path in names[30:32]:
        path.write_bytes(b"")
    scores = pixelfast.score(source, model.folder, flip="never", chunk=chunk)
    expected = drawn.copy()
    expected[30:32] = drawn[32]
    write_video(tmp_path / "mended" / "b", expected[30:])
    mended = pixelfast.score(tmp_path / "mended" / "b", model.folder, flip="never")
    np.testing.assert_array_equal(scores.raw[30:], mended.raw)
    assert np.flatnonzero(scores.repaired).tolist() == [30, 31]
    pixelfast.clean(source, model.folder, tmp_path / "out", flip="never")
    cleaned = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.png")}
    assert cleaned[names[30].name] == cleaned[names[31].name] == cleaned[names[32].name] == names[32].read_bytes()
