"""The same seed, choice and number of threads give the same bits on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pixelfast.errors import ModelError


def check_seed(seed: int) -> int:
    """The seed, where it is one.

    Raises:
        ModelError: it is not 0 or more and below 2^63.
    """
    if not 0 <= seed < 2**63:
        raise ModelError(f"seed must be 0 or more and below 2^63, not {seed}")
    return seed


@contextmanager
def reproducible(seed: int, threads: int) -> Iterator[None]:
    """Seeds PyTorch, allows only deterministic algorithms, uses `threads` threads; restores all three at the end."""
    threads_before = torch.get_num_threads()
    deterministic_before = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        try:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(True)
            torch.manual_seed(seed)
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic_before)
            torch.set_num_threads(threads_before)
