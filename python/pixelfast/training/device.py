"""Where a training computes: on the GPU where PyTorch has one, else on the CPU; its code is the same."""

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pixelfast.options import TrainingPrecision

CPU: Final = torch.device("cpu")

_CUBLAS_WORKSPACE: Final = "CUBLAS_WORKSPACE_CONFIG", ":4096:8"
"""What cuBLAS must find in the environment to give the same bits again (PyTorch's notes on reproducibility)."""


def training_device() -> torch.device:
    """Returns the GPU where PyTorch has one, made ready to give the same bits again; else the CPU."""
    if not torch.cuda.is_available():
        return CPU
    os.environ.setdefault(*_CUBLAS_WORKSPACE)
    return torch.device("cuda")


def device_of(network: nn.Module) -> torch.device:
    """Returns where a network's weights lie."""
    return next(network.parameters()).device


def in_precision(device: torch.device, precision: TrainingPrecision) -> AbstractContextManager[object]:
    """Returns what stands around a network's call: autocast to bfloat16 where that is the precision."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """Returns a tensor of the host on the device; from page-locked memory the host does not wait for it."""
    return tensor.to(device, non_blocking=True)


def room(shape: tuple[int, ...], device: torch.device) -> NDArray[np.float32]:
    """Returns f32[shape] on the host that is sent to the device; page-locked where that is a GPU."""
    if device.type == "cpu":
        return np.empty(shape, np.float32)
    values: NDArray[np.float32] = torch.empty(shape, pin_memory=torch.cuda.is_available()).numpy()
    return values
