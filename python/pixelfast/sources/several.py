"""Several video files decoded at once: the next ones of a run are begun while one is being read."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from pixelfast.machine.readahead import Readahead
from pixelfast.sources.video import Chunk, Video
from pixelfast.sources.video_file import VideoFile

Item = TypeVar("Item")

AHEAD_BYTES: Final = 64 << 20
"""Frames that wait to be read, of all files together."""

_THREADS_A_FILE: Final = 8
"""FFmpeg's threads fill so many cores with one file; for each so many more a further file is begun."""

_MOST_FILES: Final = 4


def in_turn(
    items: Iterable[Item],
    chunks: Callable[[Item], Iterator[Chunk]],
    video: Callable[[Item], Video | None],
    *,
    threads: int,
    chunk_bytes: int,
) -> Generator[tuple[Item, Iterator[Chunk]], None, None]:
    """Yields each item with its chunks, in order, to be read before the next one is asked for.

    A video file is decoded on a thread of its own, and so is the one after it, or a few, until `AHEAD_BYTES` of frames
    wait. Each has all of FFmpeg's threads: of long files the one that is read must fill the cores, as the others wait.
    What goes wrong is raised where the chunks are read. Once it is through or closed, no thread or file is left.

    Args:
        items: asked for on the calling thread, a few of them before the first is yielded.
        chunks: decodes an item.
        video: what of an item is decoded; None for nothing.
        threads: how many the decoder uses.
        chunk_bytes: the size of a chunk in memory, about.
    """
    coming, begun = iter(items), deque[tuple[Item, Readahead[Chunk] | None]]()
    files = min(_MOST_FILES, 2 + threads // _THREADS_A_FILE)
    depth = max(2, AHEAD_BYTES // (chunk_bytes * files))
    try:
        while True:
            for item in islice(coming, files - len(begun)):
                is_file = isinstance(video(item), VideoFile)
                begun.append((item, Readahead(partial(chunks, item), depth).__enter__() if is_file else None))
            if not begun:
                return
            item, ahead = begun[0]
            yield item, chunks(item) if ahead is None else ahead
            _leave(begun.popleft()[1])
    finally:
        for _, ahead in begun:
            _leave(ahead)


def _leave(ahead: Readahead[Chunk] | None) -> None:
    if ahead is not None:
        ahead.__exit__()
