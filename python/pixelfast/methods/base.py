"""What a method is to the pipeline: the frames it wants, the error maps it makes of them, how they become scores."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.errors import PixelfastError
from pixelfast.sources import Video
from pixelfast.sources.video import FrameFormat

Maps = NDArray[np.float32]


class VideoMaps(Protocol):
    """Turns the frames of one video into its error maps."""

    def run(self, cleaned: Iterable[Cleaned]) -> Iterator[Maps]:
        """Yields f32[m, G, G] for the frames of a whole video, in order."""


class Method(Protocol):
    """One of the methods with its engines and settings."""

    @property
    def bridge_noisy(self) -> bool:
        """Whether noisy and damaged frames are told from usable ones."""

    @property
    def frame_bytes(self) -> int:
        """The size of a frame in memory, about."""

    @property
    def stride(self) -> int:
        """Frames between the starts of windows; 1 where there are none."""

    def facts(self) -> dict[str, Any]:
        """What changes raw scores besides the engine file, as plain values."""

    def frames(self, video: Video) -> FrameFormat:
        """The frames that it wants of `video`."""

    def maps(self, video: Video) -> VideoMaps:
        """What makes the maps of `video`, which is for messages."""

    def raw(self, maps: Maps) -> NDArray[np.float32]:
        """f32[m]: the raw scores of frames with these maps f32[m, G, G]."""

    def remarks(self, video: Video, frames: int) -> list[str]:
        """What should be said aloud about `video`, which turned out to have so many frames."""


@dataclass(frozen=True)
class GlobalPass:
    """How raw scores of all videos become scores.

    Attributes:
        smooth: frames of the centred mean within a video, odd.
        percentile: the raw score that becomes 1; None for the largest.
        smooth_first: whether raw scores are smoothed before they are normalised, or after.
    """

    smooth: int
    percentile: float | None
    smooth_first: bool


# METHOD, "Scores" and "Motion".
PASSES: Final = {
    "reconstruction": GlobalPass(smooth=3, percentile=99.99, smooth_first=False),
    "motion": GlobalPass(smooth=7, percentile=None, smooth_first=True),
}


def find_pass(method: str) -> GlobalPass:
    """The global pass of a method.

    Raises:
        PixelfastError: this version knows no such method.
    """
    if method not in PASSES:
        raise PixelfastError(f"the method must be {' or '.join(PASSES)}, not {method!r}")
    return PASSES[method]
