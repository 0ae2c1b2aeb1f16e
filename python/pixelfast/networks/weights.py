"""Networks on disk: safetensors, with what is needed to build the network in the header."""

import json
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from pixelfast.atomic import atomic_path
from pixelfast.errors import ModelError
from pixelfast.networks.autoencoder import NORMALISATIONS, TemporalAutoencoder
from pixelfast.networks.flip import FlipClassifier
from pixelfast.networks.flow_gru import FlowGru, Scale

AUTOENCODER: Final = "autoencoder"
FLIP_CLASSIFIER: Final = "flip-classifier"
FLOW_GRU: Final = "flow-gru"
RAFT_LARGE: Final = "raft-large"
_FORMAT: Final = 1
_KEY: Final = "pixelfast"
_WIDEST: Final = 1024  # a damaged header must not ask for terabytes

Network = TypeVar("Network", bound=nn.Module)


def save_autoencoder(network: TemporalAutoencoder, path: Path, *, recipe: str, trained_with: dict[str, Any]) -> None:
    """Writes the weights, with the network's width and normalisation, the recipe and the choice in the header."""
    facts = {"width": network.width, "normalisation": network.normalisation, "recipe": recipe}
    _save(network, path, AUTOENCODER, {**facts, "trained_with": trained_with})


def save_flip_classifier(network: FlipClassifier, path: Path, *, recipe: str) -> None:
    """Writes the weights of a flip classifier."""
    _save(network, path, FLIP_CLASSIFIER, {"recipe": recipe})


def load_autoencoder(path: Path) -> TemporalAutoencoder:
    """The network of a file that `save_autoencoder` wrote, in evaluation mode.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    header, tensors = _read(path, AUTOENCODER)
    width, normalisation = header.get("width"), header.get("normalisation")
    if not isinstance(width, int) or not 0 < width <= _WIDEST or normalisation not in NORMALISATIONS:
        raise ModelError(f"{path} does not say what network its weights are for: train or convert it again")
    network = TemporalAutoencoder(width, "batch" if normalisation == "batch" else "none")
    return _filled(network, tensors, path)


def load_flip_classifier(path: Path) -> FlipClassifier:
    """The network of a file that `save_flip_classifier` wrote, in evaluation mode.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    return _filled(FlipClassifier(), _read(path, FLIP_CLASSIFIER)[1], path)


def save_flow_gru(network: FlowGru, path: Path, *, recipe: str, scale: Scale, past: int) -> None:
    """Writes the weights of a flow GRU, with its scale and past in the header."""
    facts = {"hidden": network.gru.hidden_size, "scale": scale, "past": past, "recipe": recipe}
    _save(network, path, FLOW_GRU, facts)


def load_flow_gru(path: Path) -> tuple[FlowGru, Scale, int]:
    """The network of a file that `save_flow_gru` wrote, in evaluation mode, its scale and its past.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    header, tensors = _read(path, FLOW_GRU)
    hidden, past, scale = header.get("hidden"), header.get("past"), header.get("scale")
    scales: list[Any] = scale if isinstance(scale, list) else [scale]
    known = all(isinstance(size, int) and 0 < size <= _WIDEST for size in (hidden, past))
    if not known or len(scales) not in (1, 2) or not all(isinstance(one, float) and one > 0 for one in scales):
        raise ModelError(f"{path} does not say what network its weights are for: train or convert it again")
    network = _filled(FlowGru(int(str(hidden))), tensors, path)
    return network, (scales[0], scales[1]) if len(scales) == 2 else scales[0], int(str(past))


def save_raft(network: nn.Module, path: Path, *, height: int, width: int, updates: int) -> None:
    """Writes the weights of RAFT-Large, with the size in pixels of the frames and the updates in the header."""
    _save(network, path, RAFT_LARGE, {"height": height, "width": width, "updates": updates})


def load_raft(path: Path) -> tuple[nn.Module, int, int, int]:
    """The network of a file that `save_raft` wrote, in evaluation mode; height and width of its frames, its updates.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    from torchvision.models.optical_flow import raft_large  # type: ignore[import-untyped]

    header, tensors = _read(path, RAFT_LARGE)
    sizes = [header.get(name) for name in ("height", "width", "updates")]
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ModelError(f"{path} does not say for what frames its weights are: train or convert it again")
    height, width, updates = (int(str(size)) for size in sizes)
    return _filled(raft_large(weights=None), tensors, path), height, width, updates


def _save(network: nn.Module, path: Path, kind: str, facts: dict[str, Any]) -> None:
    tensors = {name: tensor.detach().contiguous() for name, tensor in network.state_dict().items()}
    # One entry: safetensors writes several in a random order, and the same model must give the same file.
    header = {_KEY: json.dumps({"format": _FORMAT, "network": kind, **facts}, sort_keys=True)}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata=header)


def _read(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise ModelError(f"there are no weights at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get(_KEY, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, ValueError, OSError) as error:
        raise ModelError(f"{path} is damaged or no safetensors file ({error})") from None
    if not isinstance(facts, dict) or facts.get("network") != kind or facts.get("format") != _FORMAT:
        raise ModelError(f"{path} does not hold the weights of a pixelfast {kind}")
    return facts, tensors


def _filled(network: Network, tensors: dict[str, Tensor], path: Path) -> Network:
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise ModelError(f"{path} does not fit its network: {first}") from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise ModelError(f"{path} holds weights that are not finite: train it again")
    return network.eval()
