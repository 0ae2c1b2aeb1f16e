"""Reading what `torch.save` wrote, without running anything that is in it."""

from pathlib import Path
from typing import Any

import torch


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
