"""The source method's own flip classifier, brought into pixelfast's files."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from pixelfast.flip.export import write_flip_classifier
from pixelfast.flip.network import FlipClassifier
from pixelfast.flip.weights import save_flip_classifier
from pixelfast.model.names import EngineName
from pixelfast.training.weights import fill


def convert_flip_classifier(path: Path, state: Mapping[str, Tensor], workdir: Path) -> float:
    """Writes the weights and the ONNX file of a classifier; returns that file's largest difference from PyTorch.

    Raises:
        ModelError: the state dict, which `path` held, is not that of the source's classifier.
        OutputError: a file cannot be written.
    """
    classifier, name = FlipClassifier(), EngineName("flip")
    fill(classifier, path, state)
    save_flip_classifier(classifier, workdir / str(name.weights), recipe="source")
    return write_flip_classifier(classifier, workdir / str(name))
