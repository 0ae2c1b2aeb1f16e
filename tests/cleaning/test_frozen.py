"""Footage that stands still: marks against a plain way, and what the methods make of it."""

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import pixelfast
from footage import DrawnVideo, walking_square
from frame_files import write_video
from made_scores import make_scores
from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.cleaning.frozen import LOOK, doubled_frames, equal_frames, frozen_runs, frozen_sentence
from pixelfast.flow.stream import FlowStream
from pixelfast.geometry import FLOW_SIZE
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.model import Model
from tiny_engines import SIZE


@settings(deadline=None)
@given(
    runs=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 40)), min_size=1, max_size=6),
    chunk=st.integers(1, 70),
    lost=st.sets(st.integers(0, 200), max_size=30),
)
def test_frozen_frames_are_those_of_long_runs(runs: list[tuple[int, int]], chunk: int, lost: set[int]) -> None:
    levels = np.repeat([level for level, _ in runs], [length for _, length in runs]).astype(np.uint8)
    frames = np.zeros((len(levels), 3, 3), np.uint8)
    frames[:, 2, 2] = levels
    pieces = [frames[at : at + chunk] for at in range(0, len(frames), chunk)]
    befores = [None, *(piece[-1] for piece in pieces)]
    equal = np.concatenate([equal_frames(piece, before) for piece, before in zip(pieces, befores, strict=False)])
    stand_in = np.isin(np.arange(len(frames)), list(lost))
    expected, at = [], 0
    for _, run in groupby(levels.tolist()):
        stop = at + len(list(run))
        if (~stand_in[at:stop]).sum() > (3 if stop - at == len(levels) else 25):
            expected.append((at, stop))
        at = stop
    assert frozen_runs(equal, stand_in, None) == expected


def test_a_video_of_one_picture_is_frozen_however_short() -> None:
    equal = np.arange(20) > 0
    assert frozen_runs(equal, np.zeros(20, bool), None) == [(0, 20)]
    said = frozen_sentence("a", np.arange(20) + 1, [(0, 20)])
    assert said == "video a: all 20 frames are equal, 1 to 20: a frozen camera, or a covered lens?"
    assert frozen_runs(equal[:3], np.zeros(3, bool), None) == []


def test_where_times_are_known_a_second_counts() -> None:
    equal, none = np.arange(20) > 4, np.zeros(20, bool)
    for rate, runs in ((14, [(4, 20)]), (15, []), (30, [])):
        assert frozen_runs(equal, none, np.arange(20) / rate) == runs
    assert frozen_runs(equal, none, np.full(20, np.nan)) == []
    assert frozen_sentence("a", np.arange(20), []) is None


@pytest.mark.parametrize("rate", [2, 3, 25, 5 / 4, 6 / 5, 5 / 2, 25 / 15, 30 / 24, 60 / 25])
def test_frames_of_a_conversion_are_doubled(rate: float) -> None:
    shown = (np.arange(200) / rate + 1e-9).astype(int)
    equal = np.diff(shown, prepend=-1) == 0
    np.testing.assert_array_equal(doubled_frames(equal, 0, 200), equal)
    for start, stop in ((0, 1), (17, 60), (150, 200)):
        near = equal[max(0, start - LOOK) : stop + LOOK]
        offset = start - max(0, start - LOOK)
        found = doubled_frames(near, offset, offset + stop - start)
        np.testing.assert_array_equal(found, equal[start:stop])


def test_a_scene_that_pauses_is_not() -> None:
    for pauses in ([7, 8, 20], [3], [5, 14, 19, 31, 50], [10, 11, 12, 30, 60, 61]):
        assert not doubled_frames(np.isin(np.arange(80), pauses), 0, 80).any()
    stuck = np.isin(np.arange(80), [9, *range(20, 24)])
    assert np.flatnonzero(doubled_frames(stuck, 0, 80)).tolist() == [20, 21, 22, 23]


class Counting:
    """A flow that says by how much the frames' first pixels differ."""

    color, frame_bytes = "grey", 1

    def flow(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        steps = np.diff(frames[:, 0, 0].astype(np.float32))
        return np.broadcast_to(steps[:, None, None, None], (len(steps), 2, FLOW_SIZE, FLOW_SIZE)).copy()


def flows_of(levels: list[int], chunk: int) -> list[float]:
    frames = np.array(levels, np.uint8)[:, None, None]
    usable = np.diff(levels, prepend=-1) != 0
    pieces = [Cleaned(frames[at : at + chunk], usable[at : at + chunk]) for at in range(0, len(levels), chunk)]
    flows = np.concatenate(list(FlowStream(Counting(), Stopwatch()).run(pieces)))  # type: ignore[arg-type]
    return flows[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("chunk", [1, 7, 26, 1000])
def test_flow_is_taken_across_doubled_frames_and_held_while_frozen(chunk: int) -> None:
    assert flows_of([0, 0, 4, 4, 8, 8, 12], chunk) == [2.0] * 6
    assert flows_of([0, 5, 10, *[10] * 24, 60], chunk) == [5, 5, *[2] * 25]  # 25 frames are bridged
    assert flows_of([0, 5, 10, *[10] * 600, 60, 63], chunk) == [*[5] * 603, 3]  # more are not, nor is the jump
    assert flows_of([*[9] * 300, 60, 63, *[63] * 40, 90], chunk) == [3] * 342
    assert flows_of([9] * 300, chunk) == [0] * 299


def walk(count: int) -> NDArray[np.uint8]:
    return walking_square(count, 3, SIZE)


def test_a_camera_that_stops_is_marked_and_spoken_of(model: Model, tmp_path: Path) -> None:
    half = walk(80)
    half[40:] = half[39]
    black = np.zeros((40, SIZE, SIZE), np.uint8)
    videos = [DrawnVideo("half", half), DrawnVideo("black", black), DrawnVideo("live", walk(40))]
    scores = pixelfast.score(videos, model.folder, parts=tmp_path / "parts", chunk=16)  # type: ignore[arg-type]
    marked = {name: scores.frozen[scores.video_index == at].tolist() for at, name in enumerate(scores.videos)}
    assert marked == {"half": [False] * 39 + [True] * 41, "black": [True] * 40, "live": [False] * 40}
    assert "video half: 41 equal frames, 39 to 79: a frozen camera, or a covered lens?" in scores.notes
    assert any(note.startswith("video black: all 40 frames are equal") for note in scores.notes)
    np.testing.assert_array_equal(pixelfast.merge(tmp_path / "parts").frozen, scores.frozen)
    assert "81 frozen" in scores.summary()


def test_files_of_before_mark_nothing(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    scores = make_scores({"a": 30}, frozen=np.arange(30) < 27)
    path = scores.write(tmp_path / "new.parquet")
    np.testing.assert_array_equal(pixelfast.Scores.read(path).frozen, scores.frozen)
    pq.write_table(pq.read_table(path).drop_columns("frozen"), tmp_path / "old.parquet")
    assert not pixelfast.Scores.read(tmp_path / "old.parquet").frozen.any()


@pytest.mark.parametrize("method", ["reconstruction", "motion"])
def test_training_on_stills_is_refused(tmp_path: Path, method: str) -> None:
    for name, level in (("a", 0), ("b", 90)):
        write_video(tmp_path / "footage" / name, np.full((40, SIZE, SIZE), level, np.uint8))
    with pytest.raises(pixelfast.ModelError, match=r"all frames of each training video are equal \(the first: a\)"):
        pixelfast.train(tmp_path / "footage", tmp_path / "model", method=method)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["footage"]
