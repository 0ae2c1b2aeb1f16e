"""The whole global pass: parts of many videos to a file of scores, as `pixelfast.merge` does it, phase by phase.

    python benches/global_pass.py --frames 1e6 1e7 5e7 --work /tmp/global_pass [--json FILE]

Prints a table. Each row is measured in a process of its own, on parts that were just written and so are read from
memory, with every column that a run can have (calibrated tails, times). Memory is the largest the process ever had
while it read the parts and wrote the Parquet.
"""

import argparse
import dataclasses
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

LAYOUTS = {"short": [1_000], "long": [10_000], "uneven": [100, 1_000, 10_000, 1_000_000]}


@dataclass(frozen=True)
class Row:
    """A line of the table: the work, seconds of each phase, what came out."""

    frames: int
    layout: str
    videos: int
    read_seconds: float
    global_seconds: float
    parquet_seconds: float
    csv_seconds: float
    peak_gb: float
    parquet_mb: float
    csv_mb: float

    @property
    def seconds(self) -> float:
        """From parts to Parquet."""
        return self.read_seconds + self.global_seconds + self.parquet_seconds


def rows(frames: Iterable[int], layouts: Iterable[str], work: Path, threads: int) -> Iterator[Row]:
    """Measures every number of frames in every layout; `work` is a folder for parts and results, emptied after each."""
    for count in frames:
        for layout in layouts:
            with tempfile.TemporaryDirectory(dir=work) as folder:
                write_parts(Path(folder) / "parts", lengths(count, layout))
                command = [sys.executable, __file__, "--one", folder, "--threads", str(threads)]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            yield Row(frames=count, layout=layout, **json.loads(done.stdout))


def lengths(frames: int, layout: str) -> list[int]:
    """How many frames each video has: the layout's lengths in turn, equally many frames in videos of each length."""
    sizes = LAYOUTS[layout]
    found: list[int] = []
    for size in sizes:
        share = frames // len(sizes)
        found += [size] * (share // size) + [share % size] * (share % size > 0)
    return found


def write_parts(folder: Path, lengths: list[int]) -> None:
    """Part files as a run leaves them, without error maps; no disk is waited for."""
    from pixelfast.calibration import Calibration
    from pixelfast.pipeline.clean import FrameRecord
    from pixelfast.pipeline.parts import Job, Part, save_part

    folder.mkdir()
    rng = np.random.default_rng(0)
    use = {"engine": "ae.onnx", "precision": "fp32", "stride": 1, "how": "mean", "pool": "mean", "smooth": 3}
    calibration = Calibration.measure(rng.gamma(2, 0.01, 100_000), **use)
    plain = json.loads(json.dumps(dataclasses.asdict(calibration)))
    job = Job("ae.onnx", {"method": "reconstruction", "engine_sha256": "0" * 64}, 3, plain, len(lengths))
    for number, length in enumerate(lengths):
        frame, no = np.arange(length), np.zeros(length, np.bool_)
        raw = rng.standard_gamma(2, length, np.float32) / 100
        part = Part(f"camera_{number:06d}", "0" * 64, raw, FrameRecord(frame, no, no, no, frame / 25), None, job)
        with (folder / f"{part.video}.{number:016x}.npz").open("wb") as file:
            save_part(file, part)


def measure(folder: Path, threads: int) -> dict[str, float]:
    """One row's measurements; in a fresh process, for the memory's sake."""
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401

    from pixelfast.pipeline import merge
    from pixelfast.pipeline.global_pass import global_pass
    from pixelfast.pipeline.parts import read_parts
    from pixelfast.pipeline.run import calibration_from

    def read() -> tuple[Any, Any]:
        files = merge._files(folder / "parts")
        read = dict(zip(files, read_parts(files, threads), strict=True))
        return merge._one_job(read), merge._one_a_video(read)

    (job, parts), read_seconds = timed(read)
    calibration = calibration_from(job.calibration)
    scores, global_seconds = timed(
        lambda: global_pass(parts, "reconstruction", job.smooth, calibration, notes=[], threads=threads)
    )
    parquet, parquet_seconds = timed(lambda: scores.write(folder / "scores.parquet"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    csv, csv_seconds = timed(lambda: scores.write(folder / "scores.csv", threads=threads))
    return {
        "videos": len(parts),
        "read_seconds": read_seconds,
        "global_seconds": global_seconds,
        "parquet_seconds": parquet_seconds,
        "csv_seconds": csv_seconds,
        "peak_gb": peak / 1e9,
        "parquet_mb": parquet.stat().st_size / 1e6,
        "csv_mb": csv.stat().st_size / 1e6,
    }


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def line(row: Row) -> str:
    return (
        f"| {row.frames:,} | {row.videos:,} | {row.read_seconds:.2f} | {row.global_seconds:.2f} "
        f"| {row.parquet_seconds:.2f} | {row.seconds:.1f} | {row.csv_seconds:.2f} | {row.peak_gb:.1f} "
        f"| {row.parquet_mb:,.0f} | {row.csv_mb:,.0f} |"
    )


HEADER = """\
| frames | videos | read parts, s | global pass, s | Parquet, s | in all, s | CSV instead, s | peak, GB | Parquet, MB | CSV, MB |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""  # noqa: E501


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=lambda text: int(float(text)), nargs="+", default=[10**6, 10**7, 5 * 10**7])
    parser.add_argument("--layouts", choices=LAYOUTS, nargs="+", default=["long"])
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="where to write the rows, too")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one, asked.threads)))
        return
    asked.work.mkdir(parents=True, exist_ok=True)
    print(HEADER)
    found = []
    for row in rows(asked.frames, asked.layouts, asked.work, asked.threads):
        print(line(row), flush=True)
        found.append(asdict(row))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
