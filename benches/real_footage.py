"""Trains and scores real footage and prints the table: AP, AUROC and the time of each phase.

    python benches/real_footage.py ../shared/data/ped2 --out /tmp/ped2 --recipes default source

DATA holds `training/`, `testing/` (folders of frames a video) and `labels.csv`.
"""

import argparse
import logging
import time
from pathlib import Path

import pixelfast

SETTINGS = [(stride, pool) for stride in (1, 4) for pool in ("mean", "worst")]


def train(data: Path, out: Path, recipe: str, epochs: int | None, precision: str | None) -> float:
    """Trains `recipe` into `out` unless a model is there; returns the seconds it took (0 where it was there)."""
    if (out / "model.json").exists():
        return 0.0
    begin = time.perf_counter()
    pixelfast.train(data / "training", out, recipe=recipe, epochs=epochs, precision=precision, progress=None)
    seconds = time.perf_counter() - begin
    pixelfast.export(out, "onnx", stride=4)
    return seconds


def row(data: Path, model: Path, recipe: str, stride: int, pool: str) -> str:
    """One line of the table: scored from files to evaluation, nothing reused from an earlier run."""
    begin = time.perf_counter()
    scores = pixelfast.score(data / "testing", engine=model, stride=stride, pool=pool)
    wall = time.perf_counter() - begin
    found = pixelfast.evaluate(scores, data / "labels.csv")
    phases = ", ".join(f"{name} {seconds:.2f}" for name, seconds in scores.phases.items())
    return (
        f"| {recipe} | {stride} | {pool} | {found.ap:.3f} | {found.auroc:.3f} | {found.abnormal_share:.3f} "
        f"| {wall:.1f} | {len(scores.raw) / wall:.0f} | {phases} |"
    )


def main() -> None:
    """Prints one table row a recipe, stride and pool."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for the trained models")
    parser.add_argument("--recipes", nargs="+", default=["default", "source"])
    parser.add_argument("--epochs", type=int, default=None, help="instead of the recipe's own")
    parser.add_argument("--precision", default=None, help="fp32 or bf16, instead of the recipe's own")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = []
    for recipe in arguments.recipes:
        model = arguments.out / recipe
        seconds = train(arguments.data, model, recipe, arguments.epochs, arguments.precision)
        lines.append(f"{recipe}: trained in {seconds:.0f} s")
        lines += [row(arguments.data, model, recipe, *setting) for setting in SETTINGS]
    print("| recipe | stride | pool | AP | AUROC | abnormal | seconds | frames/s | phases, seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
