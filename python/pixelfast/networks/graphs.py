"""What is exported: frames in as bytes, the numbers that scoring needs out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelfast.networks.autoencoder import TemporalAutoencoder, fold
from pixelfast.networks.flip import FlipClassifier, halve
from pixelfast.networks.geometry import FRAME_SIZE, GRID, WINDOW


class ReconstructionGraph(nn.Module):
    """`frames` u8[N,128,128] to `window_errors` f32[(N-16)//stride+1,16,8,8].

    Unfolding, scaling and the reduction to cells are inside, so that a frame reaches the engine once, as a byte.

    Args:
        network: the autoencoder; its normalisation is folded.
        stride: frames between the starts of windows.
        dtype: of the weights and activations; scaling, sigmoid and the error stay float32 at any.
    """

    def __init__(self, network: TemporalAutoencoder, stride: int = 1, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.network = fold(network).to(dtype)
        self.stride = stride
        self.dtype = dtype

    def forward(self, frames: Tensor) -> Tensor:
        """Mean squared error of each cell of each frame in each window."""
        # Cast first: TensorRT slices no bytes.
        windows = (frames.float() / 255).unfold(0, WINDOW, self.stride)  # [W, H, W, T]
        cuboids = windows.permute(0, 3, 1, 2)  # [W, T, H, W]
        difference = self.network(cuboids.to(self.dtype)) - cuboids
        return F.avg_pool2d(difference * difference, FRAME_SIZE // GRID)  # [W, T, G, G]


class FlipGraph(nn.Module):
    """`frames` u8[N,128,128] to `flip_probability` f32[N]."""

    def __init__(self, network: FlipClassifier) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, frames: Tensor) -> Tensor:
        """Probability that each frame is upside down."""
        return self.network.flip_probability(halve(frames.float() / 255))
