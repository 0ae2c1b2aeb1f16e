"""All methods on one set of real footage, side by side: AP, AUROC, RBDC, TBDC, and speed.

    python benches/all_methods.py ../shared/data/ped2 --masks ../shared/data/ped2/masks --out /tmp/ped2

DATA holds `training/`, `testing/` (folders of frames a video) and `labels.csv`. A model that lies in OUT is taken
as it is. Speed is of whole runs from files, nothing reused.
"""

import argparse
import logging
import time
from pathlib import Path

import pixelfast
from pixelfast.methods.registry import all_methods

RECIPES = {"reconstruction": ("default",), "motion": ("default", "plain"), "density": ("default", "source")}
HEAD = ("method", "recipe", "pool", "AP", "AUROC", "RBDC", "TBDC", "training s", "frames/s")


def rows(arguments: argparse.Namespace, method: str, recipe: str) -> list[tuple[str, ...]]:
    """One row a pooling."""
    data, out = arguments.data, arguments.out
    model, begun = out / f"{method}-{recipe}", time.perf_counter()
    if not (model / "model.json").exists():
        pixelfast.train(data / "training", model, method=method, recipe=recipe)
    trained = time.perf_counter() - begun
    found = []
    for pool in all_methods()[method].pools:
        parts, begun = out / f"{method}-{recipe}-{pool}.parts", time.perf_counter()
        scores = pixelfast.score(data / "testing", model, pool=pool, maps=True, parts=parts)
        rate = 0 if scores.reused else len(scores) / (time.perf_counter() - begun)
        where = {} if arguments.masks is None else {"parts": parts, "masks": arguments.masks}
        one = pixelfast.evaluate(scores, data / "labels.csv", **where)
        figures = [f"{value:.3f}" if value is not None else "-" for value in (one.ap, one.auroc, one.rbdc, one.tbdc)]
        found.append((method, recipe, pool, *figures, f"{trained:.0f}", f"{rate:.0f}"))
    return found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--masks", type=Path, help="pixel masks of the test videos, for RBDC and TBDC")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=list(RECIPES))
    arguments = parser.parse_args()
    logging.getLogger("pixelfast").setLevel(logging.ERROR)
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(f"| {' | '.join(HEAD)} |\n| {' | '.join('---' for _ in HEAD)} |")
    for method in arguments.methods:
        for recipe in RECIPES[method]:
            for row in rows(arguments, method, recipe):
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
