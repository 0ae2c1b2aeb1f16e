"""What a graph in less than float32 must hold."""

from pathlib import Path
from typing import Final

import torch

from pixelfast.errors import ModelError

REDUCED: Final = {"fp16": torch.float16, "bf16": torch.bfloat16}


LEAST_AGREEMENT: Final = 0.999


REDUCED_TOLERANCE: Final = 0.1
"""ONNX Runtime rounds half numbers elsewhere than PyTorch: this only tells a broken file from a whole one."""


def check_agreement(agreement: float, precision: str, out: Path) -> None:
    if not agreement >= LEAST_AGREEMENT:  # also where it is not a number
        raise ModelError(
            f"{out} was not written: in {precision} the scores' rank correlation with float32 is {agreement:.4f}, "
            f"below {LEAST_AGREEMENT}"
        )
