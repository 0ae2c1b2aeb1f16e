"""The decoder of a whole run: it goes through all videos in order and is meant to run ahead of the engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pixelfast.machine.readahead import Readahead
from pixelfast.pipeline.parts import Part, PartStore
from pixelfast.sources import Chunk, Video
from pixelfast.sources.decoding import DecodePlan


@dataclass(frozen=True)
class Begin:
    """A video's chunks follow, up to its `End`."""

    index: int
    footage: str


@dataclass(frozen=True)
class End:
    """The video's chunks are through."""


Event = Begin | Chunk | End | Part


class Decoder:
    """Yields for each video either its part, where it is there already, or `Begin`, its chunks and `End`.

    Args:
        videos: in the order of the run.
        store: where parts may be.
        plan: how frames are decoded.
    """

    def __init__(self, videos: Sequence[Video], store: PartStore, plan: DecodePlan) -> None:
        self._videos = videos
        self._store = store
        self._plan = plan
        self._skipped: set[int] = set()

    def events(self) -> Iterator[Event]:
        """All events of the run; to be iterated over on one thread, by a `Readahead`."""
        for index, video in enumerate(self._videos):
            with self._plan.stopwatch.phase("fingerprint"):
                footage = self._store.footage(video)
                part = self._store.find(video.name, footage)
            if part is not None:
                yield part
                continue
            yield Begin(index, footage)
            yield from self._chunks(index)
            yield End()

    def skip(self, index: int) -> None:
        """Leaves out what is left of a video's chunks; `End` still comes. May be called from another thread."""
        self._skipped.add(index)

    def _chunks(self, index: int) -> Iterator[Chunk]:
        for chunk in self._plan.chunks(self._videos[index]):
            if index in self._skipped:
                return
            yield chunk


def until_end(events: Readahead[Event]) -> Iterator[Chunk]:
    """The chunks up to the next `End`, which is taken as well."""
    for event in events:
        if isinstance(event, Chunk):
            yield event
        else:
            return
