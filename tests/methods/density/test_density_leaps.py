"""Frames that are not usable are leapt over: nothing seems to stop and jump."""

import numpy as np
import pytest

from street import cells_of, street

FRAMES = street(60, 1)


def test_a_leap_spreads_the_motion_evenly() -> None:
    usable = np.ones(60, np.bool_)
    usable[[20, 21]] = False
    leapt, whole = cells_of(FRAMES, 16, usable), cells_of(FRAMES)
    assert len(leapt.speed) == 60
    np.testing.assert_array_equal(leapt.speed[20], leapt.speed[22])
    np.testing.assert_array_equal(leapt.look[20], whole.look[22])
    np.testing.assert_array_equal(leapt.speed[:20], whole.speed[:20])
    np.testing.assert_array_equal(leapt.speed[23:], whole.speed[23:])
    moving = whole.speed[20:23].mean(0) > 0.5
    assert abs(leapt.speed[21][moving].mean() / whole.speed[20:23].mean(0)[moving].mean() - 1) < 0.15


@pytest.mark.parametrize("piece", [1, 4, 60])
@pytest.mark.parametrize("lost", [[0], [0, 1, 2], [58, 59], [0, 30, 59], list(range(2, 60)), list(range(60))])
def test_every_frame_gets_its_cells(piece: int, lost: list[int]) -> None:
    usable = np.ones(60, np.bool_)
    usable[lost] = False
    for ours, theirs in zip(cells_of(FRAMES, piece, usable), cells_of(FRAMES, 16, usable), strict=True):
        assert len(ours) == 60
        assert np.isfinite(ours).all()
        np.testing.assert_array_equal(ours, theirs)


def test_across_a_frozen_stretch_things_move_as_before_it() -> None:
    frames = np.concatenate([FRAMES[:20], np.repeat(FRAMES[19:20], 40, axis=0), FRAMES[40:]])
    usable = np.ones(80, np.bool_)
    usable[20:60] = False
    found = cells_of(frames, 16, usable)
    for index in range(20, 61):
        np.testing.assert_array_equal(found.speed[index], found.speed[19])


def test_one_frame_stands_still() -> None:
    found = cells_of(FRAMES[:1])
    assert len(found.speed) == 1
    assert not found.speed.any()
    np.testing.assert_array_equal(found.look, cells_of(FRAMES[:2]).look[:1])
