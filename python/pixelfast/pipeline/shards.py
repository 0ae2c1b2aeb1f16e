"""A machine's share of a source: `2/3` is every third video, from the second on."""

import re
from collections.abc import Sequence

from pixelfast.errors import PixelfastError
from pixelfast.sources import Video

_PATTERN = re.compile(r"([0-9]+)/([0-9]+)")


def take_share(videos: Sequence[Video], shard: str | None) -> list[Video]:
    """The videos of share `shard` ("i/n", 1/n to n/n); all for None. Shares of one source are disjoint and complete.

    Raises:
        PixelfastError: the text is no share.
    """
    if shard is None:
        return list(videos)
    match = _PATTERN.fullmatch(shard)
    share, shares = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= share <= shares:
        raise PixelfastError(f"shard must be like 2/3 (the second of three shares, from 1/3 to 3/3), not {shard!r}")
    return list(videos[share - 1 :: shares])
