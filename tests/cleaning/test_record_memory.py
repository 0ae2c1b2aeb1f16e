"""What is kept of each frame of a long video: a few bytes."""

import tracemalloc
from collections.abc import Iterator

import numpy as np

from footage import DrawnVideo
from pixelfast.cleaning.stage import CleanSettings, CleanStage
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.sources import Chunk

PIECE, MOST_BYTES_A_FRAME = 16, 40


def pieces(frames: int) -> Iterator[Chunk]:
    pixels = np.random.default_rng(0).integers(0, 255, (PIECE, 16, 16), np.uint8)
    for start in range(0, frames, PIECE):
        numbers = np.arange(start, start + PIECE)
        yield Chunk(numbers, pixels.copy(), np.zeros(PIECE, np.uint8), numbers / 25)


def kept(frames: int) -> int:
    """Bytes that a stage holds after so many frames."""
    video = DrawnVideo("1", np.zeros((1, 16, 16), np.uint8))
    tracemalloc.start()
    stage = CleanStage(video, CleanSettings(None, "repair", False, Stopwatch()), "never")
    for _ in stage.run(pieces(frames)):
        pass
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    record = stage.record()
    assert record.frame.tolist() == list(range(frames))
    assert record.seconds is not None and (record.seconds == np.arange(frames) / 25).all()
    assert len(stage.status()) == len(record.noisy) == frames
    return held


def test_a_record_takes_a_few_bytes_a_frame() -> None:
    kept(PIECE)  # what is made once
    assert kept(20_000) - kept(2_000) < MOST_BYTES_A_FRAME * 18_000
