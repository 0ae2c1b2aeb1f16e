"""What a training computes with: by a table and what the processor can do, so that a seed fixes the model.

Nothing is timed: under other load a timing would choose otherwise, and another choice is another model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from pixelfast.machine.processor import multiplies_bf16
from pixelfast.options import TrainingPrecision
from pixelfast.training.device import CPU


@dataclass(frozen=True)
class Choice:
    """What a training computes with; with the seed it fixes the model.

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


def usual_precision(
    allowed: Sequence[TrainingPrecision] = ("fp32", "bf16"), device: torch.device = CPU
) -> TrainingPrecision:
    """Of the allowed ones bf16 where what computes multiplies it itself, else fp32.

    Measured on a Zen 5 with two threads, steps of bf16 to steps of fp32: the default autoencoder 3, the source's 2 to
    3, the GRU 1.9 times as many in a second.
    """
    multiplies = multiplies_bf16() if device.type == "cpu" else torch.cuda.is_bf16_supported(including_emulation=False)
    wanted: TrainingPrecision = "bf16" if multiplies else "fp32"
    return wanted if wanted in allowed else allowed[0]
