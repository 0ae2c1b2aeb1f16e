"""Which stage of a line bounds it: the one that waits for no other, whatever it does in that time."""

import time
from collections.abc import Generator, Iterable

import pytest

from pixelfast.machine.readahead import Readahead
from pixelfast.machine.stopwatch import Profile, Stopwatch

STEPS, SLOW = 12, 0.02


def profile_of(slow: str) -> Profile:
    """A line of three stages, of which one takes long for something that no phase counts."""
    watch = Stopwatch()

    def stage(name: str, items: Iterable[int]) -> Generator[int, None, None]:
        for item in items:
            time.sleep(SLOW if name == slow else 0)
            yield item

    def decoded() -> Generator[int, None, None]:
        for item in range(STEPS):
            with watch.phase("decode"):
                time.sleep(SLOW if slow == "decode" else 0)
            yield item

    with (
        Readahead(decoded, 2) as frames,
        Readahead(lambda: watch.works("clean", stage("clean", watch.waits(frames))), 2) as cleaned,
        watch.flow(),
    ):
        assert list(stage("score", watch.waits(cleaned))) == list(range(STEPS))
    return watch.profile(threads=1)


@pytest.mark.parametrize("slow", ["decode", "clean", "score"])
def test_the_stage_that_the_others_wait_for_is_named(slow: str) -> None:
    found = profile_of(slow)
    assert found.slowest == slow
    assert found.bound().startswith(f"{slow}: at work for ")
    assert found.busy > 0.7
    assert all(share < 0.5 for stage, share in found.stages.items() if stage != slow)


def test_the_work_of_a_stage_that_is_left_early_is_closed_with_it() -> None:
    watch, closed = Stopwatch(), []

    def endless() -> Generator[int, None, None]:
        try:
            yield from range(10**9)
        finally:
            closed.append(True)

    items = watch.works("clean", endless())
    assert next(items) == 0
    items.close()
    assert closed == [True]
