"""The GPU by its driver alone: a made-up driver in C stands for the real one."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixelfast.machine import gpu
from pixelfast.machine.gpu import Gpu, first_gpu, has_driver

CUDA = """
#include <string.h>
int cuInit(unsigned flags) { return INIT; }
int cuDeviceGet(int *device, int ordinal) { *device = 7; return GET; }
int cuDeviceGetName(char *name, int size, int device) {
    strncpy(name, device == 7 ? "NVIDIA H200" : "", size);
    return 0;
}
int cuDriverGetVersion(int *version) { *version = 13020; return 0; }
"""
NVML = """
#include <string.h>
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlSystemGetDriverVersion(char *version, unsigned size) { strncpy(version, "595.10", size); return FAILED; }
"""


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    first_gpu.cache_clear()
    yield
    first_gpu.cache_clear()


def library(folder: Path, name: str, source: str, **values: int) -> str:
    """Compiles a library; values are of the names in capitals."""
    (folder / f"{name}.c").write_text(source)
    path, defined = folder / f"lib{name}.so", [f"-D{key}={value}" for key, value in values.items()]
    subprocess.run(["cc", "-shared", "-fPIC", *defined, "-o", path, folder / f"{name}.c"], check=True)
    return str(path)


@pytest.mark.skipif(sys.platform == "win32", reason="a library is built by cc")
@pytest.mark.parametrize(
    ("fails", "found"),
    [
        ({}, Gpu("NVIDIA H200", "595.10")),
        ({"FAILED": 1}, Gpu("NVIDIA H200", "CUDA 13020")),
        ({"INIT": 100}, None),
        ({"GET": 101}, None),
    ],
)
def test_the_driver_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: dict[str, int], found: Gpu | None
) -> None:
    values = {"INIT": 0, "GET": 0, "FAILED": 0, **fails}
    monkeypatch.setattr(gpu, "DRIVER", library(tmp_path, "cuda", CUDA, **values))
    monkeypatch.setattr(gpu, "_MANAGEMENT", library(tmp_path, "nvml", NVML, **values))
    assert has_driver()
    assert first_gpu() == found


def test_without_a_driver_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "DRIVER", "libnone.so")
    assert not has_driver()
    assert first_gpu() is None
