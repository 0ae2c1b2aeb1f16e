"""Which frames are called noisy, and what stands in for them: any pushes against plain oracles."""

import pickle

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.cleaning.noise import BLOCK, LONGEST, PAST, Gaps, NoiseJudge
from pixelfast.flow.stream import FlowStream
from pixelfast.machine.stopwatch import Stopwatch

Bools = NDArray[np.bool_]
Sigmas = NDArray[np.float32]

pieces = st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(any)


def split(length: int, sizes: list[int]) -> list[slice]:
    """Consecutive slices of these sizes, again and again, until `length` is covered."""
    slices, start = [], 0
    while start < length:
        for size in sizes:
            slices.append(slice(start, min(start + size, length)))
            start = slices[-1].stop
    return slices


def judged(sigma: Sigmas, sizes: list[int]) -> Bools:
    judge = NoiseJudge()
    decisions = [judge.push(sigma[part]) for part in split(len(sigma), sizes)]
    return np.concatenate([*decisions, judge.finish()])


def estimates(count: int, seed: int) -> Sigmas:
    """A video's estimates, with some frames that stand out, by little or much."""
    rng = np.random.default_rng(seed)
    sigma = rng.uniform(0, 6) + rng.uniform(0, 1.5) * np.abs(rng.standard_normal(count))
    loud = rng.random(count) < 0.15
    return (sigma + loud * rng.uniform(0, 20, count)).astype(np.float32)


def plainly_noisy(sigma: Sigmas, among: Sigmas) -> Bools:
    """Eight robust deviations, half as much again and two levels above the median, all three."""
    median = np.median(among)
    deviation = 1.4826 * np.median(np.abs(among - median))
    return (sigma > median + 8 * deviation) & (sigma > 1.5 * median) & (sigma > median + 2)


@settings(max_examples=150, deadline=None)
@given(count=st.integers(0, 200), seed=st.integers(0, 999), sizes=pieces)
def test_decisions_do_not_depend_on_the_pushes(count: int, seed: int, sizes: list[int]) -> None:
    sigma = estimates(count, seed)
    whole, parts = judged(sigma, [max(1, count)]), judged(sigma, sizes)
    assert whole.dtype == parts.dtype == np.bool_
    assert len(parts) == count
    np.testing.assert_array_equal(parts, whole)


@settings(max_examples=150, deadline=None)
@given(count=st.integers(1, 2 * BLOCK), seed=st.integers(0, 999), sizes=pieces)
def test_a_short_video_is_judged_as_a_whole(count: int, seed: int, sizes: list[int]) -> None:
    sigma = estimates(count, seed)
    np.testing.assert_array_equal(judged(sigma, sizes), plainly_noisy(sigma, sigma))


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 200), seed=st.integers(0, 999))
def test_a_block_is_compared_with_all_before_it_and_the_block_after(count: int, seed: int) -> None:
    sigma = estimates(count, seed)
    blocks = [
        plainly_noisy(sigma[first : first + BLOCK], sigma[: first + 2 * BLOCK]) for first in range(0, count, BLOCK)
    ]
    np.testing.assert_array_equal(judged(sigma, [7]), np.concatenate(blocks))


def test_the_made_up_estimates_have_frames_of_both_kinds() -> None:
    """Else the tests above would compare nothing with nothing."""
    shares = [judged(estimates(100, seed), [100]).mean() for seed in range(100)]
    assert 0.01 < np.mean(shares) < 0.15


def test_a_frame_is_judged_at_most_two_blocks_later() -> None:
    judge, pushed, decided = NoiseJudge(), 0, 0
    for _ in range(200):
        decided += len(judge.push(np.full(1, 2.0, np.float32)))
        pushed += 1
        assert decided <= pushed < decided + 2 * BLOCK
    assert decided + len(judge.finish()) == pushed


def test_a_slow_drift_of_a_long_video_is_no_noise() -> None:
    count = 12 * PAST
    drift = np.linspace(1, 40, count) + 0.3 * np.random.default_rng(0).standard_normal(count)
    sigma = drift.astype(np.float32)
    assert not judged(sigma, [64]).any()
    # Against the estimates of the whole video a burst in its calm half would be lost: no frame there reaches them.
    burst = PAST + np.array([100, 101, 700])
    sigma[burst] += 10
    assert sigma[burst].max() < np.median(sigma)
    np.testing.assert_array_equal(np.flatnonzero(judged(sigma, [64])), burst)


def test_the_judge_does_not_grow_with_the_video() -> None:
    judge = NoiseJudge()
    sizes = []
    for _ in range(20):
        judge.push(np.full(PAST, 2.0, np.float32))
        sizes.append(len(pickle.dumps(judge)))
    assert max(sizes) - sizes[1] < 64
    assert max(sizes) < 4 * (PAST + 2 * BLOCK) + 1000


def plainly_usable(bad: Bools) -> Bools:
    run, usable = 0, []
    for one in bad:
        run = run + 1 if one else 0
        usable.append(not one or run == LONGEST + 1)
        run = 0 if usable[-1] else run
    return np.array(usable, np.bool_)


@settings(max_examples=200, deadline=None)
@given(runs=st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=6), sizes=pieces)
def test_bad_frames_are_passed_over_but_not_for_ever(runs: list[tuple[bool, int]], sizes: list[int]) -> None:
    bad = np.array([one for one, count in runs for _ in range(count)], np.bool_)
    gaps = Gaps()
    found = [gaps.usable(bad[part].copy()) for part in split(len(bad), sizes)]
    np.testing.assert_array_equal(np.concatenate([np.zeros(0, np.bool_), *found]), plainly_usable(bad))


class Positions:
    """A flow engine of frames whose brightness is their position: the flow is the difference, everywhere."""

    color = "grey"
    frame_bytes = 4

    def size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def flow(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        steps = np.diff(frames[:, 0, 0].astype(np.float32))
        return np.broadcast_to(steps[:, None, None, None], (len(steps), 2, 64, 64)).copy()


def plainly_bridged(position: NDArray[np.float64], usable: Bools) -> NDArray[np.float64]:
    """Positions of unusable frames lie evenly between the usable ones around them; at the ends motion goes on."""
    at = np.flatnonzero(usable)
    if len(at) < 2:
        return np.zeros(max(0, len(position) - 1))
    steps = np.diff(np.interp(np.arange(len(position)), at, position[at]))
    steps[: at[0]], steps[at[-1] :] = steps[at[0]], steps[at[-1] - 1]
    return steps


@settings(max_examples=200, deadline=None)
@given(usable=st.lists(st.booleans(), min_size=1, max_size=40), sizes=pieces, seed=st.integers(0, 9))
def test_flow_bridges_what_is_not_usable(usable: list[bool], sizes: list[int], seed: int) -> None:
    marks = np.array(usable, np.bool_)
    position = np.random.default_rng(seed).integers(0, 256, len(marks)).astype(np.uint8)
    frames = np.broadcast_to(position[:, None, None], (len(marks), 2, 2)).copy()
    parts = [Cleaned(frames[part], marks[part]) for part in split(len(marks), sizes)]
    flows = np.concatenate(list(FlowStream(Positions(), Stopwatch()).run(parts)))
    assert flows.shape == (len(marks) - 1, 2, 64, 64)
    np.testing.assert_allclose(flows[:, 0, 0, 0], plainly_bridged(position.astype(float), marks), atol=1e-4)
