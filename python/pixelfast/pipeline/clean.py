"""The cleaning of a whole run: it follows the decoder through all videos and is meant to run ahead of the engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.cleaning.stage import CleanPlan, CleanStage, CorrectionRefused
from pixelfast.machine.readahead import Readahead
from pixelfast.options import FlipMode
from pixelfast.pipeline.decode import Begin, Decoder, until_end
from pixelfast.pipeline.parts import Part
from pixelfast.sources import Chunk, Video


@dataclass(frozen=True, eq=False)
class Start:
    """A video's cleaned frames follow, up to its `Stop`; then `stage` has the record of them."""

    index: int
    footage: str
    stage: CleanStage


@dataclass(frozen=True)
class Stop:
    """The video's frames are through; or its correction was refused, and those that were still to come are left out."""

    refusal: CorrectionRefused | None


Event = Part | Start | Cleaned | Stop


class Cleaner:
    """Yields what the decoder does, cleaned: a video's part, or `Start`, its frames and `Stop`.

    Args:
        videos: in the order of the run.
        decoder: of these videos.
        ahead: chunks that wait to be cleaned at most.
        plan: how frames are cleaned.
        flip: how flipped frames are dealt with.
    """

    def __init__(self, videos: Sequence[Video], decoder: Decoder, ahead: int, plan: CleanPlan, flip: FlipMode) -> None:
        self._videos = videos
        self._decoder = decoder
        self._ahead = ahead
        self._plan = plan
        self._flip: FlipMode = flip

    def events(self) -> Iterator[Event]:
        """All events of the run; to be iterated over on one thread, by a `Readahead`."""
        with Readahead(self._decoder.events, self._ahead) as events:
            for event in events:
                if isinstance(event, Part):
                    yield event
                elif isinstance(event, Begin):  # the rest of a video that was left out is passed over
                    yield from self._video(event, until_end(events))

    def _video(self, begin: Begin, chunks: Iterator[Chunk]) -> Iterator[Event]:
        stage = CleanStage(self._videos[begin.index], self._plan, self._flip)
        yield Start(begin.index, begin.footage, stage)
        refusal = None
        try:
            yield from stage.run(chunks)
        except CorrectionRefused as caught:
            refusal = caught
            self._decoder.skip(begin.index)
        yield Stop(refusal)


def until_stop(events: Iterator[Event]) -> Iterator[Cleaned]:
    """The frames up to the next `Stop`, which is taken as well.

    Raises:
        CorrectionRefused: the `Stop` carries it.
    """
    for event in events:
        if isinstance(event, Cleaned):
            yield event
        elif isinstance(event, Stop):
            if event.refusal is not None:
                raise event.refusal
            return
