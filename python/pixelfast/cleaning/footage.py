"""The frames of a training's video, through the same stages that scoring goes through."""

from collections.abc import Generator

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.cleaning.stage import CleanSettings, CleanStage
from pixelfast.machine.readahead import Readahead
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.options import USUAL_READING
from pixelfast.sources import Video
from pixelfast.sources.decoding import DecodeSettings
from pixelfast.sources.video import FrameFormat


def cleaned_footage(
    video: Video, wanted: FrameFormat, *, bridge_noisy: bool, threads: int
) -> Generator[Cleaned, None, None]:
    """Yields the frames of a whole video, which are taken as upright; unusable ones are marked where asked for."""
    watch = Stopwatch()
    decode = DecodeSettings(lambda _: wanted, wanted.height * wanted.width, threads, watch)
    clean = CleanSettings(None, "repair", bridge_noisy, watch, getattr(video, "reading", USUAL_READING).mask)
    with Readahead(lambda: decode.chunks(video), decode.depth) as chunks:
        yield from CleanStage(video, clean, "never").run(chunks)
