"""What a graph in less than float32 must hold."""

from pathlib import Path
from typing import Final

import torch

from pixelfast.errors import ModelError
from pixelfast.scores.agreement import LEAST_AGREEMENT

REDUCED: Final = {"fp16": torch.float16, "bf16": torch.bfloat16}


REDUCED_TOLERANCE: Final = 0.1
"""ONNX Runtime rounds half numbers elsewhere than PyTorch: this only tells a broken file from a whole one."""


def check_agreement(agreement: float, precision: str, out: Path) -> None:
    """Refuses a graph that changes the order of the frames.

    Raises:
        ModelError: the rank correlation of its scores with those of float32 is too low, or not a number.
    """
    if not agreement >= LEAST_AGREEMENT:  # also where it is not a number
        raise ModelError(
            f"{out} was not written: in {precision} the scores' rank correlation with float32 is {agreement:.4f}, "
            f"below {LEAST_AGREEMENT}"
        )
