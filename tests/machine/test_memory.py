"""The memory that there is: of the machine, or what its control groups leave of it."""

import ctypes
import os
import sys
from pathlib import Path

import pytest

from pixelfast.machine import memory
from pixelfast.machine.memory import give_back_memory, resident_memory, total_memory

GIB = 1 << 30
V1_NO_LIMIT = 9223372036854771712


@pytest.mark.parametrize(
    ("groups", "files", "limits"),
    [
        ("0::/\n", {"memory.max": "1073741824\n"}, [GIB]),
        ("0::/\n", {"memory.max": "max\n"}, []),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": str(2 * GIB), "memory.max": "max"}, [2 * GIB]),
        ("0::/not/seen/here\n", {"memory.max": str(GIB)}, [GIB]),
        ("0::/../../up\n", {"memory.max": str(GIB)}, [GIB]),
        ("5:cpu,memory:/docker/1\n", {"memory/docker/1/memory.limit_in_bytes": str(3 * GIB)}, [3 * GIB]),
        ("5:memory:/docker/1\n0::/\n", {"memory/memory.limit_in_bytes": str(GIB)}, [GIB]),
        ("5:memory:/\n", {"memory/memory.limit_in_bytes": str(V1_NO_LIMIT)}, [V1_NO_LIMIT]),
        ("nonsense\n\n::\n", {"memory.max": "no number"}, []),
        (None, {}, []),
    ],
)
def test_the_least_limit_counts(
    groups: str | None, files: dict[str, str], limits: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / "mounted" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mounted" / name).write_text(text)
    if groups is not None:
        (tmp_path / "cgroup").write_text(groups)
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "_LIMITS", tmp_path / "mounted")
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert total_memory() == min([machine, *limits])
    monkeypatch.setattr(os, "sysconf_names", {})
    assert total_memory() == min(limits, default=None)


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc keeps memory back"
)
def test_what_is_kept_for_later_is_given_back() -> None:
    pieces = [bytearray(100_000) for _ in range(2_000)]
    for piece in pieces:
        piece[:] = b"1" * len(piece)
    last = pieces[-1]
    del pieces, piece
    before = resident_memory()
    give_back_memory()
    after = resident_memory()
    assert before is not None
    assert after is not None
    assert before - after > 100_000_000
    assert len(last) == 100_000


def test_without_glibc_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in (object(), None):
        monkeypatch.setattr(ctypes, "CDLL", lambda _, found=library: found)
        give_back_memory()
