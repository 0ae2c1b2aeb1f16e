"""Reading NumPy archives without `np.load`."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelfast.pipeline import archive
from pixelfast.pipeline.archive import read_archive

ARRAYS: dict[str, Any] = {
    "line": np.arange(1000, dtype=np.float32),
    "cube": np.arange(24.0).reshape(2, 3, 4),
    "nothing": np.zeros((0, 3), np.int64),
    "marks": np.array([True, False]),
    "bytes": np.frombuffer(b"about", np.uint8),
    "one": np.float64(3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big-endian": np.arange(3, dtype=">i4"),
    "half": np.ones((2, 2), np.float16),
}


@pytest.mark.parametrize("small", [0, 1 << 20], ids=["by seeking", "in one read"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_reads_what_numpy_writes(save: Any, small: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_SMALL", small)
    save(tmp_path / "a.npz", **ARRAYS)
    read = read_archive(tmp_path / "a.npz", without=["half"])
    assert list(read) == [name for name in ARRAYS if name != "half"]
    for name, array in read.items():
        np.testing.assert_array_equal(array, ARRAYS[name], strict=True)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", bad=np.array([{}], object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_archive(tmp_path / "a.npz")


@pytest.mark.parametrize("small", [0, 1 << 20], ids=["by seeking", "in one read"])
def test_no_damaged_byte_of_an_array_gets_through(small: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a byte is changed: an error, or (in what a ZIP says twice) the same values."""
    monkeypatch.setattr(archive, "_SMALL", small)
    file = io.BytesIO()
    np.savez(file, line=np.arange(5))
    for place in range(len(file.getvalue())):
        data = bytearray(file.getvalue())
        data[place] ^= 0x55
        (tmp_path / "a.npz").write_bytes(data)
        try:
            read = read_archive(tmp_path / "a.npz")
        except (OSError, ValueError, LookupError, EOFError, RuntimeError, zipfile.BadZipFile):
            continue
        assert [array.tolist() for array in read.values()] in ([[0, 1, 2, 3, 4]], [])
