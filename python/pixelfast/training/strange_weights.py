"""Weights that other programs wrote: the state dicts in a file, whatever is wrapped around them and their names."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from pixelfast.errors import ModelError
from pixelfast.training.weights import OWN_HEADER, NotPlainError, load_plain

SAFETENSORS: Final = ".safetensors"
# Where a file holds several, those under these keys are meant.
_USUAL: Final = ("state_dict", "model_state_dict", "model")
# What DataParallel and torch.compile put before the names of any part; and what people call the whole.
_WRAPPED: Final = re.compile(r"(^|\.)(?:(?:module|_orig_mod)\.)+")
_WHOLE: Final = r"((?:(?:model|net|network|autoencoder)\.)*)"
_DEEPEST: Final = 4


class State(NamedTuple):
    """A state dict in a file.

    Attributes:
        place: the keys that lead to it; empty where it is all there is.
        tensors: by name, as in the file.
    """

    place: tuple[str, ...]
    tensors: Mapping[str, Tensor]


def load_states(path: Path) -> list[State]:
    """The state dicts in a `.safetensors` file or one that `torch.save` wrote, those that are usually meant first.

    Raises:
        ModelError: there is no such file, it holds none, or quantised ones.
    """
    if not path.is_file():
        raise ModelError(f"there are no weights at {path}")
    if path.suffix.lower() == SAFETENSORS:
        return [State((), _read_safetensors(path))]
    try:
        loaded = load_plain(path)
    except NotPlainError as error:
        raise ModelError(
            f"{path} holds no plain weights ({error}): save them with "
            "torch.save(network.state_dict(), path); pixelfast runs no code from a file"
        ) from None
    found = list(_states(path, loaded))
    if not found:
        keys = f" but {', '.join(map(str, list(loaded)[:5]))}" if isinstance(loaded, dict) else ""
        raise ModelError(f"{path} holds no state dict (names and tensors){keys}")
    return sorted(found, key=_preference)


def unwrapped(path: Path, states: Sequence[State], key: str) -> dict[str, Tensor] | None:
    """Names and float32 tensors of the network that has a tensor `key`, freed of what is wrapped around them.

    None where there is none.

    Raises:
        ModelError: there are several, or its weights are quantised.
    """
    found: dict[str, dict[str, Tensor]] = {}
    for _, alike in groupby(states, _preference):
        for state in alike:
            names = {_WRAPPED.sub(r"\1", name): name for name in state.tensors if name != "n_averaged"}
            matches = (re.fullmatch(_WHOLE + re.escape(key), name) for name in names)
            for prefix in sorted({match[1] for match in matches if match}):
                own = {name.removeprefix(prefix): old for name, old in names.items() if name.startswith(prefix)}
                place = ".".join((*state.place, prefix.removesuffix(".")))
                found[place] = {name: state.tensors[old] for name, old in own.items()}
        if found:
            break
    if len(found) > 1:
        raise ModelError(f"{path} holds several networks of one kind ({', '.join(found)}): save the one that is meant")
    tensors = next(iter(found.values()), None)
    for name, tensor in (tensors or {}).items():
        if tensor.is_quantized or (tensor.element_size() == 1 and tensor.ndim > 0):
            raise _quantised(path, name, str(tensor.dtype))
    return None if tensors is None else {name: tensor.float() for name, tensor in tensors.items()}


def load_state_dict(path: Path, key: str) -> dict[str, Tensor]:
    """Names and float32 tensors of the network in a file that has a tensor `key`; else whatever the file holds first.

    Raises:
        ModelError: see `load_states` and `unwrapped`.
    """
    states = load_states(path)
    found = unwrapped(path, states, key)
    return {name: tensor.float() for name, tensor in states[0].tensors.items()} if found is None else found


def _states(path: Path, content: Any, place: tuple[str, ...] = ()) -> Iterator[State]:
    """The dictionaries with tensors, from the outside in; what else lies beside these is passed over."""
    if not isinstance(content, dict) or len(place) > _DEEPEST:
        return
    for name, value in content.items():
        if "_packed_params" in str(name):
            raise _quantised(path, str(name), "packed")
        yield from _states(path, value, (*place, str(name)))
    tensors = {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)}
    for name, tensor in tensors.items():
        if not tensor.is_quantized and not _is_whole(tensor):
            raise ModelError(f"{path} does not hold the values of {name} {list(tensor.shape)} one by one: save them so")
    if tensors or (not content and not place):
        yield State(place, tensors)


def _is_whole(tensor: Tensor) -> bool:
    """Says whether the file holds each value: one that stands for a million million others would fill memory."""
    held = tensor.layout == torch.strided and not tensor.is_meta
    return held and tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def _preference(state: State) -> int:
    """0 for one that is all there is, then those under the usual keys, then others."""
    ranks = (1 + rank for rank, name in enumerate(_USUAL) if name in state.place)
    return next(ranks, 1 + len(_USUAL)) if state.place else 0


def _quantised(path: Path, name: str, what: str) -> ModelError:
    return ModelError(f"{path} holds quantised weights ({name} is {what}): give the floats that they were made of")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            ours = OWN_HEADER in (file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is damaged or no safetensors file ({error})") from None
    if ours:
        raise ModelError(f"{path} is pixelfast's own: it needs no conversion, give its model folder as the engine")
    return tensors
