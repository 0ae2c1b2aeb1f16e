"""What is said to people: why a frame stands out, and which rate of alarms can be promised."""

import numpy as np
import pytest

from pixelfast.methods.density.alarms import observe, promise
from pixelfast.methods.density.reasons import _sentence
from pixelfast.methods.density.stored import AlarmRate

RIGHT = np.array([0.5, 0, 0, 0, 0, 0, 0, 0], np.float32)
MIXED = np.array([0.3, 0, 0.001, 0, 0.2, 0, 0, 0], np.float32)
NONE = np.zeros(8, np.float32)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ((0, 8.2, 2.0, 0, RIGHT), "4.1 times as fast as anything seen at this place"),
        ((0, 90.0, 2.0, 0, RIGHT), "more than 20 times as fast as anything seen at this place"),
        ((0, 2.0, 2.0, 0, RIGHT), "as fast as anything at this place"),
        ((0, 1.0, 2.0, 0, RIGHT), "faster than nearly all at this place"),
        ((0, 1.0, 0.0, 0, NONE), "moves where nothing ever moved"),
        ((1, 1.0, 2.0, 4, RIGHT), "moves left where all move right"),
        ((1, 1.0, 2.0, 6, np.array([0.9, 0, 0, 0, 0, 0, 0.05, 0], np.float32)), "moves up where nearly all move right"),
        ((1, 1.0, 2.0, 6, MIXED), "moves up, as nothing does here"),
        ((1, 1.0, 2.0, 2, MIXED), "moves down, as little does here"),
        ((1, 1.0, 2.0, 0, MIXED), "moves as nothing does here"),
        ((2, 1.0, 2.0, 0, RIGHT), "looks like nothing that moved here"),
        ((3, 1.0, 0.0, 0, NONE), "something that was never here"),
    ],
)
def test_reasons_are_sentences(said: tuple[int, float, float, int, np.ndarray], sentence: str) -> None:
    assert _sentence(*said) == sentence


@pytest.mark.parametrize(
    ("alarms", "sentence"),
    [
        (None, "no rate of alarms is promised: it takes at least two"),
        (AlarmRate(0.001, 0.0, 800, 5), "none was observed on left-out videos, but 800 frames in 5 pieces are too few"),
        (AlarmRate(0.001, 0.0015, 40_000, 9), "alarms: 1 in 1,000 normal frames asked, 1 in 667 observed"),
        (AlarmRate(0.001, 0.01, 40_000, 9), "10.0 times as many observed on left-out videos"),
        (AlarmRate(0.001, 0.0, 40_000, 9), "times fewer observed on left-out videos"),
    ],
)
def test_a_rate_is_promised_only_where_it_was_seen(alarms: AlarmRate | None, sentence: str) -> None:
    assert sentence in promise(alarms)
    assert ("no rate" in promise(alarms) or "too few" in promise(alarms)) == ("alarms: 1 in" not in sentence)


@pytest.mark.parametrize("by_video", [True, False])
def test_alarms_are_counted_on_the_video_that_was_left_out(by_video: bool) -> None:
    rng = np.random.default_rng(0)
    alike = [rng.gamma(3, 1, (4000, 3)).astype(np.float32) for _ in range(5)]
    found = observe(alike, by_video=by_video)
    assert found is not None
    assert (found.frames, found.videos) == (20_000, 5)
    assert 0.0003 < found.observed < 0.003
    loud = observe([*alike, 4 * alike[0][:400]], by_video=by_video)
    assert loud is not None
    assert loud.observed > 0.003  # a run of frames above is one event
    assert observe(alike[:1], by_video=by_video) is None
