"""The most unusual moments: high frames of which no two are neighbours."""

from pixelfast.scores.table import RankedFrame, Scores

APART = 15
"""Frames between two moments: nearer ones are one and the same, as long as a window is."""


def top_moments(scores: Scores, n: int = 8) -> list[RankedFrame]:
    """Returns the `n` most unusual moments: the highest frames, each with its neighbourhood counted once."""
    moments: list[RankedFrame] = []
    # Each moment hides at most 2 * APART - 1 frames of its video, so so many frames are enough.
    for frame in scores.top(n * 2 * APART):
        if all(frame.video != other.video or abs(frame.frame - other.frame) >= APART for other in moments):
            moments.append(frame)
        if len(moments) == n:
            break
    return moments
