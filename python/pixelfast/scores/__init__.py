"""The result: one row a frame."""

from pixelfast.scores.moments import Event, RankedFrame
from pixelfast.scores.table import Scores

__all__ = ["Event", "RankedFrame", "Scores"]
