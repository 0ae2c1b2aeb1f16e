"""The result: one row a frame."""

from pixelfast.scores.table import Event, RankedFrame, Scores

__all__ = ["Event", "RankedFrame", "Scores"]
