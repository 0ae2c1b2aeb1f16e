"""Where a video jumps in time, the method starts anew, as with a new video."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from operator import itemgetter

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.methods.base import Judged, Maps, Method
from pixelfast.sources import FolderVideo, Video


def stretch_maps(method: Method, video: Video, cleaned: Iterable[Cleaned]) -> Iterator[Maps | Judged]:
    """Yields the maps f32[m, G, G], or what else the method says, of all frames of a video.

    None is made from frames on both sides of a gap.
    """
    if not isinstance(video, FolderVideo) or not video.starts:
        yield from method.maps(video).run(cleaned)
        return
    stretches = video.stretches()
    for number, pieces in groupby(_cut(cleaned, video.starts), itemgetter(0)):
        yield from method.maps(stretches[number]).run(piece for _, piece in pieces)


def _cut(cleaned: Iterable[Cleaned], starts: Sequence[int]) -> Iterator[tuple[int, Cleaned]]:
    """The same frames in pieces that lie in one stretch each, with its number; `starts` are where stretches begin."""
    done = 0
    for some in cleaned:
        end = done + len(some.frames)
        inside = starts[bisect(starts, done) : bisect(starts, end - 1)]
        for first, last in pairwise((done, *inside, end)):
            yield bisect(starts, first), some.cut(first - done, last - done)
        done = end
