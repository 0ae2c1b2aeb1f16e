"""Graphs in less than float32: their dtypes, and how a CPU checks them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

REDUCED: Final = {"fp16": torch.float16, "bf16": torch.bfloat16}

REDUCED_TOLERANCE: Final = 0.1
"""ONNX Runtime rounds half numbers elsewhere than PyTorch: this only tells a broken file from a whole one."""

_CONVOLUTIONS: Final = (torch.conv2d, torch.conv_transpose2d)


class HalfConvolutions(TorchFunctionMode):
    """Within it, convolutions of half or bfloat16 are computed as a GPU's matrix units do it.

    The products of half numbers are exact in float32 and are added up there; the sum is rounded to half. PyTorch's own
    take fifty times as long on a CPU, which has none. Everything else stays PyTorch's half arithmetic, and float
    convolutions stay as they are. Nothing is to be exported in it.
    """

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Calls `function`, a convolution of half numbers in float32."""
        del types
        if function not in _CONVOLUTIONS or args[0].dtype == torch.float32:
            return function(*args, **(kwargs or {}))
        floats = [one.float() if isinstance(one, Tensor) else one for one in args]
        return function(*floats, **(kwargs or {})).to(args[0].dtype)
