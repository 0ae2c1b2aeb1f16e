"""CUDA is simulated in all tests of this folder."""

import pytest

import lazy_cuda


@pytest.fixture(autouse=True)
def _simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    lazy_cuda.simulate_cuda(monkeypatch)
