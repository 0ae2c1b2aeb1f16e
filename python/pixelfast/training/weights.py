"""Networks on disk: our own files, safetensors with what builds the network in the header, and what PyTorch wrote."""

import argparse
import json
import re
import warnings
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import SimpleNamespace
from typing import Any, Final, TypeVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from pixelfast.errors import ModelError
from pixelfast.files.atomic import atomic_path

_FORMAT: Final = 1
OWN_HEADER: Final = "pixelfast"
"""The entry of a safetensors header by which our own files are known."""

WIDEST: Final = 1024  # a damaged header must not ask for terabytes

_NUMPY: Final = {"scalar": np.int8(0).__reduce__()[0], "_reconstruct": np.empty(0).__reduce__()[0]}
_PATHS: Final = {
    "PosixPath": PurePosixPath,
    "PurePosixPath": PurePosixPath,
    "WindowsPath": PureWindowsPath,
    "PureWindowsPath": PureWindowsPath,
}

Network = TypeVar("Network", bound=nn.Module)


def save_weights(network: nn.Module, path: Path, kind: str, facts: dict[str, Any]) -> None:
    """Writes the weights of a network, with its kind and the facts to build it from in the header."""
    tensors = {name: tensor.detach().contiguous() for name, tensor in network.state_dict().items()}
    # One entry: safetensors writes several in a random order, and the same model must give the same file.
    header = {OWN_HEADER: json.dumps({"format": _FORMAT, "network": kind, **facts}, sort_keys=True)}
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
            facts = json.loads((file.metadata() or {}).get(OWN_HEADER, "{}"))
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


class NotPlainError(Exception):
    """The file is damaged, or holds more than tensors and plain values; the message names the kind of trouble."""


_HARMLESS: Final[list[Any]] = [
    argparse.Namespace, SimpleNamespace, slice, frozenset, datetime, timedelta,
    np.dtype, np.ndarray, *(getattr(np.dtypes, name) for name in np.dtypes.__all__),
    # By the names that they have in files of NumPy 1 and 2, and of Python 3.11 to 3.13 on either system.
    *((function, f"numpy.{core}.multiarray.{name}") for core in ("core", "_core") for name, function in _NUMPY.items()),
    *((pure, f"{home}.{name}") for home in ("pathlib", "pathlib._local") for name, pure in _PATHS.items()),
]  # fmt: skip
"""Values that people keep beside weights, and that do nothing when they are made."""


def load_plain(path: Path) -> Any:
    """Tensors and plain values (dictionaries, lists, numbers, text, arrays, paths) that `torch.save` wrote.

    Raises:
        NotPlainError: the file is damaged or holds something else.
    """
    try:
        with torch.serialization.safe_globals(_HARMLESS), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about quantised tensors, which are refused afterwards
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the reader raise nearly anything, AssertionError included
        stranger = re.search(r"GLOBAL (\S+) was not an allowed", str(error))
        script = "a TorchScript archive" if "TorchScript archive" in str(error) else type(error).__name__
        raise NotPlainError(stranger[1] if stranger else script) from error


def fill(network: nn.Module, path: Path, state: Mapping[str, Tensor]) -> None:
    """Puts a state dict, which `path` held, into a network of the source method, in evaluation mode.

    Raises:
        ModelError: it is another network's, or holds values that are not finite.
    """
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reasons = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise ModelError(f"{path} does not fit the source method's network: {reasons}") from None
    broken = [name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise ModelError(f"{path}: {broken[0]} holds values that are not finite")
    network.eval()
