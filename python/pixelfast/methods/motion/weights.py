"""The predictor of the motion method on disk."""

from pathlib import Path
from typing import Any, Final

from pixelfast.errors import ModelError
from pixelfast.methods.motion.network import FlowGru, Scale
from pixelfast.training.weights import WIDEST, filled, read_weights, save_weights

FLOW_GRU: Final = "flow-gru"


def save_flow_gru(network: FlowGru, path: Path, *, recipe: str, scale: Scale, past: int) -> None:
    """Writes the weights of a flow GRU, with its scale and past in the header."""
    facts = {"hidden": network.gru.hidden_size, "scale": scale, "past": past, "recipe": recipe}
    save_weights(network, path, FLOW_GRU, facts)


def load_flow_gru(path: Path) -> tuple[FlowGru, Scale, int]:
    """The network of a file that `save_flow_gru` wrote, in evaluation mode, its scale and its past.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    header, tensors = read_weights(path, FLOW_GRU)
    hidden, past, scale = header.get("hidden"), header.get("past"), header.get("scale")
    scales: list[Any] = scale if isinstance(scale, list) else [scale]
    known = all(isinstance(size, int) and 0 < size <= WIDEST for size in (hidden, past))
    if not known or len(scales) not in (1, 2) or not all(isinstance(one, float) and one > 0 for one in scales):
        raise ModelError(f"{path} does not say what network its weights are for: train or convert it again")
    network = filled(FlowGru(int(str(hidden))), tensors, path)
    return network, (scales[0], scales[1]) if len(scales) == 2 else scales[0], int(str(past))
