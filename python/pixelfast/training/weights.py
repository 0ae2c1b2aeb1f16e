"""Networks on disk: safetensors, with what is needed to build the network in the header."""

import json
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from pixelfast.errors import ModelError
from pixelfast.files.atomic import atomic_path

_FORMAT: Final = 1
_KEY: Final = "pixelfast"
WIDEST: Final = 1024  # a damaged header must not ask for terabytes

Network = TypeVar("Network", bound=nn.Module)


def save_weights(network: nn.Module, path: Path, kind: str, facts: dict[str, Any]) -> None:
    """Writes the weights of a network, with its kind and the facts to build it from in the header."""
    tensors = {name: tensor.detach().contiguous() for name, tensor in network.state_dict().items()}
    # One entry: safetensors writes several in a random order, and the same model must give the same file.
    header = {_KEY: json.dumps({"format": _FORMAT, "network": kind, **facts}, sort_keys=True)}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata=header)


def read_weights(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Reads the facts and the tensors of a file that `save_weights` wrote.

    Raises:
        ModelError: it is not there, damaged, or holds another kind of network.
    """
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


def filled(network: Network, tensors: dict[str, Tensor], path: Path) -> Network:
    """Puts tensors into a network, which is in evaluation mode then.

    Raises:
        ModelError: they are not its own, or hold values that are not finite.
    """
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise ModelError(f"{path} does not fit its network: {first}") from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise ModelError(f"{path} holds weights that are not finite: train it again")
    return network.eval()
