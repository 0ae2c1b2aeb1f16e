"""The motion method written the plain way: one sequence of flows at a time, in PyTorch, NumPy and SciPy."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.stats import rankdata
from torch import Tensor, nn

PAST = 8  # flows that the next one is predicted from
SIZE = 64  # side of the grid of a flow
FLOW_VALUES = 2 * SIZE * SIZE
CELLS = 8  # a side of an error map


class FlowGru(nn.Module):
    """f32[B,8,8192] to f32[B,8192]: the last state of a GRU, linearly back to a flow."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.gru = nn.GRU(FLOW_VALUES, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, FLOW_VALUES)

    def forward(self, sequences: Tensor) -> Tensor:
        _, state = self.gru(sequences)
        return self.fc(state[0])


def seeded_gru(hidden: int, seed: int) -> FlowGru:
    """Random weights large enough that the prediction depends on every one of the past flows."""
    network = FlowGru(hidden)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            fan = weight.shape[-1]
            weight.normal_(0.0, 0.1 if "bias" in name else fan**-0.5, generator=generator)
    return network.eval()


def area_weights(source: int, target: int) -> NDArray[np.float64]:
    """f64[target,source]: how much of each target cell a source pixel covers; source at least target."""
    edges = np.arange(target + 1) * source / target
    pixels = np.arange(source)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return overlap.clip(0) * target / source


def to_grid(flow: NDArray[np.float32]) -> NDArray[np.float64]:
    """f64[2,64,64]: a flow f32[H,W,2] in pixels, averaged over the grid's cells, in pixels of the grid."""
    height, width = flow.shape[:2]
    rows, columns = area_weights(height, SIZE), area_weights(width, SIZE)
    right, down = (rows @ flow[:, :, axis].astype(np.float64) @ columns.T for axis in (0, 1))
    return np.stack([right * SIZE / width, down * SIZE / height])


def error_maps(network: FlowGru, flows: NDArray[np.float32], scale: float) -> NDArray[np.float64]:
    """f64[n+1,8,8]: sums of squared errors a cell of each frame of a video, from its flows f32[n,2,64,64].

    The map of frame i+1 is the error of flow i, which is predicted from the eight before it; where the video has
    fewer, its first flow stands for them. Frame 0 takes the map of frame 1. A video of one frame does not move.
    """
    if not len(flows):
        flows = np.zeros((1, 2, SIZE, SIZE), np.float32)
        return error_maps(network, flows, scale)[:1]
    maps = []
    for index, flow in enumerate(flows):
        past = [flows[max(0, before)] for before in range(index - PAST, index)]
        sequence = torch.from_numpy(np.stack(past)).reshape(1, PAST, FLOW_VALUES) / scale
        with torch.no_grad():
            predicted = network(sequence)[0].double().numpy().reshape(2, SIZE, SIZE)
        squares = ((predicted - flow / scale) ** 2).sum(axis=0)
        side = SIZE // CELLS
        maps.append(
            [[squares[y : y + side, x : x + side].sum() for x in range(0, SIZE, side)] for y in range(0, SIZE, side)]
        )
    return np.array([maps[0], *maps])


def raw_scores(network: FlowGru, flows: NDArray[np.float32], scale: float) -> NDArray[np.float64]:
    """f64[n+1]: the norm of the error of each frame's flow."""
    return np.sqrt(error_maps(network, flows, scale).sum(axis=(1, 2)))


def smooth(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """The centred mean of 7 frames of a video."""
    return uniform_filter1d(raw, 7, mode="reflect")


def scores(raws: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """f64[N] over all frames of all videos."""
    smoothed = np.concatenate([smooth(raw) for raw in raws])
    low, high = smoothed.min(), smoothed.max()
    return (smoothed - low) / (high - low + 1e-8)


def rank(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average ranks / n, in (0, 1]."""
    return rankdata(score) / len(score)
