"""Scores that say more about the model than about the footage."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pixelfast.scores.table import Scores

_NAMED = 3  # videos that the sentence names


def elsewhere_sentence(scores: "Scores") -> str | None:
    """Returns one sentence where most frames of a video stand above the threshold, as on another scene; else None."""
    if scores.threshold is None or not len(scores):
        return None
    above = np.bincount(scores.video_index[scores.smoothed_raw() > scores.threshold], minlength=len(scores.videos))
    lengths = scores.lengths
    most = np.flatnonzero(2 * above > lengths)
    if not len(most):
        return None
    named = [f"{scores.videos[at]} ({above[at]:,} of {lengths[at]:,} frames)" for at in most[:_NAMED].tolist()]
    more = f" and {len(most) - _NAMED:,} more" if len(most) > _NAMED else ""
    return (
        f"most of {', '.join(named)}{more} stands above the threshold: this may be another scene, camera or light than "
        "the model was trained on; train one on normal footage of it"
    )
