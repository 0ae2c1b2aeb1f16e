"""What pixelfast does, one function each; the command line has the same names and defaults."""

from pixelfast.api.footage import clean, dry_run, merge, propose_mask, score
from pixelfast.api.models import calibrate, convert, export, learn, train
from pixelfast.api.results import evaluate, report

__all__ = [
    "calibrate", "clean", "convert", "dry_run", "evaluate", "export", "learn", "merge", "propose_mask", "report",
    "score", "train",
]  # fmt: skip
