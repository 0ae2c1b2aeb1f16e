"""Whether memory grows over many scores in one process: the host's, and a GPU's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from pixelfast.jobs.line import Line
from pixelfast.jobs.score import Request, run
from pixelfast.machine.memory import give_back_memory, resident_memory
from pixelfast.methods.settings import Settings
from pixelfast.options import FlipMode
from pixelfast.sources import FolderVideo, Video
from pixelfast.sources.excerpt import Excerpt
from pixelfast.verify.machine import Machine
from pixelfast.verify.whole_run import Facts

RUNS: Final = 10

_WARM: Final = 3
"""Scores after which all that is loaded once is there."""

_MIB: Final = 1 << 20
_GROWS_MIB: Final = 0.5
"""A score: less is no leak of frames, of which a hundred have more."""

LEAST_FRAMES: Final = 16
"""Of each score: a window."""


def describe_repeated(
    video: Video, engine: Path, machine: Machine, *, flip: FlipMode, threads: int, frames: int, runs: int = RUNS
) -> Facts:
    """Scores about so many frames of a video again and again, each time from opening the engine on.

    Returns:
        How much memory the process has after the first runs and after the last, and the GPU; and whether the scores
        are always the same.

    Raises:
        PixelfastError: as `pixelfast.score`.
    """
    some, host, gpu, first, same = _some(video, frames), list[int](), list[int](), None, True
    for _ in range(runs):
        raw = run([some], Line(engine, Settings(flip=flip), threads), Request()).raw
        first = raw if first is None else first
        same &= bool(np.array_equal(raw, first))
        give_back_memory()
        for seen, read in ((host, resident_memory), (gpu, _gpu_memory if machine.by_torch else _none)):
            if (now := read()) is not None:
                seen.append(now)
    alike = "each time the same scores" if same else "NOT each time the same scores"
    return [
        (f"{runs} scores", f"of {engine.name} in one process: {alike}"),
        ("memory, host", growth(host) if host else "not measured: this system does not say what a process has"),
        ("memory, GPU", growth(gpu) if gpu else "not measured: it needs a GPU that PyTorch reaches"),
    ]


def _some(video: Video, frames: int) -> Video:
    """About so many frames of a video, from its start."""
    if video.length is not None and video.length <= frames:
        return video
    return video.segment(0, frames) if isinstance(video, FolderVideo) else Excerpt(video, 0, frames - 1)


def growth(seen: Sequence[int]) -> str:
    """Returns in words whether bytes, after each of several runs, grow from run to run once all is loaded.

    They do where each of the later runs has more than every earlier one: an allocator keeps more now and then, and
    gives it back.
    """
    settled = seen[min(_WARM, len(seen) - 1) :]
    half = len(settled) // 2
    earlier, later = settled[:half], settled[half:]
    each = (np.median(later) - np.median(earlier)) / (len(settled) / 2) / _MIB if half else 0.0
    levels = f"{min(settled) / _MIB:,.0f} to {max(settled) / _MIB:,.0f} MiB ({seen[0] / _MIB:,.0f} after the first)"
    if half and min(later) > max(earlier) and each > _GROWS_MIB:
        return f"GROWS by {each:.1f} MiB a score: {levels}"
    return f"does not grow: {levels}"


def _gpu_memory() -> int | None:
    """Bytes that are taken of the GPU's, by whomever; None where it does not say."""
    import torch

    try:
        free, total = torch.cuda.mem_get_info()
    except RuntimeError:  # a GPU that is there and fails
        return None
    return int(total - free)


def _none() -> int | None:
    return None
