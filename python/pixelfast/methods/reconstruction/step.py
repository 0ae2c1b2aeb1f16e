"""One step of the autoencoder's training, in the precision and memory layout that were chosen."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelfast.methods.reconstruction.network import TemporalAutoencoder
from pixelfast.training.choice import Choice


def reconstruct(network: TemporalAutoencoder, cuboids: Tensor, choice: Choice) -> Tensor:
    """f32[B,16,H,W] to their reconstruction f32[B,16,H,W]."""
    with torch.autocast("cpu", torch.bfloat16, enabled=choice.precision == "bf16"):
        output: Tensor = network(cuboids.contiguous(memory_format=choice.layout))
    return output


def train_step(
    network: TemporalAutoencoder,
    optimiser: torch.optim.Optimizer,
    cuboids: Tensor,
    target: Tensor,
    choice: Choice,
) -> float:
    """One step down the gradient of the mean squared error, which is returned."""
    optimiser.zero_grad(set_to_none=True)
    size = choice.piece or len(cuboids)
    total = 0.0
    for fed, asked in zip(torch.split(cuboids, size), torch.split(target, size), strict=True):
        share = len(fed) / len(cuboids)
        loss = F.mse_loss(reconstruct(network, fed, choice), asked) * share
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item()
    optimiser.step()
    return total


def new_optimiser(network: TemporalAutoencoder, learning_rate: float) -> torch.optim.Adam:
    """Adam (METHOD), its update of all weights in one pass over memory."""
    return torch.optim.Adam(network.parameters(), learning_rate, fused=True)
