"""Two items at once: in order, never more, errors at their place, nothing left behind."""

import threading
import time
from collections.abc import Iterator

import pytest

from pixelfast.machine.abreast import abreast


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pixelfast-abreast")]


@pytest.mark.parametrize("most", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_results_come_in_the_order_of_the_items(most: int, count: int) -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.002 * (count - item))
        return item * item

    assert list(abreast(slow_first, range(count), most)) == [item * item for item in range(count)]


def test_the_next_is_begun_before_the_last_is_done_and_no_more() -> None:
    begun, second = list[int](), threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item == 0:
            assert second.wait(10), "the second is not begun while the first is under way"
        second.set()
        return item

    results = abreast(work, iter(range(100)), 2)
    assert next(results) == 0
    time.sleep(0.05)
    assert sorted(begun) == [0, 1]
    assert list(results) == list(range(1, 100))


def test_what_is_raised_is_raised_at_its_place() -> None:
    done = list[int]()

    def work(item: int) -> int:
        if item == 2:
            raise ValueError("the third")
        done.append(item)
        return item

    results = abreast(work, range(50), 2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="the third"):
        next(results)
    assert max(done) <= 3


def test_closing_waits_for_what_is_under_way() -> None:
    done = list[int]()

    def work(item: int) -> int:
        time.sleep(0.02)
        done.append(item)
        return item

    results = abreast(work, range(50), 2)
    assert isinstance(results, Iterator)
    next(results)
    results.close()  # type: ignore[attr-defined]
    count = len(done)
    assert count <= 3
    time.sleep(0.05)
    assert len(done) == count
