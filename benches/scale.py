"""What a year of footage costs: parts of many videos, put together, ranked and written, and a run that goes on and on.

    python benches/scale.py --out /tmp/scale                   # 1, 2, 5 and 10 million frames, in 20,000 videos at most
    python benches/scale.py --out /tmp/scale --frames 1000000
    python benches/scale.py --out /tmp/scale --run             # score itself: memory of long runs, many short videos

The engine is replaced by an array that was recorded (drawn once, by a seed); all else is what `merge` does: part files
are read, the global pass runs, CSV and Parquet are written. Each is a process of its own, on two cores; seconds and the
highest memory are of that whole process, its imports too.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pixelfast.cleaning.stage import FrameRecord
from pixelfast.pipeline.listing import Place
from pixelfast.pipeline.parts import Job, Part, write_part

VIDEOS = 20_000
SIZE = 32
FRAMES = (1_000_000, 2_000_000, 5_000_000, 10_000_000)
MEASURED = """
import json, resource, sys, time
from pixelfast.cli.run import run
begun = time.perf_counter()
code = run(sys.argv[1:])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print("\\n" + json.dumps({"code": code, "seconds": time.perf_counter() - begun, "bytes": peak}))
"""


def write_parts(folder: Path, frames: int) -> None:
    """The parts of a source of so many frames, in as many videos as make 500 frames each or more."""
    folder.mkdir(parents=True)
    videos = min(VIDEOS, frames // 50)
    rng = np.random.default_rng(0)
    raw = rng.gamma(2.0, 0.01, frames).astype(np.float32)
    settings = {"method": "reconstruction", "engine_sha256": "0" * 64, "pool": "mean"}
    job = Job("ae.onnx", settings, smooth=3, videos=videos, source="recorded")
    edges = np.linspace(0, frames, videos + 1).astype(np.int64)
    for index in range(videos):
        some = raw[edges[index] : edges[index + 1]]
        no = np.zeros(len(some), np.bool_)
        record = FrameRecord(np.arange(len(some), dtype=np.int64), no, no, no, None, no)
        name = f"camera/{index:05d}"
        part = Part(name, f"{index:064x}", some, record, None, job, [], len(some), Place(index, ()), "", None)
        write_part(folder / f"{index:05d}.{index:016x}.arrow", part)


def measured(*arguments: object) -> dict[str, float]:
    """Seconds and the highest memory of a command in a process of its own, on two cores."""
    command = [sys.executable, "-c", MEASURED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=_on_two_cores)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _on_two_cores() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def global_pass(out: Path, sizes: list[int]) -> None:
    """Prints, for each number of frames, seconds and memory of a merge, and what growing costs."""
    print(f"{'frames':>12} {'videos':>8} {'seconds':>8} {'MiB':>6}  of n log n")
    first: tuple[int, float] | None = None
    for frames in sizes:
        parts = out / f"parts-{frames}"
        if not parts.is_dir():
            begun = time.perf_counter()
            write_parts(parts, frames)
            print(f"(parts written in {time.perf_counter() - begun:.0f} s)")
        one = measured("merge", parts, "--out", out / "scores.csv", "--out", out / "scores.parquet")
        first = first or (frames, one["seconds"])
        grown = one["seconds"] / first[1] / (frames * math.log(frames) / (first[0] * math.log(first[0])))
        videos = min(VIDEOS, frames // 50)
        print(f"{frames:12,} {videos:8,} {one['seconds']:8.1f} {one['bytes'] / 2**20:6.0f}  {grown:.2f}", flush=True)


def recorded_engine(path: Path) -> Path:
    """An engine of frames that computes next to nothing: a window's error is the mean of its first frame."""
    given = {
        "first": np.array([0], np.int64), "last": np.array([-15], np.int64), "axis": np.array([0], np.int64),
        "column": np.array([-1, 1, 1, 1], np.int64), "like": np.full((1, 16, 8, 8), 1 / 255, np.float32),
    }  # fmt: skip
    nodes = [
        helper.make_node("Slice", ["frames", "first", "last", "axis"], ["starts"]),
        helper.make_node("Cast", ["starts"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("Reshape", ["means", "column"], ["windows"]),
        helper.make_node("Mul", ["windows", "like"], ["window_errors"]),
    ]
    ends = (
        helper.make_tensor_value_info("frames", TensorProto.UINT8, ["N", SIZE, SIZE]),
        helper.make_tensor_value_info("window_errors", TensorProto.FLOAT, ["W", 16, 8, 8]),
    )
    known = [numpy_helper.from_array(value, name) for name, value in given.items()]
    graph = helper.make_graph(nodes, "recorded", [ends[0]], [ends[1]], known)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9)
    facts = {"kind": "ae", "format": "1", "window": "16", "stride": "1", "grid": "8"}
    helper.set_model_props(model, {f"pixelfast.{name}": value for name, value in facts.items()})
    onnx.save(model, path)
    return path


def runs(out: Path) -> None:
    """Prints memory of long runs, and what a video costs among many, by `score` on drawn frames of 32x32."""
    engine = recorded_engine(out / "ae.onnx")
    for name, videos, frames in (
        ("1,000 frames", 1, 1_000),
        ("100,000 frames", 1, 100_000),
        ("2,000 videos", 2_000, 20),
        ("20,000 videos", 20_000, 20),
    ):
        source = out / name.replace(",", "").replace(" ", "-")
        draw(source, videos, frames)
        parts = out / f"parts-of-{source.name}"
        shutil.rmtree(parts, ignore_errors=True)
        one = measured("score", source, "--engine", engine, "--out", out / "run.parquet", "--parts", parts)
        each = one["seconds"] / videos * 1e3
        print(f"{name:>15} {one['seconds']:8.1f} s {one['bytes'] / 2**20:6.0f} MiB {each:10.2f} ms a video", flush=True)


def draw(source: Path, videos: int, frames: int) -> None:
    """Folders of frames, all of them links to a few files of noise."""
    if source.is_dir():
        return
    import cv2

    rng, few = np.random.default_rng(1), source.parent / "few"
    few.mkdir(exist_ok=True)
    for index in range(16):
        cv2.imwrite(str(few / f"{index}.jpg"), rng.integers(0, 255, (32, 32), np.uint8))
    for video in range(videos):
        folder = source / f"{video:05d}"
        folder.mkdir(parents=True)
        for frame in range(frames):
            os.link(few / f"{(video + frame) % 16}.jpg", folder / f"{frame:06d}.jpg")


def main() -> None:
    """Measures what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for what is made; taken again")
    parser.add_argument("--frames", type=int, nargs="+", default=list(FRAMES))
    parser.add_argument("--run", action="store_true", help="score itself, instead of the global pass")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.run:
        runs(given.out)
    else:
        global_pass(given.out, given.frames)


if __name__ == "__main__":
    main()
