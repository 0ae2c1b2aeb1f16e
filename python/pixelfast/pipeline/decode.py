"""The decoder of a whole run: it goes through all videos in order and is meant to run ahead of the cleaner."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.cleaning.stage import CleanStage
from pixelfast.pipeline.parts import Part, PartStore
from pixelfast.sources import Chunk, Video
from pixelfast.sources.decoding import DecodeSettings


class Step(NamedTuple):
    """What one stage of the line hands to the next: a video is a run of steps with one number, in order.

    Attributes:
        video: its position in the run.
        footage: the fingerprint of its files.
        part: what was there already, and is all there is of this video.
        chunk: decoded frames, from the decoder.
        cleaned: the same made ready, from the cleaner.
        stage: what cleaned them, and has the record of them once the video is through; frames of an earlier stage of
            the same video are void.
    """

    video: int
    footage: str
    part: Part | None = None
    chunk: Chunk | None = None
    cleaned: Cleaned | None = None
    stage: CleanStage | None = None

    @property
    def run(self) -> int:
        """The video's position; -1 for the step after its last, by which it is known that the video is through."""
        return -1 if self.part is None and self.chunk is None and self.stage is None else self.video


class Decoder:
    """Yields the steps of each video: its part, where it is there already, or its chunks.

    Args:
        videos: in the order of the run.
        store: where parts may be.
        settings: how frames are decoded.
    """

    def __init__(self, videos: Sequence[Video], store: PartStore, settings: DecodeSettings) -> None:
        self.settings = settings
        self._videos = videos
        self._store = store
        self._skipped: set[int] = set()

    def steps(self) -> Iterator[Step]:
        """Yields all steps of the run, and one more after each video; for one thread, by a `Readahead`."""
        for index, video in enumerate(self._videos):
            with self.settings.stopwatch.phase("fingerprint"):
                footage = self._store.footage(video)
                part = self._store.find(video.name, footage)
            if part is not None:
                yield Step(index, footage, part=part)
                continue
            for chunk in self.settings.chunks(video):
                if index in self._skipped:
                    break
                yield Step(index, footage, chunk=chunk)
            yield Step(index, footage)

    def again(self, index: int) -> Iterator[Chunk]:
        """Decodes a video from its start, on the calling thread; what is left of it in the stream is left out."""
        self._skipped.add(index)
        return self.settings.chunks(self._videos[index])
