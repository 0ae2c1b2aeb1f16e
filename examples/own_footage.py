"""Learns from footage of normal days and says when the new footage shows something unusual.

python examples/own_footage.py normal/ new/
"""

import sys
from pathlib import Path

import pixelfast


def main(normal: str, new: str, model: str = "model") -> None:
    """Trains unless the model is there, scores the new footage, and prints its unusual moments."""
    if not Path(model).exists():
        pixelfast.train(normal, model)
    scores = pixelfast.score(new, engine=model, out="scores.parquet")
    print(scores.summary())
    for event in scores.events():
        print(f"{event.video}: frames {event.start} to {event.end}, most of all {event.peak_frame}: {event.reason}")


if __name__ == "__main__":
    main(*sys.argv[1:])
