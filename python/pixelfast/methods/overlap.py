"""What a method needs of the frames around a segment of a long video, so that its maps are those of the whole."""

from typing import NamedTuple


class Overlap(NamedTuple):
    """What a segment takes of its neighbours.

    Attributes:
        before: frames before its first, whose maps are thrown away.
        after: frames after its last.
        step: its frames, those before it among them, begin a multiple of so many after the first of their stretch.
    """

    before: int
    after: int
    step: int = 1
