"""Flip correction: flipped frames are turned, and on a scene that the classifier does not know none is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import pixelfast
from footage import walking_square
from pixelfast.flip.judge import LOOKAHEAD, FlipJudge, fits_turned
from pixelfast.model import Model
from pixelfast.progress import Progress
from tiny_engines import SIZE

MakeSource = Callable[..., Path]
Bools = NDArray[np.bool_]


def with_flips(frames: NDArray[np.uint8], flipped: Bools) -> NDArray[np.uint8]:
    turned = frames.copy()
    turned[flipped] = frames[flipped, ::-1]
    return turned


def corrected(
    frames: NDArray[np.uint8], probability: NDArray[np.float32], pieces: list[int] | None = None, **options: object
) -> tuple[NDArray[np.uint8], Bools, FlipJudge]:
    """All frames through a corrector, in pieces of these sizes (the last one again and again)."""
    corrector = FlipJudge(**options)  # type: ignore[arg-type]
    outcome = []
    sizes = list(pieces or [len(frames)])
    start = 0
    while start < len(frames):
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        outcome.append(corrector.push(frames[start : start + size], probability[start : start + size]))
        start += size
    outcome.append(corrector.finish())
    turned = np.concatenate(outcome)
    return with_flips(frames, turned), turned, corrector


def probabilities(flipped: Bools, sure: float = 0.99) -> NDArray[np.float32]:
    return np.where(flipped, sure, 1 - sure).astype(np.float32)


def flips(count: int, *indices: int) -> Bools:
    return np.isin(np.arange(count), indices)


@pytest.mark.parametrize(
    "indices", [(5,), (0,), (59,), (0, 1, 2, 30, 31, 44, 59), tuple(range(20, 45)), tuple(range(0, 60, 3))]
)
def test_single_frames_and_runs_are_turned(indices: tuple[int, ...]) -> None:
    frames, flipped = walking_square(60, size=SIZE), flips(60, *indices)
    upright, turned, corrector = corrected(with_flips(frames, flipped), probabilities(flipped))
    np.testing.assert_array_equal(upright, frames)
    np.testing.assert_array_equal(turned, flipped)
    assert corrector.refusal(ended=True) is None


@settings(max_examples=150, deadline=None)
@given(
    flipped=st.lists(st.booleans(), min_size=1, max_size=40),
    unsure=st.lists(st.booleans(), min_size=40, max_size=40),
    doubts=st.lists(st.floats(0.11, 0.89), min_size=40, max_size=40),
    pieces=st.lists(st.integers(1, 20), min_size=1, max_size=6),
)
def test_the_result_does_not_depend_on_the_pieces(
    flipped: list[bool], unsure: list[bool], doubts: list[float], pieces: list[int]
) -> None:
    truth = np.array(flipped)
    frames = with_flips(walking_square(len(truth), 3, SIZE), truth)
    p = np.where(unsure[: len(truth)], doubts[: len(truth)], probabilities(truth)).astype(np.float32)
    whole = corrected(frames, p)
    parts = corrected(frames, p, pieces)
    np.testing.assert_array_equal(whole[0], parts[0])
    np.testing.assert_array_equal(whole[1], parts[1])
    assert whole[2].evidence == parts[2].evidence


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_pixels_settle_what_the_classifier_is_unsure_of(data: st.DataObject) -> None:
    length = data.draw(st.integers(2, 40))
    truth = np.array(data.draw(st.lists(st.booleans(), min_size=length, max_size=length)))
    p = np.array(data.draw(st.lists(st.floats(0.11, 0.89), min_size=length, max_size=length)), np.float32)
    sure = data.draw(st.integers(0, min(length - 1, LOOKAHEAD)))
    p[sure] = 0.95 if truth[sure] else 0.05
    _, turned, _ = corrected(with_flips(walking_square(length, 4, SIZE), truth), p)
    np.testing.assert_array_equal(turned, truth)


def test_without_a_sure_frame_in_sight_the_first_is_decided_by_its_probability() -> None:
    frames = with_flips(walking_square(30, size=SIZE), flips(30, 12))
    for first, expected in ((0.6, ~flips(30, 12)), (0.4, flips(30, 12))):
        p = np.full(30, 0.45, np.float32)
        p[0] = first
        np.testing.assert_array_equal(corrected(frames, p)[1], expected)
    late = np.full(30, 0.6, np.float32)
    late[LOOKAHEAD + 1 :] = 0.01  # one frame too far to be waited for
    assert corrected(frames, late)[1][0]
    late[LOOKAHEAD] = 0.01
    assert not corrected(frames, late)[1][0]


def test_a_sure_classifier_is_not_outvoted_by_pixels() -> None:
    frames = walking_square(30, size=SIZE)
    _, turned, _ = corrected(frames, probabilities(flips(30, 9)))
    assert np.flatnonzero(turned).tolist() == [9]  # what becomes of it is the video's refusal


def test_no_more_than_the_lookahead_is_held_back() -> None:
    frames = walking_square(60, size=SIZE)
    corrector = FlipJudge()
    out = 0
    for index in range(60):
        out += len(corrector.push(frames[index : index + 1], np.array([0.5], np.float32)))
        assert index + 1 - out <= LOOKAHEAD


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_on_an_unknown_scene_no_upright_frame_is_turned(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 60))
    p = np.array(data.draw(st.lists(st.floats(0, 1), min_size=length, max_size=length)), np.float32)
    _, turned, corrector = corrected(walking_square(length, data.draw(st.integers(0, 9)), SIZE), p)
    assert corrector.refusal(ended=True) is not None or not turned.any()


def test_more_than_half_is_refused_as_soon_as_it_is_certain() -> None:
    flipped = flips(40, *range(25))
    frames = with_flips(walking_square(40, size=SIZE), flipped)
    _, _, corrector = corrected(frames, probabilities(flipped))
    assert corrector.refusal(ended=True) == "25 of 40 frames would be turned, more than half"
    early = FlipJudge(length=40)
    early.push(frames[:20], probabilities(flipped)[:20])
    assert early.refusal(ended=False) is None
    early.push(frames[20:21], probabilities(flipped)[20:21])
    assert early.refusal(ended=False) == "more than half of its 40 frames would be turned"
    insistent = FlipJudge("always", length=40)
    insistent.push(frames, probabilities(flipped))
    assert insistent.refusal(ended=False) is None
    assert insistent.refusal(ended=True) is None


def textured(count: int, size: int = 128) -> NDArray[np.uint8]:
    """A scene with details: blocks of several sizes, brighter above, and someone who walks."""
    rng = np.random.default_rng(7)
    still = sum(
        np.kron(rng.uniform(-20, 20, (size // cell, size // cell)), np.ones((cell, cell))) for cell in (4, 8, 16)
    )
    return (walking_square(count, 1, size).astype(np.float64) + still).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.3])
def test_noise_and_light_do_not_hide_a_flip(sigma: float) -> None:
    rng = np.random.default_rng(1)
    flipped = flips(60, 3, 20, 21, 22, 40)
    frames = with_flips(textured(60), flipped).astype(np.float64)
    frames *= rng.uniform(0.6, 1.5, (60, 1, 1))
    frames += rng.normal(0, sigma * 255, frames.shape)
    p = np.full(60, 0.5, np.float32)
    p[0] = 0.02
    noisy = frames.clip(0, 255).astype(np.uint8)
    corrector = FlipJudge()
    np.testing.assert_array_equal(corrector.push(noisy, p), flipped)


def test_frames_that_are_alike_both_ways_tell_nothing() -> None:
    blank = np.full((SIZE, SIZE), 90, np.uint8)
    symmetric = walking_square(1, size=SIZE)[0] // 2 + walking_square(1, size=SIZE)[0, ::-1] // 2
    assert fits_turned(blank, blank) is None
    assert fits_turned(symmetric, symmetric) is None
    frames = np.repeat(blank[None], 10, axis=0)
    _, _, corrector = corrected(frames, probabilities(flips(10, 4)))
    assert corrector.refusal(ended=True) is not None  # nothing supports it


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**31), height=st.integers(9, 150), width=st.integers(9, 150))
def test_frames_of_any_size_are_compared(seed: int, height: int, width: int) -> None:
    frame = np.random.default_rng(seed).integers(0, 255, (height, width), np.uint8)
    assert fits_turned(frame, frame) is False
    assert fits_turned(frame[::-1], frame) is True


# Through `score`


def test_scores_are_those_of_the_upright_footage(make_source: MakeSource, model: Model) -> None:
    frames, flipped = walking_square(60, 1, SIZE), flips(60, 0, 7, 30, 31, 32, 59)
    upright = pixelfast.score(make_source("upright", **{"01": frames}), model.folder)
    scores = pixelfast.score(make_source("flipped", **{"01": with_flips(frames, flipped)}), model.folder)
    np.testing.assert_array_equal(scores.flipped, flipped)
    np.testing.assert_array_equal(scores.raw, upright.raw)
    assert not upright.flipped.any()
    left = pixelfast.score(make_source("again", **{"01": with_flips(frames, flipped)}), model.folder, flip="never")
    assert not left.flipped.any()
    assert np.abs(left.raw - upright.raw).max() > 0.001


def test_a_video_that_is_mostly_upside_down_is_left_as_it_is(make_source: MakeSource, model: Model) -> None:
    frames = walking_square(60, 1, SIZE)
    hanging = with_flips(frames, flips(60, *range(40)))
    source = make_source(good=with_flips(frames, flips(60, 4)), hanging=hanging)
    scores = pixelfast.score(source, model.folder)
    assert np.flatnonzero(scores.flipped).tolist() == [4]
    note = next(note for note in scores.notes if "hanging" in note)
    assert "is left as it is, without flip correction: more than half of its 60 frames" in note
    plain = pixelfast.score(source, model.folder, flip="never")
    np.testing.assert_array_equal(scores.raw[60:], plain.raw[60:])
    insisted = pixelfast.score(source, model.folder, flip="always")
    assert insisted.flipped.sum() == 41
    assert not any("left as it is" in note for note in insisted.notes)


def test_a_video_after_one_that_is_left_as_it_is_loses_nothing(make_source: MakeSource, model: Model) -> None:
    frames = walking_square(60, 1, SIZE)
    good = with_flips(frames, flips(60, 4))
    source = make_source(a_hanging=with_flips(frames, flips(60, *range(40))), b_good=good, c_good=good[:33])
    steps: list[Progress] = []
    scores = pixelfast.score(source, model.folder, progress=steps.append)
    assert np.flatnonzero(scores.flipped).tolist() == [64, 124]
    alone = pixelfast.score(make_source("alone", b_good=good, c_good=good[:33]), model.folder)
    np.testing.assert_array_equal(scores.raw[60:], alone.raw)
    np.testing.assert_array_equal(scores.raw[:60], pixelfast.score(source, model.folder, flip="never").raw[:60])
    assert (steps[-1].done, steps[-1].total) == (153, 153)


def flickering(count: int, *dark_above: int) -> NDArray[np.uint8]:
    """A still scene of another kind: at these frames a cloud makes its upper half darker, and nothing is flipped."""
    rng = np.random.default_rng(5)
    still = rng.uniform(40, 215, (SIZE, SIZE))
    still[SIZE // 2 :] -= still[SIZE // 2 :].mean() - still[: SIZE // 2].mean() + 30
    frames = np.repeat(still[None], count, axis=0)
    frames[list(dark_above), : SIZE // 2] -= 60
    return frames.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("dark", [(10,), (0,), (29,), (3, 4, 5, 20), tuple(range(12)), tuple(range(18, 30))])
def test_a_classifier_of_another_scene_turns_nothing(
    make_source: MakeSource, model: Model, dark: tuple[int, ...]
) -> None:
    source = make_source(**{"01": flickering(30, *dark)})
    assert pixelfast.score(source, model.folder, flip="always").flipped.sum() == len(dark)  # it is fooled
    scores = pixelfast.score(source, model.folder)
    assert not scores.flipped.any()
    assert any("the pixels contradict" in note and "does not know this scene" in note for note in scores.notes)
    np.testing.assert_array_equal(scores.raw, pixelfast.score(source, model.folder, flip="never").raw)


def test_a_lone_frame_has_no_neighbour_to_speak_for_it(make_source: MakeSource, model: Model) -> None:
    frame = walking_square(1, 1, SIZE)[:, ::-1]
    scores = pixelfast.score(make_source(**{"01": frame}), model.folder)
    assert not scores.flipped.any()
    assert any("1 of 1 frames would be turned" in note or "more than half" in note for note in scores.notes)


def test_a_refusal_is_remembered_in_the_part(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source = make_source(**{"01": flickering(30, 10)})
    first = pixelfast.score(source, model.folder, parts=tmp_path / "parts")
    again = pixelfast.score(source, model.folder, parts=tmp_path / "parts")
    assert first.notes == again.notes
    assert pixelfast.merge(tmp_path / "parts").notes == [note for note in first.notes if "video 01" in note]
