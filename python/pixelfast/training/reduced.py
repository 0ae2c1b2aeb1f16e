"""What a graph in less than float32 must hold."""

from typing import Final

import torch

REDUCED: Final = {"fp16": torch.float16, "bf16": torch.bfloat16}

REDUCED_TOLERANCE: Final = 0.1
"""ONNX Runtime rounds half numbers elsewhere than PyTorch: this only tells a broken file from a whole one."""
