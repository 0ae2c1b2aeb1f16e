"""The files of a flip classifier: weights and ONNX, also of the source method's own."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pixelfast.flip.network import FlipClassifier, FlipGraph, save_flip_classifier
from pixelfast.model.names import EngineName
from pixelfast.training.onnx import write_checked
from pixelfast.training.weights import fill


def write_flip_classifier(
    network: FlipClassifier, out: Path, *, frames: NDArray[np.uint8] | None = None, threads: int | None = None
) -> float:
    """Writes `frames` u8[N,128,128] to `flip_probability` f32[N]; returns and raises as `write_autoencoder`."""
    return write_checked(FlipGraph(network), "flip_probability", {"kind": "flip"}, out, frames=frames, threads=threads)


def write_flip_files(
    network: FlipClassifier,
    folder: Path,
    recipe: str,
    *,
    frames: NDArray[np.uint8] | None = None,
    threads: int | None = None,
) -> float:
    """Writes weights, which name their recipe, and the ONNX file; returns and raises as `write_flip_classifier`."""
    name = EngineName("flip")
    save_flip_classifier(network, folder / str(name.weights), recipe=recipe)
    return write_flip_classifier(network, folder / str(name), frames=frames, threads=threads)


def convert_flip_classifier(path: Path, state: Mapping[str, Tensor], workdir: Path) -> float:
    """Writes the files of the source method's own classifier; returns and raises as `write_flip_files`.

    Raises:
        ModelError: also where the state dict, which `path` held, is not that of the source's classifier.
    """
    classifier = FlipClassifier()
    fill(classifier, path, state)
    return write_flip_files(classifier, workdir, "source")
