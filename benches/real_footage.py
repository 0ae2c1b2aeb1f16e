"""Trains and scores real footage and prints the table: AP, AUROC, agreement of the strides, and times.

    python benches/real_footage.py ../shared/data/ped2 --out /tmp/ped2 --recipes default source
    python benches/real_footage.py ../shared/data/ped2 --out /tmp/ped2 --recipes default --widths 1 0.5 0.25

DATA holds `training/`, `testing/` (folders of frames a video) and `labels.csv`. AP and AUROC are over all frames, of
the mean of the cells and of `--pool worst`. A model that lies in OUT already is taken as it is.
"""

import argparse
import logging
import time
from pathlib import Path

import numpy as np

import pixelfast
from pixelfast.geometry import SOURCE_CHANNELS, WINDOW
from pixelfast.model import Model

STRIDES = (1, 2, 4)
HEAD = ("recipe", "width", "stride", "mean of the cells", "worst", "Spearman with stride 1", "windows/s")


def trained(arguments: argparse.Namespace, recipe: str, width: float | None) -> Model:
    """The model of a recipe and width, trained unless it is there, with engines of all strides."""
    folder = arguments.out / (recipe if width is None else f"{recipe}-{width:g}")
    if not (folder / "model.json").exists():
        pixelfast.train(
            arguments.data / "training", folder, recipe=recipe, width=width, epochs=arguments.epochs,
            precision=arguments.precision,
        )  # fmt: skip
    for stride in STRIDES[1:]:
        pixelfast.export(folder, "onnx", stride=stride)
    return Model.load(folder)


def scored(data: Path, model: Model, stride: int, pool: str) -> tuple[pixelfast.Scores, float]:
    """Scores from files, nothing reused from an earlier run, and the seconds that took."""
    engine = model.folder / ("ae.onnx" if stride == 1 else f"ae.s{stride}.onnx")
    begin = time.perf_counter()
    scores = pixelfast.score(data / "testing", engine=engine, pool=pool)
    return scores, time.perf_counter() - begin


def rows(data: Path, model: Model, recipe: str) -> list[tuple[str, ...]]:
    """One row a stride."""
    channels = model.manifest.training.report["width"]
    table, first = [], None
    for stride in STRIDES:
        outcome = {pool: scored(data, model, stride, pool) for pool in ("mean", "worst")}
        quality = [pixelfast.evaluate(scores, data / "labels.csv") for scores, _ in outcome.values()]
        scores, seconds = outcome["mean"]
        first = first or scores
        agreement = np.corrcoef(first.rank, scores.rank)[0, 1]
        lengths = np.bincount(scores.video_index)
        windows = sum(-(-(length - WINDOW) // stride) + 1 for length in lengths.tolist())
        found = [f"{one.ap:.3f} / {one.auroc:.3f}" for one in quality]
        width = f"{channels / SOURCE_CHANNELS:g}"
        table.append((recipe, width, str(stride), *found, f"{agreement:.4f}", f"{windows / seconds:.0f}"))
    return table


def times(model: Model, name: str) -> str:
    """How long training took, phase by phase."""
    report = model.manifest.training.report
    phases = ", ".join(f"{phase} {seconds:.0f}" for phase, seconds in report["seconds"].items())
    shown = f"{report['epochs']} epochs of {report['windows']} windows, {report['precision']}"
    return (
        f"{name}: trained in {sum(report['seconds'].values()):.0f} s ({phases}); {shown}, {report['threads']} threads"
    )


def main() -> None:
    """Prints one table row a recipe, width and stride, and the training times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for the trained models")
    parser.add_argument("--recipes", nargs="+", default=["default", "source"])
    parser.add_argument("--widths", nargs="+", type=float, default=[None], help="instead of the recipe's own")
    parser.add_argument("--epochs", type=int, default=None, help="instead of the recipe's own")
    parser.add_argument("--precision", default=None, help="fp32 or bf16, instead of the recipe's own")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments.out.mkdir(parents=True, exist_ok=True)
    table, said = [HEAD, ("---",) * len(HEAD)], []
    for recipe in arguments.recipes:
        for width in arguments.widths:
            model = trained(arguments, recipe, width)
            table += rows(arguments.data, model, recipe)
            said.append(times(model, model.folder.name))
    print("\n".join(f"| {' | '.join(row)} |" for row in table))
    print("\n".join(said))


if __name__ == "__main__":
    main()
