"""The predictor of the motion method to ONNX files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pixelfast.geometry import FLOW_SIZE, GRID
from pixelfast.methods.motion.network import FlowGru, MotionGraph, Scale
from pixelfast.scores.agreement import check_agreement, rank_correlation
from pixelfast.training.onnx import Signature, write_graph
from pixelfast.training.reduced import REDUCED, REDUCED_TOLERANCE

_TRACED_FLOWS: Final = 24
_CHECKED_FLOWS: Final = (1, 2, _TRACED_FLOWS)


def write_motion(network: FlowGru | None, scale: Scale, past: int, out: Path, *, threads: int | None = None) -> float:
    """Writes `flow` f32[K+M,2,64,64] to `flow_errors` f32[M,8,8].

    Without a network no motion is expected: the errors are the flow itself.

    Returns:
        The largest difference between ONNX Runtime and PyTorch, relative to the largest value.

    Raises:
        ModelError: ONNX Runtime disagrees with PyTorch.
        OutputError: `out` cannot be written.
    """
    rng = np.random.default_rng(0)
    unit = np.reshape(scale, (-1, 1, 1))
    flows = (unit * rng.standard_normal((past + 24, 2, FLOW_SIZE, FLOW_SIZE))).astype(np.float32)
    samples = [flows[: past + count] for count in _CHECKED_FLOWS]
    graph, facts = MotionGraph(network, scale, past), _facts(scale, past)
    return write_graph(graph, _signature(past), facts, out, samples=samples, threads=threads)


def write_reduced_motion(
    network: FlowGru,
    scale: Scale,
    past: int,
    out: Path,
    precision: str,
    *,
    runs: Sequence[NDArray[np.float32]],
    threads: int | None = None,
) -> float:
    """Writes the graph of `write_motion` in "fp16" or "bf16", weights and activations, for a GPU.

    It is compared with the float graph, in PyTorch's own half arithmetic, on `runs`: flows f32[K+M,2,64,64], M at
    least 1, of real footage, of one video each.

    Returns:
        The Spearman correlation of the frames' raw scores with those of the float graph.

    Raises:
        ModelError: it is below 0.999, or ONNX Runtime is far from PyTorch.
        OutputError: `out` cannot be written.
    """
    graph = MotionGraph(network, scale, past, REDUCED[precision]).eval()
    agreement = motion_agreement(graph, MotionGraph(network, scale, past).eval(), runs)
    check_agreement(agreement, precision, out)
    # ONNX Runtime has no bfloat16 on a CPU.
    samples = [] if precision == "bf16" else [runs[0][: past + count] for count in _CHECKED_FLOWS]
    facts = {**_facts(scale, past), "precision": precision}
    write_graph(graph, _signature(past), facts, out, samples=samples, threads=threads, tolerance=REDUCED_TOLERANCE)
    return agreement


@torch.no_grad()
def motion_agreement(graph: nn.Module, reference: nn.Module, runs: Sequence[NDArray[np.float32]]) -> float:
    """Spearman correlation of the raw scores (the root of the sum of a map) that two graphs give all frames of `runs`.

    Not a number where one of them gives none.
    """
    scores = [
        torch.cat([one(torch.from_numpy(run.copy())).sum(dim=(1, 2)).sqrt() for run in runs]).numpy()
        for one in (graph, reference)
    ]
    return rank_correlation(*scores)


def _signature(past: int) -> Signature:
    return Signature("flow", "flow_errors", torch.zeros(past + _TRACED_FLOWS, 2, FLOW_SIZE, FLOW_SIZE), past + 1)


def _facts(scale: Scale, past: int) -> dict[str, str]:
    return {"kind": "motion", "past": str(past), "scale": json.dumps(scale), "grid": str(GRID)}
