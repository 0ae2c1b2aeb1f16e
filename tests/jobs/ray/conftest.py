"""A Ray cluster on this machine, for the tests of this folder."""

import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """Room for two workers of one processor each; started once, and stopped."""
    ray = pytest.importorskip("ray", reason="needs Ray: pip install '.[ray]'")
    pytest.importorskip("ray.data", reason="needs Ray Data: pip install '.[ray]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own
        ray.init(num_cpus=2, object_store_memory=200e6, include_dashboard=False, logging_level="error")
    yield
    ray.shutdown()
