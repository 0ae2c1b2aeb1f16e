"""Learns from footage of normal days and says when the new footage shows something unusual.

python examples/own_footage.py normal/ new/      (video files, folders of frames, or folders of either)
"""

import sys
from pathlib import Path

import pixelfast


def main(normal: str, new: str, model: str = "model") -> None:
    """Trains unless the model is there, scores the new footage, and prints its unusual moments."""
    if not Path(model).exists():
        pixelfast.train(normal, model)
    scores = pixelfast.score(new, engine=model, out="scores.parquet", events="events.csv", alarm_rate="1/hour")
    print(scores.summary())
    for event in scores.events():
        when = f"frames {event.start} to {event.end}" if event.seconds is None else f"second {event.seconds:.1f}"
        rare = "" if event.hours is None else f", as normal footage does once in {event.hours:.3g} hours"
        print(f"{event.video}, {when}: {event.reason or 'unlike the normal footage'}{rare}")


if __name__ == "__main__":
    main(*sys.argv[1:])
