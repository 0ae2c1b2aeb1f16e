"""Tells a density model that some moments are normal, and shows what alarms are left.

python examples/false_alarms.py model/ new/ 1,3      (numbers as on the page that `pixelfast report` makes)
"""

import sys

import pixelfast


def main(model: str, new: str, numbers: str = "1", wiser: str = "wiser-model") -> None:
    """Scores the footage, learns those moments, scores again with the new model."""
    before = pixelfast.score(new, engine=model)
    normal = [int(number) for number in numbers.split(",")]
    pixelfast.learn(model, new, before, normal, out=wiser)
    after = pixelfast.score(new, engine=wiser)
    print(f"{len(before.events())} alarms before, {len(after.events())} after; the model that knows is {wiser}")


if __name__ == "__main__":
    main(*sys.argv[1:])
