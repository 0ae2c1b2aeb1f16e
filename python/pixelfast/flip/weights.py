"""The flip classifier on disk."""

from pathlib import Path
from typing import Final

from pixelfast.flip.network import FlipClassifier
from pixelfast.training.weights import filled, read_weights, save_weights

FLIP_CLASSIFIER: Final = "flip-classifier"


def save_flip_classifier(network: FlipClassifier, path: Path, *, recipe: str) -> None:
    """Writes the weights of a flip classifier."""
    save_weights(network, path, FLIP_CLASSIFIER, {"recipe": recipe})


def load_flip_classifier(path: Path) -> FlipClassifier:
    """The network of a file that `save_flip_classifier` wrote, in evaluation mode.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    return filled(FlipClassifier(), read_weights(path, FLIP_CLASSIFIER)[1], path)
