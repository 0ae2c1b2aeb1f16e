"""What each speaker says of frames, and where held-out normal frames lie in that (DENSITY)."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from pixelfast.methods.density.over_time import Values

RESTLESS: Final = "restless"
"""The tail of a place measured by how restless it usually is."""

SPEAKERS: Final = ("speed", "unusual", "place")
"""What a frame's score is the largest of: speed, direction with look, and place."""

_TOP: Final = {"speed": 3, "unusual": 3, "place": 10}
_LOUD: Final = 0.05
"""Frames below this say nothing: they are empty."""

_FEW: Final = 5
"""Frames of a video that say something, which are too few to tell where the others lie."""


class Level(NamedTuple):
    """Where held-out normal frames lie in what one speaker says.

    Attributes:
        usual: the middle one.
        high: what hardly any frame is above.
        turned: by how much the speaker is turned down, at least 1, where it is loud on videos that it has not seen.
    """

    usual: float
    high: float
    turned: float

    def scale(self, said: Values) -> Values:
        """Returns f32, as many: 0 where a frame is as usual, 1 where it is as high as hardly any."""
        return ((said - self.usual) / ((self.high - self.usual) * self.turned)).astype(np.float32)


def spoken(rare: Mapping[str, Values]) -> dict[str, Values]:
    """Returns what each speaker says of n frames, f32[n], from the rarity f32[n, h, w] of each stream: not smoothed."""
    joined = {"speed": rare["speed"], "unusual": rare["direction"] + rare["look"], "place": rare["place"]}
    return {name: _mean_of_largest(maps, _TOP[name]) for name, maps in joined.items()}


def _mean_of_largest(maps: Values, count: int) -> Values:
    cells = maps.reshape(len(maps), -1)
    count = min(count, cells.shape[1])
    largest: Values = np.partition(cells, -count, axis=-1)[:, -count:].mean(-1)
    return largest


def levels_of(videos: Sequence[Values], *, by_video: bool) -> dict[str, Level]:
    """Returns the levels from what the speakers said of held-out videos, each f32[n, 3]; see `DensityRecipe`."""
    measure = level_by_video if by_video else level
    return {name: measure([one[:, place] for one in videos]) for place, name in enumerate(SPEAKERS)}


def level_by_video(videos: Sequence[Values]) -> Level:
    """Returns the level of one speaker: the mean of the videos' medians, and a deviation above that of their maxima."""
    loud = [said[said > _LOUD] for said in videos]
    own = np.array([(np.median(said), said.max()) for said in loud if len(said) > _FEW])
    if not len(own):
        return Level(0.0, 1.0, 1.0)
    usual, high = own.mean(0).tolist()
    return Level(usual, max(high + float(own[:, 1].std()), usual + 1e-6), 1.0)


def level(videos: Sequence[Values]) -> Level:
    """Returns the level of one speaker from what it said of held-out videos, each f32[n].

    Each video in turn is left out, and compared with the others: what is loud there is turned down.
    """
    every = _loud(videos)
    usual, high = _two(every)
    ratios = []
    for index, own in enumerate(videos):
        low, top = _two(_loud([*videos[:index], *videos[index + 1 :]]))
        if len(own) and top > low:
            ratios.append((float(np.quantile(own, 0.98)) - low) / (top - low))
    turned = max(1.0, float(np.mean(ratios) + 2 * np.std(ratios))) if ratios else 1.0
    return Level(usual, max(high, usual + 1e-6), turned)


def _loud(videos: Sequence[Values]) -> Values:
    return np.concatenate([np.zeros(0, np.float32), *(said[said > _LOUD] for said in videos)])


def _two(values: Values) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    usual, high = np.quantile(values, [0.5, 0.99]).tolist()
    return usual, high
