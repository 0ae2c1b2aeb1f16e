"""How much a density model's figure hangs on one training video: each is left out in turn.

    python benches/leave_one_out.py ../shared/data/ped2 --out /tmp/without

DATA holds `training/`, `testing/` (folders of frames a video) and `labels.csv`. Prints the AUROC without each training
video, and how far it moves at most. The flip classifier is trained hardly at all and not used: the footage is upright.
"""

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import pixelfast
from pixelfast.methods.density.recipe import RECIPES


def figure(videos: list[Path], data: Path, out: Path, recipe: str) -> float:
    whole = RECIPES[recipe]
    short = replace(whole, flip=replace(whole.flip, epochs=1, least_steps=1))
    pixelfast.train(videos, out, method="density", recipe=short, fresh=True)
    scores = pixelfast.score(data / "testing", out, flip="never")
    return pixelfast.evaluate(scores, data / "labels.csv").auroc


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="model folder, written again and again")
    parser.add_argument("--recipe", default="default")
    arguments = parser.parse_args()
    logging.getLogger("pixelfast").setLevel(logging.ERROR)
    videos = sorted(path for path in (arguments.data / "training").iterdir() if path.is_dir())
    whole = figure(videos, arguments.data, arguments.out, arguments.recipe)
    print(f"all {len(videos)} videos: {whole:.3f}", flush=True)
    moves = []
    for video in videos:
        rest = [one for one in videos if one != video]
        found = figure(rest, arguments.data, arguments.out, arguments.recipe)
        moves.append(abs(found - whole))
        print(f"without {video.name}: {found:.3f}", flush=True)
    print(f"it moves by {max(moves):.3f} at most")


if __name__ == "__main__":
    main()
