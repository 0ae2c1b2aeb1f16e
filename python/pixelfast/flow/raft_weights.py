"""RAFT-Large on disk."""

from pathlib import Path
from typing import Final

from torch import nn

from pixelfast.errors import ModelError
from pixelfast.training.weights import filled, read_weights, save_weights

RAFT_LARGE: Final = "raft-large"


def save_raft(network: nn.Module, path: Path, *, height: int, width: int, updates: int) -> None:
    """Writes the weights of RAFT-Large, with the size in pixels of the frames and the updates in the header."""
    save_weights(network, path, RAFT_LARGE, {"height": height, "width": width, "updates": updates})


def load_raft(path: Path) -> tuple[nn.Module, int, int, int]:
    """The network of a file that `save_raft` wrote, in evaluation mode; height and width of its frames, its updates.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    from torchvision.models.optical_flow import raft_large  # type: ignore[import-untyped]

    header, tensors = read_weights(path, RAFT_LARGE)
    sizes = [header.get(name) for name in ("height", "width", "updates")]
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ModelError(f"{path} does not say for what frames its weights are: train or convert it again")
    height, width, updates = (int(str(size)) for size in sizes)
    return filled(raft_large(weights=None), tensors, path), height, width, updates
