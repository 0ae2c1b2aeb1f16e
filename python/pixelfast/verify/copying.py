"""How much of a call of the fastest engine is copying its frames to the GPU."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.verify.machine import Machine
from pixelfast.verify.measuring import Trial, calls_a_second


def copying_words(best: Trial, inputs: NDArray[Any], machine: Machine, seconds: float) -> list[tuple[str, str]]:
    """A line about it, none where the fastest engine does not run on a GPU.

    Args:
        best: the fastest engine.
        inputs: of its best call.
        machine: where it runs.
        seconds: how long copying is measured, about.
    """
    if not best.candidate.on_gpu:
        return []
    if not machine.by_torch:
        return [("copying in", "not measured: PyTorch does not reach the GPU")]
    try:
        alone = _seconds_of_copying(inputs, seconds)
    except RuntimeError as error:  # of PyTorch: the engines may have taken all of the memory
        return [("copying in", f"not measured: {str(error).splitlines()[0]}")]
    share, speed = alone / best.call_seconds[best.best_length], inputs.nbytes / alone / 1e9
    call = f"takes {share:.1%} of a call of {best.best_length} ({speed:.1f} GB/s from page-locked memory)"
    return [("copying in", f"{call}; the engine computes beside it")]


def _seconds_of_copying(inputs: NDArray[Any], seconds: float) -> float:
    """Of one call's inputs from page-locked memory to the GPU, alone."""
    import torch

    sent = torch.from_numpy(np.ascontiguousarray(inputs)).pin_memory()
    there = torch.empty_like(sent, device="cuda")

    def copy() -> None:
        there.copy_(sent, non_blocking=True)
        torch.cuda.synchronize()

    copy()  # makes the context
    return 1 / calls_a_second(copy, seconds)
