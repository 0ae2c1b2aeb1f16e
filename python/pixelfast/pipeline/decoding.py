"""The decoder of a whole run: it goes through all videos in order and is meant to run ahead of the engine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pixelfast.cores import Cores
from pixelfast.pipeline.method import FrameFormat
from pixelfast.pipeline.parts import Part, PartStore
from pixelfast.pipeline.readahead import Readahead
from pixelfast.pipeline.stopwatch import Stopwatch
from pixelfast.sources import Chunk, FolderVideo, Video

# Frames that wait to be cleaned at most, as many wait for the engine, and how much memory they may take: 8 MiB each at
# 128x128.
AHEAD = 512
AHEAD_BYTES = 64 << 20
# Frames that a decoding thread gets at a time; few, so that the decoder stops soon after it is told to.
PIECE_PER_THREAD = 8


@dataclass(frozen=True)
class Begin:
    """A video's chunks follow, up to its `End`."""

    index: int
    footage: str


@dataclass(frozen=True)
class End:
    """The video's chunks are through."""


Event = Begin | Chunk | End | Part


@dataclass(frozen=True)
class DecodePlan:
    """How the frames of every video of a run are decoded.

    Attributes:
        frames: the size and color that a video's frames must have.
        frame_bytes: the size of a frame in memory, about.
        cores: of the run; the decoder takes those that are free, ahead of the engine.
        stopwatch: gets the times of the `decode` and `fingerprint` phases.
    """

    frames: Callable[[Video], FrameFormat]
    frame_bytes: int
    cores: Cores
    stopwatch: Stopwatch

    def chunks(self, video: Video) -> Iterator[Chunk]:
        """A video's frames, decoded a few at a time.

        Raises:
            SourceError: frames have several sizes, and the method cannot bear it; or none can be read.
        """
        free = 1  # cores, when the next chunk is asked for
        with self.stopwatch.phase("decode"):
            wanted = self.frames(video)
            if wanted.one_size and isinstance(video, FolderVideo):
                video.check_one_size()
            chunks = video.chunks(wanted.height, wanted.width, wanted.color, self.piece, lambda: free)
        while True:
            with self.cores.taken(most=self.cores.count, urgent=True) as taken, self.stopwatch.phase("decode"):
                free = taken
                chunk = next(chunks, None)
            if chunk is None:
                return
            self.stopwatch.moved("decode", chunk.frames.nbytes)
            yield chunk

    @property
    def piece(self) -> int:
        """Frames decoded at a time."""
        return PIECE_PER_THREAD * max(2, self.cores.count)

    @property
    def depth(self) -> int:
        """Pieces that wait at most, to be cleaned or for the engine."""
        frames = min(AHEAD, AHEAD_BYTES // self.frame_bytes)
        return max(2, frames // self.piece)


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
