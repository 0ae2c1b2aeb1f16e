"""Reading what `torch.save` wrote, without running anything that is in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from pixelfast.errors import ModelError

_WRAPPERS: Final = ("state_dict", "model_state_dict", "model")


class NotPlainError(Exception):
    """The file is damaged, or holds more than tensors and plain values; the message names the kind of trouble."""


def load_plain(path: Path) -> Any:
    """Tensors and plain values (dictionaries, lists, numbers, text) that `torch.save` wrote.

    Raises:
        NotPlainError: the file is damaged or holds something else.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the reader raise nearly anything, AssertionError included
        raise NotPlainError(type(error).__name__) from error


def load_state_dict(path: Path) -> dict[str, Tensor]:
    """Names and float32 tensors of a network's weights, as `torch.save(network.state_dict(), path)` wrote them.

    Raises:
        ModelError: there is no such file, or it holds something else.
    """
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
    entries: list[tuple[Any, Any]] = list(inner.items()) if isinstance(inner, dict) else [(None, None)]
    if not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in entries):
        raise ModelError(f"{path} holds no state dict (names and tensors)")
    # torch.nn.DataParallel puts "module." before every name.
    return {name.removeprefix("module."): tensor.float() for name, tensor in entries}


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
