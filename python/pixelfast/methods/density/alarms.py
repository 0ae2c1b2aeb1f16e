"""How often normal footage would alarm: what left-out videos say, and whether it can be promised (DENSITY)."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from pixelfast.methods.density.judging import frame_scores
from pixelfast.methods.density.levels import levels_of
from pixelfast.methods.density.over_time import Values
from pixelfast.methods.density.stored import AlarmRate
from pixelfast.model.events import EventCurve, EventRate

_ASKED: Final = EventRate.parse("1/1000frames")
"""Events that are asked for, to see how many there are."""

_FACTOR: Final = 2.0
"""How far the observed rate may be off the asked one, for a promise."""

_LEAST: Final = 5.0
"""Alarms that must be expected before their number says anything."""


def observe(held_out: Sequence[Values], *, by_video: bool) -> AlarmRate | None:
    """Counts the events of each left-out video above the level that the other videos give; None where there is one.

    Args:
        held_out: f32[n, 3] of each video, what was said of it by tails that had not seen it.
        by_video: how levels are measured; see `DensityRecipe`.
    """
    if len(held_out) < 2:
        return None
    events = frames = 0
    for index, own in enumerate(held_out):
        others = [*held_out[:index], *held_out[index + 1 :]]
        levels = levels_of(others, by_video=by_video)
        usual = EventCurve.of([frame_scores(one, levels).max(-1).astype(np.float64) for one in others], None)
        above = frame_scores(own, levels).max(-1) > usual.level(_ASKED)
        events += int((np.diff(above, prepend=False) & above).sum())
        frames += len(own)
    return AlarmRate(_ASKED.a_frame(1.0), events / frames, frames, len(held_out))


def promise(alarms: AlarmRate | None) -> str:
    """Returns what can be said of the rate of alarms on normal footage, in a sentence."""
    if alarms is None:
        return "no rate of alarms is promised: it takes at least two training videos to see one; train on more"
    asked, learnt = f"1 in {1 / alarms.asked:,.0f} normal frames", f"{alarms.frames:,} frames in {alarms.videos} pieces"
    expected, found = alarms.asked * alarms.frames, round(alarms.observed * alarms.frames)
    seen = f"1 in {1 / alarms.observed:,.0f}" if found else "none"
    if expected < _LEAST:
        more = int(np.ceil(_LEAST / alarms.asked / 1000) * 1000)
        return (
            f"alarms at {asked} were asked for, and {seen} was observed on left-out videos, but {learnt} are too few "
            f"to promise that: train on at least {more:,}"
        )
    factor = max(alarms.observed, 0.5 / alarms.frames) / alarms.asked
    if 1 / _FACTOR <= factor <= _FACTOR:
        return f"alarms: {asked} asked, {seen} observed on left-out videos ({learnt})"
    times = f"{factor:.1f} times as many" if factor > 1 else f"{1 / factor:.1f} times fewer"
    return (
        f"alarms at {asked} were asked for, and {times} observed on left-out videos ({learnt}): no rate is promised; "
        "videos of other days and hours in the training would help"
    )
