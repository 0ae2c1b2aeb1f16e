"""The list of a source's videos: what each part says of it, so that a merge knows which source and what is missing."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from pixelfast.sources import Video

FOLLOWING: Final = 16
"""So many videos after its own a part names: a share that is missing is named by the parts of the others."""

_SHOWN: Final = 8


class Place(NamedTuple):
    """Where a video stands in its source's list.

    Attributes:
        position: from 0.
        following: the names of the next videos, the first of the list after its last.
    """

    position: int
    following: tuple[str, ...]


class Listing:
    """The videos of a source, in order.

    Attributes:
        names: of the videos.
        digest: hex, of the names and lengths: two sources that differ in one of them differ here.
    """

    def __init__(self, videos: Iterable[Video]) -> None:
        facts = [(video.name, video.length) for video in videos]
        self.names = [name for name, _ in facts]
        self.digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
        self._positions = {name: position for position, name in enumerate(self.names)}

    def place(self, name: str) -> Place:
        """Returns where a video of the source stands."""
        position = self._positions[name]
        round_the_list = [*self.names[position + 1 : position + 1 + FOLLOWING], *self.names[:FOLLOWING]]
        return Place(position, tuple(round_the_list[: min(FOLLOWING, len(self.names) - 1)]))


def describe_missing(places: Mapping[str, Place | None], videos: int, shares: int) -> str | None:
    """Says which of a source's videos are missing, and of which shares; None where none is.

    Args:
        places: of the videos that are there, by name.
        videos: how many the source has.
        shares: into how many shares it was cut.
    """
    if not videos:
        return None
    known: dict[int, str] = {}
    for place in places.values():
        if place is not None:
            known |= {(place.position + step) % videos: name for step, name in enumerate(place.following, 1)}
    there = {place.position for place in places.values() if place is not None}
    absent = sorted(set(range(videos)) - there, key=lambda position: (position % shares, position))
    if not absent or len(places) >= videos:
        return None
    words, left = list[str](), FOLLOWING
    for share, positions in groupby(absent, lambda position: position % shares):
        some = list(positions)
        names = [known[position] for position in some if position in known][:left]
        left -= len(names)
        text = f"{len(some):,} more" if left < FOLLOWING else f"{len(some):,} that no part names"
        text = named(names, len(some), most=FOLLOWING) if names else text
        words.append(f"{text} (share {share + 1}/{shares})" if shares > 1 else text)
    return f"the parts hold {len(places)} of the source's {videos} videos: missing are {named(words, len(words), '; ')}"


def named(names: Sequence[str], count: int, between: str = ", ", most: int = _SHOWN) -> str:
    """Returns the first of so many names, `most` at most, and how many there are beside them."""
    shown = list(names[:most])
    more = count - len(shown)
    return between.join([*shown, f"{more:,} more"] if more else shown)
