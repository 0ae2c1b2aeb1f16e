"""Made-up scenes that an exported file is checked on where there is no footage."""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pixelfast.geometry import FLOW_SIZE, FRAME_SIZE, WINDOW
from pixelfast.training.cache import FrameCache
from pixelfast.training.onnx import Signature, write_graph

TRACED_FRAMES: Final = 40


_CHECKED_LENGTHS: Final = (WINDOW, WINDOW + 5, 40)
"""The file is checked with several numbers of frames (or flows): an exporter can fix a dimension without a word."""


def made_up_flows(past: int, scale: float) -> NDArray[np.float32]:
    """f32[past+240,2,64,64]: waves that wander, rise and fall, with noise, to check an export without footage.

    Args:
        past: K.
        scale: their deviation, about, pixels of the grid.
    """
    rng, count = np.random.default_rng(0), past + 240
    rows, columns = 6.28 * np.mgrid[0:FLOW_SIZE, 0:FLOW_SIZE] / FLOW_SIZE
    time = np.arange(count)[:, None, None, None]
    phases = np.array([0.0, 1.5])[:, None, None]
    waves = np.sin(2 * columns + rows + 0.11 * time + phases) + np.sin(3 * rows - 0.07 * time - phases)
    strength = 1 + 0.8 * np.sin(0.05 * time) + 0.1 * rng.standard_normal((count, 1, 1, 1))
    noise = 0.3 * rng.standard_normal((count, 2, FLOW_SIZE, FLOW_SIZE))
    flows: NDArray[np.float32] = (scale * (strength * waves + noise)).astype(np.float32)
    return flows


def made_up_frames() -> NDArray[np.uint8]:
    """u8[40,128,128]: a smooth texture under changing light with some noise, to check an export without footage."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:FRAME_SIZE, 0:FRAME_SIZE] / FRAME_SIZE
    texture = 0.5 + 0.2 * np.sin(9 * columns + 4 * rows) + 0.2 * np.sin(13 * rows)
    light = 0.8 + 0.2 * np.sin(np.arange(TRACED_FRAMES) / 5)[:, None, None]
    noisy = light * texture + 0.03 * rng.standard_normal((TRACED_FRAMES, FRAME_SIZE, FRAME_SIZE))
    levels: NDArray[np.uint8] = np.round(255 * noisy.clip(0, 1)).astype(np.uint8)
    return levels


def write_checked(
    graph: nn.Module,
    output: str,
    facts: dict[str, str],
    out: Path,
    *,
    frames: NDArray[np.uint8] | None,
    threads: int | None,
) -> float:
    """Writes a graph of frames u8[N,128,128], checked on these frames or on made-up ones; see `write_graph`."""
    example = torch.zeros(TRACED_FRAMES, FRAME_SIZE, FRAME_SIZE, dtype=torch.uint8)
    real = made_up_frames() if frames is None else np.ascontiguousarray(frames)
    lengths = sorted({min(length, len(real)) for length in _CHECKED_LENGTHS})
    samples = [real[:length] for length in lengths]
    return write_graph(
        graph, Signature("frames", output, example, WINDOW), facts, out, samples=samples, threads=threads
    )


def checked_frames(cache: FrameCache) -> NDArray[np.uint8]:
    """Returns the first up to 40 frames of the longest training video."""
    longest = max(cache.videos, key=lambda video: video.length)
    return np.ascontiguousarray(cache.frames[longest.offset : longest.offset + min(longest.length, TRACED_FRAMES)])
