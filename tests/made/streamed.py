"""The same frames as a stream and as files."""

import gc
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pixelfast
from frame_files import write_video
from pixelfast.pipeline.live import LiveFrame

MARKS = ("flipped", "repaired", "noisy")


def assert_streams_as_it_scores(
    engine: Path, frames: NDArray[np.uint8], folder: Path, chunk: int, relative: float = 0.0, **settings: Any
) -> list[LiveFrame]:
    """Compares a stream with a whole video in all but the frozen frames; raw scores may be so far off, relatively."""
    if not folder.exists():
        write_video(folder, frames)
    with pixelfast.Scorer(engine, **settings) as scorer:
        whole, scores = scorer.raw(folder), scorer.score(folder)
    with pixelfast.Scorer(engine, chunk=chunk, **settings) as scorer:
        live = list(scorer.stream(frames))
    assert [one.frame for one in live] == list(range(len(frames)))
    np.testing.assert_allclose(np.array([one.raw for one in live], np.float32), whole.raw, rtol=relative, atol=0)
    for name in MARKS:
        assert [getattr(one, name) for one in live] == whole.marks(name).tolist(), name
    if not scores.frozen.any():
        np.testing.assert_allclose([one.smoothed for one in live], scores.smoothed_raw(), rtol=max(relative, 1e-12))
        level = scores.threshold
        above = [None] * len(frames) if level is None else (scores.smoothed_raw() > level).tolist()
        assert [one.above for one in live] == above
    why = whole.why
    said = [one[-3:] for one in live]
    assert said == [(None, None, None) if why is None else tuple(why.at(row)) for row in range(len(frames))]
    return live


def growth(scorer: pixelfast.Scorer, some: NDArray[np.uint8], settled: int, more: int) -> int:
    """Bytes of Python's memory that a stream has gained by so many more frames, after it has settled.

    Both are multiples of 480, so that as many wait to be judged together.
    """
    stream = scorer.stream(some[index % len(some)] for index in range(settled + more + 1000))
    tracemalloc.start()
    for _ in islice(stream, settled):
        pass
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in islice(stream, more):
        pass
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return after - before


def delays(scorer: pixelfast.Scorer, frames: NDArray[np.uint8]) -> list[int]:
    """How many more frames had been taken when the result of each frame came, but for those at the end."""
    taken = [0]

    def given() -> Iterator[NDArray[np.uint8]]:
        for frame in frames:
            taken[0] += 1
            yield frame
        taken[0] = -1

    found = [(taken[0], one.frame) for one in scorer.stream(given())]
    return [after - frame - 1 for after, frame in found if after > 0]
