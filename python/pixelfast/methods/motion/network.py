"""The predictor of the motion method: past flows in, the next one out; and its weights on disk."""

from pathlib import Path
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelfast.errors import ModelError
from pixelfast.geometry import FLOW_SIZE, GRID, PAST_FLOWS
from pixelfast.training.weights import WIDEST, filled, read_weights, save_weights

HIDDEN: Final = 512
"""Units of the GRU (METHOD)."""

Scale = float | tuple[float, float]

_WEIGHTS: Final = {
    "of_input": "gru.weight_ih_l0",
    "input_bias": "gru.bias_ih_l0",
    "of_state": "gru.weight_hh_l0",
    "state_bias": "gru.bias_hh_l0",
    "to_flow": "fc.weight",
    "flow_bias": "fc.bias",
}
"""What an unrolled GRU calls the network's parameters."""

FLOW_VALUES: Final = 2 * FLOW_SIZE * FLOW_SIZE
"""Values of a flow, flattened (METHOD: 8,192)."""


class FlowGru(nn.Module):
    """A GRU over the past flows; from its last state, linearly, the next one (METHOD, "Motion").

    Parameter names are the source's.

    Args:
        hidden: units of the GRU.
    """

    def __init__(self, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.gru = nn.GRU(FLOW_VALUES, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, FLOW_VALUES)

    def forward(self, sequences: Tensor) -> Tensor:
        """f32[B,K,8192], scaled flows, to the next ones f32[B,8192]."""
        states, _ = self.gru(sequences)  # [B, K, hidden]
        predicted: Tensor = self.fc(states[:, -1])
        return predicted


class MotionGraph(nn.Module):
    """`flow` f32[K+M,2,64,64] to `flow_errors` f32[M,8,8]: the sum of squared errors a cell, in scaled units.

    A flow's input projection is computed once, not once for each of the K sequences that it is part of.

    Args:
        network: the predictor, trained on flows divided by `scale`; None expects no motion, and errors are the flow's
            own squares.
        scale: the deviation of the training flows, pixels of the grid; or one to the right and one down.
        past: K.
        dtype: of the network's weights and activations, in a copy of it where it is not float32; the scaled flow and
            its error stay float32 at any.
    """

    unit: Tensor

    def __init__(
        self, network: FlowGru | None, scale: Scale, past: int = PAST_FLOWS, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.predictor = None if network is None else _Predictor(network, past, dtype)
        self.register_buffer("unit", _unit(scale))
        self.past = past
        self.dtype = dtype

    def forward(self, flow: Tensor) -> Tensor:
        """Errors of all flows but the first K."""
        scaled = (flow / self.unit).flatten(1)  # [K + M, 8192]
        if self.predictor is None:
            return _cells(scaled[self.past :])
        return _cells(scaled[self.past :] - self.predictor(self._held(scaled)).float())

    def _held(self, scaled: Tensor) -> Tensor:
        """The scaled flow in the network's dtype; what that cannot hold becomes its largest number, no infinity."""
        if self.dtype == torch.float32:
            return scaled
        most = torch.finfo(self.dtype).max
        return scaled.clamp(-most, most).to(self.dtype)


class _Predictor(nn.Module):
    """A `FlowGru` for all sequences of K neighbouring flows at once: flows [K+M,8192] to the next ones [M,8192].

    Its weights are those of the network, or copies where the dtype is another. They are buffers, as torch.compile
    cannot look into torch.nn.GRU.
    """

    of_input: Tensor
    input_bias: Tensor
    of_state: Tensor
    state_bias: Tensor
    to_flow: Tensor
    flow_bias: Tensor

    def __init__(self, network: FlowGru, past: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.past, self.hidden = past, network.gru.hidden_size
        for name, source in _WEIGHTS.items():
            self.register_buffer(name, network.get_parameter(source).detach().to(dtype))

    def forward(self, scaled: Tensor) -> Tensor:
        """The prediction of each flow but the first K."""
        projected = F.linear(scaled[:-1], self.of_input, self.input_bias)  # [K + M - 1, 3 * hidden]
        steps = projected.unfold(0, self.past, 1)  # [M, 3 * hidden, K]
        state = torch.zeros_like(steps[:, : self.hidden, 0])  # [M, hidden]
        for step in range(self.past):
            state = _next(steps[:, :, step], F.linear(state, self.of_state, self.state_bias), state)
        return F.linear(state, self.to_flow, self.flow_bias)


def _next(from_input: Tensor, from_state: Tensor, state: Tensor) -> Tensor:
    """One step of torch.nn.GRU, from the projections f32[M,3*hidden] of its input and of its state f32[M,hidden]."""
    reset_in, update_in, new_in = from_input.chunk(3, dim=1)
    reset_own, update_own, new_own = from_state.chunk(3, dim=1)
    reset = torch.sigmoid(reset_in + reset_own)
    update = torch.sigmoid(update_in + update_own)
    new = torch.tanh(new_in + reset * new_own)
    return (1 - update) * new + update * state


def _unit(scale: Scale) -> Tensor:
    """f32[2,1,1]: what the two directions are divided by."""
    right, down = (scale, scale) if isinstance(scale, float) else scale
    return torch.tensor([right, down], dtype=torch.float32).reshape(2, 1, 1)


def _cells(error: Tensor) -> Tensor:
    """f32[M,8192] to the sum of squares of each cell, f32[M,G,G]."""
    squares = (error * error).reshape(-1, 2, FLOW_SIZE, FLOW_SIZE).sum(dim=1, keepdim=True)  # [M, 1, 64, 64]
    side = FLOW_SIZE // GRID
    return F.avg_pool2d(squares, side).squeeze(1) * side**2


def save_flow_gru(network: FlowGru, path: Path, *, recipe: str, scale: Scale, past: int) -> None:
    """Writes the weights of a flow GRU, with its scale and past in the header."""
    facts = {"hidden": network.gru.hidden_size, "scale": scale, "past": past, "recipe": recipe}
    save_weights(network, path, "flow-gru", facts)


def load_flow_gru(path: Path) -> tuple[FlowGru, Scale, int]:
    """The network of a file that `save_flow_gru` wrote, in evaluation mode, its scale and its past.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    header, tensors = read_weights(path, "flow-gru")
    hidden, past, scale = header.get("hidden"), header.get("past"), header.get("scale")
    scales: list[Any] = scale if isinstance(scale, list) else [scale]
    known = all(isinstance(size, int) and 0 < size <= WIDEST for size in (hidden, past))
    if not known or len(scales) not in (1, 2) or not all(isinstance(one, float) and one > 0 for one in scales):
        raise ModelError(f"{path} does not say what network its weights are for: train or convert it again")
    network = filled(FlowGru(int(str(hidden))), tensors, path)
    return network, (scales[0], scales[1]) if len(scales) == 2 else scales[0], int(str(past))
