"""Is anybody else using the cores? A ratio measured beside other work says nothing, so benches ask first."""

import hashlib
import threading
import time

CORES = 2  # what the benches' figures are stated for
LOOP_SECONDS = 0.08  # some 20 time slices of a scheduler
SETTLE_SECONDS = 0.15  # thread pools of the side before may still spin for a moment, BLAS's for 0.1 s

_BLOCK = bytes(1 << 20)  # hashing this much releases the GIL


def core_share() -> float:
    """The share of a core that the worse off of two busy loops got: about 1 on a quiet machine, 0.5 beside one job."""
    time.sleep(SETTLE_SECONDS)
    shares: list[float] = []
    loops = [threading.Thread(target=lambda: shares.append(_busy_loop())) for _ in range(CORES)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    return min(shares)


def _busy_loop() -> float:
    """Runs for a while; the thread's CPU time divided by the wall time."""
    start, start_cpu = time.perf_counter(), time.thread_time()
    while time.perf_counter() - start < LOOP_SECONDS:
        hashlib.sha256(_BLOCK)
    return (time.thread_time() - start_cpu) / (time.perf_counter() - start)
