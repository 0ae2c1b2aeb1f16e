"""The cleaning of a whole run: it follows the decoder through all videos and is meant to run ahead of the engine."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, groupby
from operator import attrgetter

from pixelfast.cleaning.stage import CleanSettings, clean_video
from pixelfast.machine.readahead import Readahead
from pixelfast.options import FlipMode
from pixelfast.pipeline.decode import Decoder, Step
from pixelfast.sources import Video


def cleaned_steps(videos: Sequence[Video], decoder: Decoder, settings: CleanSettings, flip: FlipMode) -> Iterator[Step]:
    """Yields the decoder's steps with their frames cleaned; to be iterated over on one thread, by a `Readahead`.

    Args:
        videos: in the order of the run.
        decoder: of these videos.
        settings: how frames are cleaned.
        flip: how flipped frames are dealt with.
    """
    with Readahead(decoder.steps, decoder.settings.depth) as ahead:
        for index, steps in groupby(ahead, attrgetter("run")):
            first = next(steps)
            if index < 0 or first.part is not None:
                yield first
                continue
            chunks = (step.chunk for step in chain([first], steps) if step.chunk is not None)
            again = partial(decoder.again, index)
            for stage, cleaned in clean_video(videos[index], settings, flip, chunks, again):
                yield first._replace(chunk=None, cleaned=cleaned, stage=stage)
