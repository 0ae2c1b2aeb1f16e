"""How much of a video may be unreadable and still be repaired: the guard against the rule, said plainly."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from footage import DrawnVideo
from pixelfast.errors import DecodeError, LostFootageError, SourceError
from pixelfast.sources import LossGuard
from pixelfast.sources.video import READABLE_NOW


def is_lost(frames: int, unreadable: set[int]) -> bool:
    runs = [len(list(run)) for bad, run in groupby(at in unreadable for at in range(frames)) if bad]
    return len(unreadable) < frames and (len(unreadable) > max(5, frames / 20) or max(runs, default=0) > 50)


@settings(deadline=None)
@given(
    frames=st.integers(1, 2400),
    runs=st.lists(st.tuples(st.integers(0, 2399), st.integers(1, 60)), max_size=4),
    chunk=st.integers(1, 300),
    known=st.booleans(),
)
@example(frames=1200, runs=[(40, 50), (300, 10)], chunk=64, known=True)  # a twentieth, and 50 in a row
@example(frames=1200, runs=[(40, 50), (300, 11)], chunk=64, known=True)
@example(frames=2400, runs=[(63, 51)], chunk=64, known=True)
@example(frames=40, runs=[(0, 5)], chunk=64, known=False)
def test_a_video_is_lost_as_the_rule_says(frames: int, runs: list[tuple[int, int]], chunk: int, known: bool) -> None:
    unreadable = {at for start, length in runs for at in range(start, start + length) if at < frames}
    video = DrawnVideo("cam", np.zeros((frames, 1, 1), np.uint8), sorted(unreadable), known)

    def passed(on_error: str) -> list[int]:
        chunks = LossGuard(video, on_error).run(video.chunks(1, 1, chunk=chunk))  # type: ignore[arg-type]
        return [number for one in chunks for number in one.frame_ids.tolist()]

    assert passed("insist") == list(range(frames))
    if not is_lost(frames, unreadable):
        assert passed("repair") == list(range(frames))
        return
    with pytest.raises(LostFootageError, match=r"^video cam is not repaired: more than .* cannot be read") as caught:
        passed("repair")
    assert isinstance(caught.value, DecodeError)
    assert isinstance(caught.value, SourceError)
    assert f"first: cam/frame_{min(unreadable):04d}.png is empty (0 bytes)" in str(caught.value)


def test_a_frame_that_comes_back_is_noticed() -> None:
    class Back(DrawnVideo):
        def explain(self, index: int) -> str:
            return READABLE_NOW if index == 7 else super().explain(index)

    for lost, back in (([3, 7], True), ([3], False), ([], False)):
        video = Back("cam", np.zeros((20, 1, 1), np.uint8), lost)
        guard = LossGuard(video)
        list(guard.run(video.chunks(1, 1)))
        assert guard.came_back() == back
