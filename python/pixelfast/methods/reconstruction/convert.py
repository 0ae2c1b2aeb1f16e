"""The source method's own autoencoder, brought into pixelfast's files."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from pixelfast.errors import ModelError
from pixelfast.geometry import WINDOW
from pixelfast.methods.base import ConvertRequest
from pixelfast.methods.reconstruction import METHOD
from pixelfast.methods.reconstruction.export import write_autoencoder
from pixelfast.methods.reconstruction.network import TemporalAutoencoder, save_autoencoder
from pixelfast.methods.trained import Trained
from pixelfast.model.names import EngineName
from pixelfast.training.plain_files import fill


def convert_autoencoder(path: Path, state: Mapping[str, Tensor], workdir: Path, request: ConvertRequest) -> Trained:
    """Writes the weights and the engine of an autoencoder; see `SourceWeights.convert`.

    Raises:
        ModelError: the state dict is not that of the source's network.
        OutputError: a file cannot be written.
    """
    del request
    first = state["encoder.0.weight"]
    if first.ndim != 4 or not 0 < len(first) <= 1024:
        raise ModelError(f"{path}: encoder.0.weight has the shape {list(first.shape)}, not [channels, 16, 4, 4]")
    network, name = TemporalAutoencoder(len(first), "none"), EngineName(METHOD.stem)
    fill(network, path, state)
    save_autoencoder(network, workdir / str(name.weights), recipe="source", trained_with={})
    difference = write_autoencoder(network, workdir / str(name))
    return Trained(str(name), WINDOW, {"channels": network.channels}, differences={str(name): difference})
