"""What the page says: of the whole, and of each moment."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pixelfast.reporting import words
from pixelfast.reporting.charts import Labels
from pixelfast.reporting.pictures import Shown, png
from pixelfast.reporting.where import Kept, heat, worst
from pixelfast.scores import Scores
from pixelfast.scores.highlights import Highlight
from pixelfast.scores.moments import time_at
from pixelfast.scores.selecting import rows_of_video, step_of
from pixelfast.scores.showing import threshold_words
from pixelfast.scores.words import how_often, place


def lead(scores: Scores, moments: Sequence[Highlight], total: int) -> str:
    """Returns what the page is about, in a sentence or two."""
    frames, videos = words.plural(len(scores), "frame"), words.plural(len(scores.videos), "video")
    what = f"{frames} of {videos}, scored by {scores.method}."
    if not moments:
        return f"{what} There is nothing to show."
    if not moments[0].event:
        why = "there is no threshold" if scores.threshold is None else "nothing lies above the threshold"
        return f"{what} These {words.plural(len(moments), 'moment')} stand out most; {why}."
    above = f"above the threshold{threshold_words(scores)}"
    if total > len(moments):
        return f"{what} {total:,} moments lie {above}; the {len(moments):,} highest are listed."
    lies = "1 moment lies" if total == 1 else f"{total:,} moments lie"
    return f"{what} {lies} {above}."


def facts(scores: Scores, moment: Highlight, shown: Shown, kept: Kept, labels: Labels | None) -> dict[str, Any]:
    """Returns what `page.html` says and shows of one moment, by the names it has there."""
    peak, length = moment.peak, words.plural(moment.stop - moment.start, "frame")
    said = None if scores.why is None else scores.why.at(peak)
    tail = None if scores.tail is None else float(scores.tail[peak])
    if scores.curve is not None:
        rare = how_often(scores.curve, moment.value)
    else:
        step = step_of(scores, rows_of_video(scores, moment.video))
        rare = words.how_rare(tail, float(scores.rank[peak]), kept.held_out, step)
    level = scores.threshold
    score = f"{moment.value:.3g}"
    if level is not None and level > 0 and moment.event:
        score = f"{moment.value / level:.1f} times the threshold ({score})"
    first, last = scores.frame[[moment.start, moment.stop - 1]].tolist()
    labelled = None if labels is None else int(labels[moment.start : moment.stop].sum())
    return {
        "number": moment.number,
        "video": moment.video,
        "when": words.when(scores, peak),
        "frame": int(scores.frame[peak]),
        "timed": time_at(scores, peak) is not None,
        "long": words.how_long(scores, moment) if moment.event else "",
        "first": first,
        "last": last,
        "reason": words.reason(scores, peak),
        "by": scores.method if said is None else f"{scores.method}, {said.stream}",
        "rare": rare,
        "score": score,
        "marks": words.marks(scores, moment),
        "labelled": "" if labelled is None else f"{labelled:,} of {length}",
        **_seen(scores, moment, shown, kept),
    }


def _seen(scores: Scores, moment: Highlight, shown: Shown, kept: Kept) -> dict[str, Any]:
    """The pictures, and where in them."""
    point, box = _where(scores, moment, kept)
    errors = kept.maps.get(moment.number)
    return {
        "place": "" if point is None else place(*point),
        "point": "" if point is None else f"x {point[0]:.0%}, y {point[1]:.0%}",
        "box": box,
        "heat": "" if errors is None else png(heat(errors)),
        "picture": shown,
        "strip": [
            {"picture": picture, "step": row - moment.peak, "when": words.when(scores, row)}
            for row, picture in sorted(shown.strip.items())
        ],
    }


def _where(
    scores: Scores, moment: Highlight, kept: Kept
) -> tuple[tuple[float, float] | None, tuple[float, ...] | None]:
    """The point in the picture that speaks, in shares of it; and left, top, width, height of its cell in per cent."""
    why, errors = scores.why, kept.maps.get(moment.number)
    if why is not None:
        row, column = why.at(moment.peak).cell or (0, 0)
        rows, columns = why.grid
        # A cell reaches half over its neighbours.
        box = ((column - 0.5) / columns, (row - 0.5) / rows, 2 / columns, 2 / rows)
        return ((column + 0.5) / columns, (row + 0.5) / rows), tuple(round(100 * share, 2) for share in box)
    return (None if errors is None or not np.ptp(errors) else worst(errors)), None
