"""The cores of a run: never more are out than there are, and nobody waits for ever."""

import threading
import time
from collections.abc import Callable

import pytest

from pixelfast.machine.cores import Cores


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_as_many_as_are_free_are_taken() -> None:
    cores = Cores(4)
    with cores.taken(most=4) as first:
        assert first == 4
    with cores.taken(1) as first, cores.taken(most=4) as second:
        assert (first, second) == (1, 3)


def test_more_than_there_are_means_all() -> None:
    with Cores(2).taken(8) as count:
        assert count == 2


def test_none_are_taken_at_once_where_all_are_out() -> None:
    cores = Cores(1)
    with cores.taken():
        urgent = in_thread(lambda: cores.give(cores.take(urgent=True)))
        until(lambda: len(cores._urgent) == 1)
        with cores.taken(0) as none:
            assert none == 0
    urgent.join(5)


def test_a_block_that_fails_gives_its_cores_back() -> None:
    cores = Cores(2)
    with pytest.raises(KeyError), cores.taken(2):
        raise KeyError
    assert cores.take(2) == 2


def test_never_more_compute_than_there_are() -> None:
    cores, busy, most = Cores(3), [0], [0]
    lock = threading.Lock()

    def work(least: int, urgent: bool) -> None:
        for _ in range(60):
            with cores.taken(least, 3, urgent=urgent) as count:
                with lock:
                    busy[0] += count
                    most[0] = max(most[0], busy[0])
                time.sleep(0.0002)
                with lock:
                    busy[0] -= count

    for thread in [in_thread(lambda least=i % 3 + 1: work(least, least == 1)) for i in range(8)]:
        thread.join()
    assert most[0] == 3  # all of them at some time, and never more
    assert busy[0] == 0


def test_who_is_urgent_goes_first_and_equals_in_their_order() -> None:
    cores, order = Cores(1), list[str]()
    threads = []

    def wait_for_one(name: str, urgent: bool) -> None:
        with cores.taken(urgent=urgent):
            order.append(name)

    with cores.taken():
        for number, (name, urgent) in enumerate(
            [("engine", False), ("clean", True), ("decode", True), ("last", False)]
        ):
            threads.append(in_thread(lambda name=name, urgent=urgent: wait_for_one(name, urgent)))
            until(lambda number=number: len(cores._urgent) + len(cores._others) == number + 1)
    for thread in threads:
        thread.join()
    assert order == ["clean", "decode", "engine", "last"]


def test_a_stage_that_takes_again_at_once_does_not_pass_one_that_waits() -> None:
    cores, turns = Cores(2), list[str]()
    ended = threading.Event()

    def greedy() -> None:
        while not ended.is_set():
            with cores.taken(most=2, urgent=True):
                turns.append("greedy")
                time.sleep(0.001)

    thread = in_thread(greedy)
    until(lambda: len(turns) > 2)
    for _ in range(5):
        before = len(turns)
        with cores.taken(urgent=True):
            assert len(turns) - before <= 2
    ended.set()
    thread.join()
