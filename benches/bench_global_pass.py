"""The global pass over part files: read, normalise, smooth, rank, write Parquet; against NumPy, SciPy and PyArrow."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pixelfast
from oracles import global_pass
from pixelfast.cleaning.stage import FrameRecord
from pixelfast.pipeline.parts import Job, Part, write_part

A_VIDEO = 25_000  # frames
Write = Callable[[int], Path]


@pytest.fixture(scope="module")
def parts(size: Callable[[int, int], int], tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Writes the parts of so many million frames, once: raw scores that are positive and heavy-tailed."""

    def write(millions: int) -> Path:
        videos = size(millions * 1_000_000 // A_VIDEO, millions)
        folder = tmp_path_factory.getbasetemp() / f"parts_{millions}"
        if folder.exists():
            return folder
        folder.mkdir()
        job = Job("ae.onnx", {"method": "reconstruction"}, smooth=3, videos=videos)
        rng, no = np.random.default_rng(0), np.zeros(A_VIDEO, bool)
        for number in range(videos):
            raw = rng.standard_gamma(2.0, A_VIDEO, dtype=np.float32) / 100
            record = FrameRecord(np.arange(A_VIDEO), no, no, no, None)
            write_part(folder / f"{number}.arrow", Part(f"camera {number}", "", raw, record, None, job))
        pixelfast.merge(folder, folder.with_suffix(".parquet"))  # what it imports at first is none of its speed
        return folder

    return write


@pytest.mark.versus("global_pass_1m", peer="NumPy, SciPy", gated=False)
def test_1_million_frames(contest, parts: Write, tmp_path: Path) -> None:
    """1 million frames in 40 parts."""
    against_scipy(contest, parts(1), tmp_path)


@pytest.mark.versus("global_pass_10m", peer="NumPy, SciPy", gated=False)
def test_10_million_frames(contest, parts: Write, tmp_path: Path) -> None:
    """10 million frames in 400 parts."""
    against_scipy(contest, parts(10), tmp_path)


@pytest.mark.versus("global_pass_50m", peer=None, repeats=1)
def test_50_million_frames(contest, parts: Write, tmp_path: Path) -> None:
    """50 million frames in 2,000 parts."""
    folder, out = parts(50), tmp_path / "scores.parquet"
    contest(ours=lambda: pixelfast.merge(folder, out), warmup_rounds=0, note=described(folder))


def against_scipy(contest, folder: Path, tmp_path: Path) -> None:
    contest(
        ours=lambda: pixelfast.merge(folder, tmp_path / "scores.parquet"),
        plain=lambda: by_scipy(folder, tmp_path / "plain.parquet"),
        note=described(folder),
    )


def described(folder: Path) -> str:
    return f"{len(list(folder.glob('*.arrow'))):,} parts of {A_VIDEO:,} frames"


def by_scipy(folder: Path, out: Path) -> None:
    """The same columns of the same parts, by the oracle."""
    names = ("raw", "frame", "flipped", "repaired", "noisy")
    videos = sorted(folder.glob("*.arrow"), key=lambda path: int(path.stem))
    parts = [pa.ipc.open_file(path).get_batch(0) for path in videos]
    whole = {name: np.concatenate([part[name].to_numpy() for part in parts]) for name in names}
    lengths = [len(part) for part in parts]
    score = global_pass.smooth(global_pass.normalise(whole["raw"].astype(np.float64)), lengths)
    video = pa.DictionaryArray.from_arrays(
        np.repeat(np.arange(len(videos), dtype=np.int32), lengths), [f"camera {path.stem}" for path in videos]
    )
    pq.write_table(pa.table({"video": video, **whole, "score": score, "rank": global_pass.rank(score)}), out)
