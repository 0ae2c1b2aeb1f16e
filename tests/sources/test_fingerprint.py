"""A fingerprint sees every byte; sizes and times only spare a second reading of what stands unchanged."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pixelfast
from frame_files import write_video
from pixelfast import _core
from pixelfast.model import Model
from pixelfast.sources import FolderVideo
from plain_pipeline import footage

LONG_AGO = 1_700_000_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three large files that have stood for long."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("pixelfast.sources.seen._SETTLED_SECONDS", -1.0)
    (tmp_path / "video").mkdir()
    for number in range(3):
        (tmp_path / "video" / f"{number}.png").write_bytes(np.random.default_rng(number).bytes(300_000))
    return tmp_path / "video"


def fingerprint(folder: Path) -> bytes:
    return FolderVideo(folder, [path.name for path in folder.iterdir()]).fingerprint()


@pytest.mark.parametrize("where", [0, 70_000, 150_000, 229_000, 299_999])
def test_one_byte_anywhere_is_seen(folder: Path, where: int) -> None:
    before, path = fingerprint(folder), folder / "1.png"
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    about = path.stat()
    path.write_bytes(bytes(data))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))  # as if it had not been written to
    assert fingerprint(folder) != before
    data[where] ^= 1
    path.write_bytes(bytes(data))
    assert fingerprint(folder) == before


def test_what_stands_unchanged_is_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, read = fingerprint(folder), list[int]()
    real = _core.fingerprint_files
    monkeypatch.setattr(_core, "fingerprint_files", lambda files: read.append(len(files)) or real(files))
    assert fingerprint(folder) == first
    assert read == []
    os.utime(folder / "0.png", (LONG_AGO, LONG_AGO))
    assert fingerprint(folder) == first  # looked at again, and the same
    assert fingerprint(folder) == first
    assert read == [3]
    shutil.copytree(folder, folder.with_name("copy") / "video")
    assert fingerprint(folder.with_name("copy") / "video") == first
    assert read == [3, 3]


@pytest.mark.parametrize("damage", ["", "a b c", "zz " + "z" * 64, "é"])
def test_a_damaged_memory_is_forgotten(folder: Path, tmp_path: Path, damage: str) -> None:
    first = fingerprint(folder)
    (kept,) = (tmp_path / "cache" / "pixelfast" / "footage").iterdir()
    kept.write_text(damage)
    assert fingerprint(folder) == first


def test_without_a_place_to_remember_it_is_read_each_time(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert fingerprint(folder) == fingerprint(folder)
    (folder / "2.png").unlink()
    video = FolderVideo(folder, ["0.png", "2.png"])
    assert len(video.fingerprint()) == 32


def test_a_file_that_has_just_changed_is_not_relied_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelfast.sources.seen._SETTLED_SECONDS", 3600.0)
    fingerprint(folder)
    assert not (tmp_path / "cache").exists()


def test_scores_of_changed_pixels_are_never_used_again(
    make_source: Callable[..., Path], model: Model, tmp_path: Path
) -> None:
    """Frames whose files keep their sizes and ends: only pixels in the middle change."""
    videos = footage(20)
    first = pixelfast.score(make_source(**videos), model.folder, parts=tmp_path / "parts", flip="never")
    changed = videos["01"].copy()
    changed[10, 24:40] ^= 64
    write_video(tmp_path / "other" / "01", changed)
    again = pixelfast.score(tmp_path / "other", model.folder, parts=tmp_path / "parts", flip="never")
    alone = pixelfast.score(tmp_path / "other", model.folder, flip="never")
    np.testing.assert_array_equal(again.raw, alone.raw)
    assert not np.array_equal(first.raw, again.raw)
