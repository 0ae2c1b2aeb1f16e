"""How a density model is learnt, number by number."""

from dataclasses import dataclass
from typing import Final

from pixelfast.flip import recipe as flip
from pixelfast.methods.trained import Recipe

CROSSING: Final = (15.0, 45.0)
"""Frames that the usual mover needs for the side of a block, at least and at most: what time is measured by."""


@dataclass(frozen=True)
class Times:
    """How long in frames each thing is smoothed; of Gaussians one standard deviation.

    Attributes:
        motion: how cells move, and what moving cells look like.
        moves: whether a cell moves.
        chosen: the same, for the choice of exemplars.
        place: what a place looks like.
        said: what is said of a frame.
        slow: after which the slow mean of a place has taken over most of what is new there.
        carried: whether `motion` is an exponential that goes with what moves, forward and backward, instead of a
            Gaussian at each place, which blurs a fast thing as much as it is fast.
        live: whether each frame is smoothed with those before it alone.
    """

    motion: float
    moves: float
    chosen: float
    place: float
    said: float
    slow: float
    carried: bool
    live: bool


@dataclass(frozen=True)
class DensityRecipe:
    """How a density model is learnt.

    Attributes:
        by_crossing: whether times follow from how long the usual mover takes to cross a block, and motion is carried;
            else they are those of the recipe as it was found, in frames.
        points: exemplars of directions and of looks.
        knee: the position in `TAILS` from which to the last one the slope is taken that tails go on with.
        restless: whether a place is also measured by how restless it usually is.
        by_video: whether levels are means over the left-out videos' own, so that none decides alone; else of all their
            frames, and what is loud on a left-out video is turned down.
    """

    by_crossing: bool
    points: int
    knee: int
    restless: bool
    by_video: bool

    def times(self, crossing: float, *, live: bool) -> Times:
        """Returns the times where the usual mover crosses a block in so many frames."""
        if not self.by_crossing:
            return Times(3.0, 3.0, 3.0, 12.0, 3.0, 1500.0, carried=False, live=live)
        own = min(max(crossing, CROSSING[0]), CROSSING[1])
        return Times(own / 15, own / 30, own / 8, own / 2.4, own / 8, 50 * own, carried=True, live=live)


# DENSITY, number by number.
SOURCE: Final = DensityRecipe(by_crossing=False, points=3000, knee=-2, restless=False, by_video=False)

# On Avenue 0.08 better and at half the rate and size alike, on Ped2 as good and steadier (docs/figures.md).
DEFAULT: Final = DensityRecipe(by_crossing=True, points=15_000, knee=3, restless=True, by_video=True)

RECIPES: Final = {
    "default": Recipe("default", DEFAULT, flip.DEFAULT),
    "source": Recipe("source", SOURCE, flip.DEFAULT),
}
