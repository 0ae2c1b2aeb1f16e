"""A video's files are hashed while they are decoded: what was decoded is what is told, and nothing is read twice."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixelfast
from pixelfast import _core
from pixelfast.jobs.train import _decode
from pixelfast.methods.trained import TrainingRequest
from pixelfast.model import Model
from pixelfast.options import Reading
from pixelfast.pipeline.parts import read_part
from pixelfast.sources import FolderVideo, open_source
from pixelfast.sources.video import joined
from plain_pipeline import footage

MakeSource = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of every kind, whole, damaged, empty, no image at all, and none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("pixelfast.sources.seen._SETTLED_SECONDS", -1.0)
    folder = tmp_path / "video"
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    for number, suffix in enumerate(("jpg", "png", "bmp", "tif", "webp")):
        Image.fromarray(pixels).save(folder / f"{number}.{suffix}")
    whole = (folder / "0.jpg").read_bytes()
    (folder / "5.jpg").write_bytes(whole[: len(whole) * 9 // 10])
    (folder / "6.jpg").write_bytes(b"")
    (folder / "7.jpg").write_bytes(b"no image")
    (folder / "8.jpg").symlink_to("gone.jpg")
    (folder / "9.jpg").mkdir()
    return folder


def opened(folder: Path, reading: Reading | None = None) -> FolderVideo:
    names = [path.name for path in folder.iterdir()]
    return FolderVideo(folder, names) if reading is None else FolderVideo(folder, names, reading=reading)


def decoded(video: FolderVideo, chunk: int = 3, threads: int = 2) -> bytes:
    return b"".join(one.digests for one in video.chunks(8, 8, "grey", chunk, threads, digests=True))


@pytest.mark.parametrize("chunk", [1, 4, 64])
@pytest.mark.parametrize("threads", [1, 2, 5, 16])
def test_what_is_hashed_in_decoding_is_the_fingerprint(folder: Path, chunk: int, threads: int) -> None:
    shutil.copytree(folder, folder.with_name("copy") / "video", symlinks=True)
    paths = sorted(folder.iterdir())
    plain = hashlib.sha256(decoded(opened(folder), chunk, threads)).digest()
    assert plain == _core.fingerprint_files(paths) == opened(folder).fingerprint()
    assert decoded(opened(folder.with_name("copy") / "video"), chunk, threads) == decoded(opened(folder))
    for reading in (Reading(), Reading(orientation=False), Reading(depth=12)):
        video = opened(folder, reading)
        files = hashlib.sha256(decoded(video, chunk, threads)).digest()
        assert video.fingerprint_of(files) == video.fingerprint()


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_nothing_depends_on_how_many_pieces_are_under_way(folder: Path, chunk: int) -> None:
    picture = Image.fromarray(np.random.default_rng(2).integers(0, 256, (48, 64), np.uint8))
    picture.save(folder / "10.tif", save_all=True, append_images=[picture])
    picture.save(
        folder / "11.jpg", exif=bytes.fromhex("4578696600004d4d002a00000008000101120003000000010003000000000000")
    )

    def everything(chunk: int, threads: int) -> list[object]:
        video = opened(folder)
        some = joined(list(video.chunks(8, 8, "grey", chunk, threads, digests=True)))
        seen = some.frame_ids.tolist(), some.frames.tolist(), some.status.tolist(), some.digests
        return [*seen, video.harmless, video.turned, video.several]

    plain = everything(64, 1)
    assert plain[-2:] == [{11}, {10: 2}]
    assert everything(chunk, 16) == everything(chunk, 2) == plain


def test_only_where_it_is_asked_for(folder: Path) -> None:
    files, hashed = [str(path) for path in sorted(folder.iterdir())], list[bytes]()
    plain, status = _core.decode_frames(files, 8, 8)
    frames, _ = _core.decode_frames(files, 8, 8, digests=hashed)
    np.testing.assert_array_equal(frames, plain)
    assert [len(one) for one in hashed] == [32] * len(files)
    assert status.tolist() == [0, 0, 0, 0, 0, 1, 2, 2, 2, 2]
    assert all(chunk.digests == b"" for chunk in opened(folder).chunks(8, 8))


def test_what_was_decoded_whole_is_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (6, 7, 8):
        (folder / f"{number}.jpg").unlink()
    (folder / "9.jpg").rmdir()
    digests = decoded(opened(folder))
    monkeypatch.setattr(_core, "fingerprint_files", None)  # what would read them
    assert opened(folder).fingerprint() == hashlib.sha256(digests).digest()


def test_a_file_that_was_away_is_looked_at_again(folder: Path) -> None:
    digests = decoded(opened(folder))
    assert opened(folder).fingerprint() == hashlib.sha256(digests).digest()
    about = folder.stat()
    (folder / "gone.jpg").write_bytes((folder / "0.jpg").read_bytes())
    (folder / "gone.jpg").rename(folder.with_name("back.jpg"))
    (folder / "8.jpg").unlink()
    folder.with_name("back.jpg").rename(folder / "8.jpg")
    os.utime(folder, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert opened(folder).fingerprint() != hashlib.sha256(digests).digest()


def count_readings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Gets the number of files of each pass that only hashes them."""
    read, real = list[int](), _core.fingerprint_files
    monkeypatch.setattr(_core, "fingerprint_files", lambda files: read.append(len(files)) or real(files))
    return read


def test_scoring_reads_files_once(
    make_source: MakeSource, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source, parts = make_source(**footage(20)), tmp_path / "parts"
    read = count_readings(monkeypatch)
    first = pixelfast.score(source, model.folder, parts=parts)
    assert read == []
    monkeypatch.undo()
    for video in open_source(source):
        (part,) = parts.glob(f"{video.name}.*")
        assert read_part(part).footage == video.fingerprint().hex()
    again = pixelfast.score(source, model.folder, parts=parts, chunk=7, threads=1)
    assert again.reused == len(first.videos)
    np.testing.assert_array_equal(again.raw, first.raw)


def test_training_reads_files_once(make_source: MakeSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("pixelfast.sources.seen._SETTLED_SECONDS", -1.0)
    videos = open_source(make_source(**footage(20)))
    read = count_readings(monkeypatch)
    _decode(videos, tmp_path / "model.training", TrainingRequest(), 2)
    assert read == []
    assert (tmp_path / "model.training" / "footage.json").is_file()
