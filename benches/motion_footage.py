"""Trains and scores the motion method on real footage and prints its tables.

    python benches/motion_footage.py ../shared/data/ped2 --out /tmp/motion --presets fast medium

DATA holds `training/`, `testing/` (folders of frames a video) and `labels.csv`. The first table is of scores, the GRU
beside the plain norm of the flow (recipe `plain`); the second of errors of prediction on the test footage, the GRU
beside persistence and the mean training flow.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import pixelfast
from pixelfast.flow.dis import DisFlow
from pixelfast.flow.footage import video_flows
from pixelfast.machine.threads import usable_threads
from pixelfast.methods.motion.engine import load_motion_engine
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.model import Model
from pixelfast.sources import open_source

Flows = list[NDArray[np.float32]]


def trained(data: Path, out: Path, recipe: str, preset: str) -> Model:
    """The model of a recipe and preset, trained unless it is there."""
    folder = out / f"{recipe}-{preset}"
    if (folder / "model.json").exists():
        return Model.load(folder)
    return pixelfast.train(data / "training", folder, method="motion", recipe=recipe, flow_preset=preset)


def score_row(data: Path, model: Model, preset: str, pool: str) -> str:
    """One line: scored from files to evaluation, nothing reused from an earlier run."""
    begin = time.perf_counter()
    scores = pixelfast.score(data / "testing", engine=model.folder, pool=pool)
    wall = time.perf_counter() - begin
    found = pixelfast.evaluate(scores, data / "labels.csv")
    phases = ", ".join(f"{name} {seconds:.2f}" for name, seconds in scores.phases.items())
    return (
        f"| {preset} | {model.manifest.recipe} | {pool} | {found.ap:.3f} | {found.auroc:.3f} | {wall:.1f} "
        f"| {len(scores) / wall:.0f} | {phases} |"
    )


def flows(folder: Path, preset: str) -> Flows:
    """The flows f32[n, 2, 64, 64] of each video of a folder."""
    videos, threads = open_source(folder), usable_threads(None)
    engine = DisFlow(preset, threads)
    return [np.concatenate(list(video_flows(engine, video, True, threads))) for video in videos]


def error_row(data: Path, model: Model, preset: str) -> str:
    """Mean squared errors of prediction on the test footage, in scaled units."""
    training, testing = (flows(data / name, preset) for name in ("training", "testing"))
    known = MotionFacts.of(model)
    engine = load_motion_engine(model.folder / "motion.onnx", usable_threads(None))
    mean = sum(some.sum(axis=0, dtype=np.float64) for some in training) / sum(map(len, training))
    values = testing[0][0].size

    def predicted(some: NDArray[np.float32]) -> float:
        return float(engine.errors(np.concatenate([np.repeat(some[:1], known.past, axis=0), some])).sum()) / values

    squares = {
        "GRU": sum(map(predicted, testing)),
        "persistence": sum(float(np.square(np.diff(some, axis=0)).sum()) for some in testing) / values / known.scale**2,
        "mean flow": sum(float(np.square(some - mean).sum()) for some in testing) / values / known.scale**2,
        "no motion": sum(float(np.square(some).sum()) for some in testing) / values / known.scale**2,
    }
    count = sum(map(len, testing))
    return f"| {preset} | " + " | ".join(f"{total / count:.3f}" for total in squares.values()) + " |"


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for the trained models")
    parser.add_argument("--presets", nargs="+", default=["fast", "medium"])
    parser.add_argument("--recipes", nargs="+", default=["default", "plain", "source"])
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    print("| DIS | recipe | pool | AP | AUROC | seconds | frames/s | phases, seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for preset in arguments.presets:
        for recipe in arguments.recipes:
            model = trained(arguments.data, arguments.out, recipe, preset)
            for pool in ("mean", "worst"):
                print(score_row(arguments.data, model, preset, pool), flush=True)
    print("\n| DIS | GRU | persistence | mean flow | no motion |\n| --- | --- | --- | --- | --- |")
    for preset in arguments.presets:
        print(error_row(arguments.data, trained(arguments.data, arguments.out, "default", preset), preset), flush=True)


if __name__ == "__main__":
    main()
