"""The flip classifier to an ONNX file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelfast.flip.network import FlipClassifier, FlipGraph
from pixelfast.training.onnx import write_checked


def write_flip_classifier(
    network: FlipClassifier, out: Path, *, frames: NDArray[np.uint8] | None = None, threads: int | None = None
) -> float:
    """Writes `frames` u8[N,128,128] to `flip_probability` f32[N]; returns and raises as `write_autoencoder`."""
    return write_checked(FlipGraph(network), "flip_probability", {"kind": "flip"}, out, frames=frames, threads=threads)
