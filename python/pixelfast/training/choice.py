"""What a machine trains fastest with."""

from dataclasses import dataclass

import torch

from pixelfast.options import TrainingPrecision


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

    precision: TrainingPrecision
    channels_last: bool
    batch: int
    threads: int
    piece: int | None = None

    @property
    def layout(self) -> torch.memory_format:
        """The memory layout as PyTorch names it."""
        return torch.channels_last if self.channels_last else torch.contiguous_format
