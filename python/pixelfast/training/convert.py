"""Weights that the source method's own training wrote, brought into pixelfast's files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pixelfast.errors import ModelError
from pixelfast.networks.autoencoder import TemporalAutoencoder
from pixelfast.networks.flip import FlipClassifier
from pixelfast.training.export import write_autoencoder, write_flip_classifier
from pixelfast.training.plain_files import NotPlainError, load_plain
from pixelfast.training.weights import save_autoencoder, save_flip_classifier

_WRAPPERS = ("state_dict", "model_state_dict", "model")
_SUFFIXES = (".pth", ".pt", ".bin", ".ckpt")
_AUTOENCODER_KEY = "encoder.0.weight"
_FLIP_KEY = "net.0.weight"
_MOTION_KEY = "gru.weight_ih_l0"


def convert_weights(weights: Path | Sequence[Path], workdir: Path) -> dict[str, Any]:
    """Writes `ae.safetensors` and `ae.onnx`, and `flip.safetensors` and `flip.onnx` where there is a classifier.

    The files hold state dicts; nothing in them is run (`weights_only`).

    Args:
        weights: a file, a folder of files (`.pth`, `.pt`, `.bin`, `.ckpt`), or several of both.
        workdir: an existing folder to write into.

    Returns:
        `{"autoencoder": path, "flip": path or None, "width": int, "onnx_difference": {file name: float}}`,
        paths as text.

    Raises:
        ModelError: a file is not there, holds something else, or there is no autoencoder or two of a kind.
        OutputError: a file cannot be written.
    """
    found = _recognise(_files(weights))
    autoencoder, flip = found.get("autoencoder"), found.get("flip classifier")
    if autoencoder is None:
        raise ModelError(f"{_named(weights)} holds no autoencoder (encoder.0.weight to decoder.6.bias): give that too")
    network = _autoencoder(*autoencoder)
    classifier = FlipClassifier() if flip is not None else None
    if classifier is not None and flip is not None:
        _fill(classifier, *flip)
    return {
        "autoencoder": str(autoencoder[0]),
        "flip": str(flip[0]) if flip is not None else None,
        "width": network.width,
        "onnx_difference": _write(network, classifier, workdir),
    }


def _write(network: TemporalAutoencoder, classifier: FlipClassifier | None, workdir: Path) -> dict[str, float]:
    save_autoencoder(network, workdir / "ae.safetensors", recipe="source", trained_with={})
    differences = {"ae.onnx": write_autoencoder(network, workdir / "ae.onnx")}
    if classifier is not None:
        save_flip_classifier(classifier, workdir / "flip.safetensors", recipe="source")
        differences["flip.onnx"] = write_flip_classifier(classifier, workdir / "flip.onnx")
    return differences


def _files(weights: Path | Sequence[Path]) -> list[Path]:
    given = [Path(weights)] if isinstance(weights, str | Path) else [Path(one) for one in weights]
    files: list[Path] = []
    for path in given:
        inside = sorted(one for one in path.iterdir() if one.suffix in _SUFFIXES) if path.is_dir() else [path]
        if not inside:
            raise ModelError(f"the folder {path} holds no weights ({', '.join(_SUFFIXES)})")
        files += inside
    return files


def _recognise(files: Sequence[Path]) -> dict[str, tuple[Path, dict[str, Tensor]]]:
    """File and state dict of each kind of network."""
    found: dict[str, tuple[Path, dict[str, Tensor]]] = {}
    for path in files:
        state = _state_dict(path)
        kind = _kind(path, state)
        if kind in found:
            raise ModelError(f"{found[kind][0]} and {path} both hold weights of one kind ({kind}): give one of them")
        found[kind] = (path, state)
    return found


def _state_dict(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise ModelError(f"there are no weights at {path}")
    try:
        loaded = load_plain(path)
    except NotPlainError as error:
        raise ModelError(
            f"{path} holds no plain weights ({error}): save them with "
            "torch.save(network.state_dict(), path); pixelfast runs no code from a file"
        ) from None
    inner = next((loaded[key] for key in _WRAPPERS if isinstance(loaded, dict) and key in loaded), loaded)
    if not isinstance(inner, dict) or not all(isinstance(value, Tensor) for value in inner.values()):
        raise ModelError(f"{path} holds no state dict (names and tensors)")
    # torch.nn.DataParallel puts "module." before every name.
    return {str(name).removeprefix("module."): tensor.float() for name, tensor in inner.items()}


def _kind(path: Path, state: dict[str, Tensor]) -> str:
    if _AUTOENCODER_KEY in state:
        return "autoencoder"
    if _FLIP_KEY in state:
        return "flip classifier"
    if _MOTION_KEY in state:
        raise ModelError(f"{path} holds the weights of a motion GRU, which cannot be converted yet")
    names = ", ".join(list(state)[:3]) or "nothing"
    raise ModelError(
        f"{path} holds {names}…, which is neither the source method's autoencoder (encoder.0.weight …) "
        "nor its flip classifier (net.0.weight …)"
    )


def _autoencoder(path: Path, state: dict[str, Tensor]) -> TemporalAutoencoder:
    first = state[_AUTOENCODER_KEY]
    if first.ndim != 4 or not 0 < len(first) <= 1024:
        raise ModelError(f"{path}: {_AUTOENCODER_KEY} has the shape {list(first.shape)}, not [width, 16, 4, 4]")
    network = TemporalAutoencoder(len(first), "none")
    _fill(network, path, state)
    return network


def _fill(network: nn.Module, path: Path, state: dict[str, Tensor]) -> None:
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reasons = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise ModelError(f"{path} does not fit the source method's network: {reasons}") from None
    broken = [name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise ModelError(f"{path}: {broken[0]} holds values that are not finite")
    network.eval()


def _named(weights: Path | Sequence[Path]) -> str:
    return str(weights) if isinstance(weights, str | Path) else ", ".join(str(one) for one in weights)
