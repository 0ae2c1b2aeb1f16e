"""The autoencoder on disk."""

from pathlib import Path
from typing import Any, Final

from pixelfast.errors import ModelError
from pixelfast.methods.reconstruction.network import NORMALISATIONS, TemporalAutoencoder
from pixelfast.training.weights import WIDEST, filled, read_weights, save_weights

AUTOENCODER: Final = "autoencoder"


def save_autoencoder(network: TemporalAutoencoder, path: Path, *, recipe: str, trained_with: dict[str, Any]) -> None:
    """Writes the weights, with the network's channels and normalisation, the recipe and the choice in the header."""
    facts = {"width": network.channels, "normalisation": network.normalisation, "recipe": recipe}
    save_weights(network, path, AUTOENCODER, {**facts, "trained_with": trained_with})


def load_autoencoder(path: Path) -> TemporalAutoencoder:
    """The network of a file that `save_autoencoder` wrote, in evaluation mode.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    header, tensors = read_weights(path, AUTOENCODER)
    channels, normalisation = header.get("width"), header.get("normalisation")
    if not isinstance(channels, int) or not 0 < channels <= WIDEST or normalisation not in NORMALISATIONS:
        raise ModelError(f"{path} does not say what network its weights are for: train or convert it again")
    network = TemporalAutoencoder(channels, "batch" if normalisation == "batch" else "none")
    return filled(network, tensors, path)
