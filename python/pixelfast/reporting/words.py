"""What the page says of a moment, in words."""

from typing import Final

import numpy as np

from pixelfast.scores import Scores
from pixelfast.scores.highlights import Highlight
from pixelfast.scores.moments import time_at
from pixelfast.scores.words import clock, span

MARKS: Final = {
    "flipped": "upside down in the footage, upright here",
    "repaired": "could not be read in full",
    "noisy": "far noisier than the rest of the video",
    "frozen": "the picture stood still",
}
"""The marks of a frame, and what each means."""


def when(scores: Scores, row: int) -> str:
    """Returns the time of a row where it is known, else its frame number."""
    seconds = time_at(scores, row)
    return f"frame {scores.frame[row]}" if seconds is None else clock(seconds)


def how_long(scores: Scores, moment: Highlight) -> str:
    """Returns how long a moment lasts, in frames, and in seconds where they are known."""
    frames = moment.stop - moment.start
    first, last = time_at(scores, moment.start), time_at(scores, moment.stop - 1)
    many = "1 frame" if frames == 1 else f"{frames:,} frames"
    if first is None or last is None or frames == 1:
        return many
    each = (last - first) / (frames - 1)
    return f"{span(last - first + each)} ({many})"


def how_rare(tail: float | None, rank: float, held_out: int | None = None, step: float | None = None) -> str:
    """Returns how often normal footage comes as high, as a clause.

    Args:
        tail: the share of held-out normal frames at or above it; None without a calibration.
        rank: its rank among the frames scored.
        held_out: how many frames were held out; None where that is not known.
        step: seconds from frame to frame; None where they are not known.

    Examples:
        >>> from pixelfast.reporting.words import how_rare
        >>> how_rare(0.001, 1.0, step=0.04)
        'normal footage comes this high once in 1,000 frames (40 s)'
    """
    if tail is None:
        return f"higher than {np.floor(1000 * rank) / 10:.1f}% of the frames scored"
    if tail <= 0:
        return f"no normal frame {f'of the {held_out:,} ' if held_out else ''}held out came this high"
    frames = round(1 / tail)
    if frames < 2:
        return "normal footage often comes this high"
    often = "" if step is None else f" ({span(frames * step)})"
    return f"normal footage comes this high once in {frames:,} frames{often}"


def reason(scores: Scores, row: int) -> str:
    """Returns why a frame stands out, as a sentence without its full stop."""
    why = None if scores.why is None else scores.why.at(row).reason
    said = why or f"unlike the normal footage ({scores.method})"
    return said[:1].upper() + said[1:]


def marks(scores: Scores, moment: Highlight) -> list[str]:
    """Returns a clause for each mark that frames of a moment have."""
    rows = slice(moment.start, moment.stop)
    found = [(name, int(getattr(scores, name)[rows].sum())) for name in MARKS]
    whole = plural(moment.stop - moment.start, "frame")
    return [f"{name}: {many:,} of {whole} ({MARKS[name]})" for name, many in found if many]


def plural(count: int, one: str) -> str:
    """Returns a count and what is counted."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"
