"""Writes a competition's submission: a row `Id,Predicted` for every test frame, in natural order.

python examples/submission.py training/ testing/ [labels.csv]
"""

import sys
from pathlib import Path

import pixelfast


def main(training: str, testing: str, labels: str | None = None, model: str = "model") -> None:
    """Trains unless the model is there, writes `submission.csv`, and judges it where labels are given."""
    if not Path(model).exists():
        pixelfast.train(training, model)
    scores = pixelfast.score(testing, engine=model, out=["submission.csv", "scores.parquet"])
    print(f"submission.csv: {len(scores):,} rows")
    if labels is not None:
        result = pixelfast.evaluate("submission.csv", labels)
        print(f"average precision {result.ap:.3f}, by chance {result.abnormal_share:.3f}; AUROC {result.auroc:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
