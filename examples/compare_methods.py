"""Compares what looks unusual with what moves unusually: both methods on the same footage.

python examples/compare_methods.py normal/ new/ labels.csv
"""

import sys
from pathlib import Path

import pixelfast

MODELS = {"reconstruction": "model", "motion": "motion-model"}


def scored(method: str, normal: str, new: str) -> pixelfast.Scores:
    """Scores of one method, which learns first where it has no model yet."""
    if not Path(MODELS[method]).exists():
        pixelfast.train(normal, MODELS[method], method=method)
    return pixelfast.score(new, engine=MODELS[method])


def main(normal: str, new: str, labels: str) -> None:
    """Prints how good each method is and the frame on which they differ most."""
    both = {method: scored(method, normal, new) for method in MODELS}
    for method, scores in both.items():
        result = pixelfast.evaluate(scores, labels)
        print(f"{method}: average precision {result.ap:.3f}, AUROC {result.auroc:.3f}")
    looks, moves = both.values()
    row = int(abs(looks.rank - moves.rank).argmax())
    place = f"{looks.videos[looks.video_index[row]]} frame {looks.frame[row]}"
    print(f"furthest apart: {place}, rank {looks.rank[row]:.2f} by looks and {moves.rank[row]:.2f} by motion")


if __name__ == "__main__":
    main(*sys.argv[1:])
