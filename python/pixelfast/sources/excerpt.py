"""Some neighbouring frames of a video, as a video of their own."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import cast

import numpy as np

from pixelfast.options import USUAL_READING, Reading
from pixelfast.sources.video import Chunk, Color, Video


class Excerpt:
    """The frames of a video from one number to another, both among them; the frames before are read and left.

    Attributes:
        video: where they come from.
        first: the first number.
        last: the last one.
        turned: the numbers of frames that stand upside down in the video, and upright here.
        name: the video's, and the numbers.
        length: not known, as numbers may be missing.
    """

    length = None

    def __init__(self, video: Video, first: int, last: int, turned: Collection[int] = ()) -> None:
        self.video, self.first, self.last, self.turned = video, first, last, np.array(sorted(turned), np.int64)
        self.name = f"frames {first} to {last} of video {video.name}"

    @property
    def reading(self) -> Reading:
        """Returns how the video's pictures become pixels."""
        return cast("Reading", getattr(self.video, "reading", USUAL_READING))

    def chunks(
        self, height: int | None, width: int | None, color: Color = "grey", chunk: int = 64, threads: int | None = None
    ) -> Iterator[Chunk]:
        """Yields those frames: see `Video.chunks`."""
        for some in self.video.chunks(height, width, color, chunk, threads):
            start, stop = np.searchsorted(some.frame_ids, [self.first, self.last + 1]).tolist()
            if start < stop:
                yield self._upright(some.cut(start, stop))
            if stop < len(some.frame_ids):
                return

    def _upright(self, some: Chunk) -> Chunk:
        turned = np.isin(some.frame_ids, self.turned)
        if not turned.any():
            return some
        frames = some.frames.copy()
        frames[turned] = frames[turned, ::-1]
        return replace(some, frames=frames)

    def describe(self, index: int) -> str:
        """Says where a frame comes from: see `Video.describe`."""
        return f"frame {index} of {self.name}"

    def explain(self, index: int) -> str:
        """Says why a frame is not readable in full: see `Video.explain`."""
        return f"cannot be read in full, {self.describe(index)}"

    def fingerprint(self) -> bytes:
        """Returns that of the whole video: see `Video.fingerprint`."""
        return self.video.fingerprint()

    def size(self) -> tuple[int, int]:
        """Returns height and width of the video: see `Video.size`."""
        return self.video.size()
