"""A whole `pixelfast.score`, beside decoding alone and the method's plain loop; and what bounds it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pixelfast
from pixelfast.methods.choose import choose_engine
from pixelfast.options import FlipMode
from pixelfast.sources import Color, Video, open_source
from pixelfast.sources.decoding import PIECE_PER_THREAD

_BACKGROUND: Final = ("decode", "fingerprint")
"""Phases of the thread that runs ahead; the others take turns on the calling thread."""

_PASSES: Final = ("load", "total")


@dataclass(frozen=True)
class WholeRun:
    """Figures of a run.

    Attributes:
        frames: how many.
        rate: of the whole run, frames a second; loading the engine is left out.
        decode_rate: of decoding alone.
        phases: seconds by phase.
    """

    frames: int
    rate: float
    decode_rate: float
    phases: dict[str, float]

    @property
    def share_of_decoding(self) -> float:
        """Of the rate of decoding alone."""
        return self.rate / self.decode_rate

    def bound(self) -> str:
        """What took most of the time, in words, and the share of each phase."""
        running = {name: seconds for name, seconds in self.phases.items() if name not in _PASSES and seconds > 0}
        wall = self.phases["total"] - self.phases.get("load", 0.0)
        named = sorted(running.items(), key=lambda item: -item[1])
        shares = ", ".join(f"{name} {seconds / wall:.0%}" for name, seconds in named if seconds / wall > 0.005)
        own = {name: seconds for name, seconds in running.items() if name not in _BACKGROUND}
        ahead = sum(running.get(name, 0.0) for name in _BACKGROUND)
        most = "decoding" if ahead > sum(own.values()) else max(own, key=lambda name: own[name], default="nothing")
        return f"bound by {most}: {shares} of the time (decoding runs beside the rest)"


def measure_whole_run(
    source: Path, engine: Path, size: tuple[int, int], color: Color, *, flip: FlipMode, threads: int
) -> WholeRun:
    """Decodes a source, then scores it with an engine; both are warm, as what comes later would look fast otherwise.

    Args:
        source: the footage.
        engine: the file.
        size: height and width in pixels that the frames are decoded to.
        color: of the frames.
        flip: as of `pixelfast.score`.
        threads: for the run.

    Raises:
        PixelfastError: as `pixelfast.score`.
    """
    videos = open_source(source)
    method = choose_engine(engine).method
    stride = 1 if method == "reconstruction" else None
    pixelfast.score(videos[0], engine, stride=stride, flip=flip, threads=threads)
    # Once unmeasured: else decoding would read what the whole run finds in memory.
    _decode_rate(videos, size, color, threads)
    decode_rate = _decode_rate(videos, size, color, threads)
    scores = pixelfast.score(videos, engine, stride=stride, flip=flip, threads=threads)
    wall = scores.phases["total"] - scores.phases.get("load", 0.0)
    return WholeRun(len(scores.raw), len(scores.raw) / wall, decode_rate, dict(scores.phases))


def _decode_rate(videos: list[Video], size: tuple[int, int], color: Color, threads: int) -> float:
    """Frames a second where nothing else is done."""
    started = time.perf_counter()
    frames = 0
    for video in videos:
        for chunk in video.chunks(*size, color, PIECE_PER_THREAD * max(2, threads), threads):
            frames += len(chunk.frames)
    return frames / (time.perf_counter() - started)
