"""The pictures beside a moment."""

from pixelfast.scores import Scores
from pixelfast.scores.highlights import Highlight
from pixelfast.scores.selecting import rows_of_video

_STRIP = 3
"""Pictures on each side of the peak in a filmstrip."""
_LEAST_STEP, _MOST_STEP = 4, 12
"""Frames between two of them: a second to three around the peak, at 25 frames a second."""


def filmstrip(scores: Scores, moment: Highlight) -> list[int]:
    """Returns the rows of its filmstrip in the order of time, the peak among them."""
    rows = rows_of_video(scores, moment.video)
    step = min(max(-(-(moment.stop - moment.start) // (2 * _STRIP)), _LEAST_STEP), _MOST_STEP)
    around = (moment.peak + step * side for side in range(-_STRIP, _STRIP + 1))
    return [row for row in around if rows.start <= row < rows.stop]
