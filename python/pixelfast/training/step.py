"""One step of the autoencoder's training, in the precision and memory layout that were chosen."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelfast.networks.autoencoder import TemporalAutoencoder
from pixelfast.training.recipes import Precision


@dataclass(frozen=True)
class Choice:
    """What a machine trains fastest with; with the seed it fixes the model.

    Attributes:
        precision: "bf16" runs convolutions under autocast; weights, losses and the optimiser stay float32.
        channels_last: memory layout of weights and batches.
        batch: windows a step.
        threads: of PyTorch.
        piece: windows that go through the network at a time; the gradient of a batch is the sum of its pieces'. None
            takes the whole batch, as batch normalisation must.
    """

    precision: Precision
    channels_last: bool
    batch: int
    threads: int
    piece: int | None = None

    @property
    def layout(self) -> torch.memory_format:
        """The memory layout as PyTorch names it."""
        return torch.channels_last if self.channels_last else torch.contiguous_format


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
