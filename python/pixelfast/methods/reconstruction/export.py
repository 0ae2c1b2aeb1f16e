"""The autoencoder to ONNX files."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pixelfast.errors import ModelError
from pixelfast.geometry import GRID, WINDOW
from pixelfast.methods.reconstruction.network import ReconstructionGraph, TemporalAutoencoder, load_autoencoder
from pixelfast.scores.agreement import check_agreement, rank_correlation
from pixelfast.training.onnx import frames_signature, write_checked, write_graph
from pixelfast.training.reduced import REDUCED, REDUCED_TOLERANCE


def export_onnx(
    model: Path, out: Path, stride: int = 1, *, frames: NDArray[np.uint8] | None = None, threads: int | None = None
) -> Path:
    """Writes the autoencoder of a model folder, or of an `ae.safetensors`; see `write_autoencoder`.

    Raises:
        ModelError: there are no such weights, `stride` cannot be, or ONNX Runtime disagrees with PyTorch.
        OutputError: `out` cannot be written.
    """
    weights = model / "ae.safetensors" if model.is_dir() else model
    write_autoencoder(load_autoencoder(weights), out, stride, frames=frames, threads=threads)
    return out


def write_autoencoder(
    network: TemporalAutoencoder,
    out: Path,
    stride: int = 1,
    *,
    frames: NDArray[np.uint8] | None = None,
    threads: int | None = None,
) -> float:
    """Writes `frames` u8[N,128,128] to `window_errors` f32[(N-16)//stride+1,16,8,8]; normalisation is folded.

    Args:
        network: the autoencoder.
        out: the file to write.
        stride: frames between the starts of neighbouring windows, 1 to 16: fixed in the file.
        frames: u8[N,128,128], N at least 16, to check the file on; made-up frames where there are none.
        threads: of ONNX Runtime in the check.

    Returns:
        The largest difference between ONNX Runtime and PyTorch, relative to the largest value.

    Raises:
        ModelError: `stride` cannot be, or ONNX Runtime disagrees with PyTorch.
        OutputError: `out` cannot be written.
    """
    if not 1 <= stride <= WINDOW:
        raise ModelError(f"stride must be 1 to {WINDOW}, or frames would be in no window: {stride}")
    graph = ReconstructionGraph(network, stride)
    return write_checked(graph, "window_errors", _facts(stride), out, frames=frames, threads=threads)


def write_reduced_autoencoder(
    network: TemporalAutoencoder,
    out: Path,
    stride: int,
    precision: str,
    *,
    frames: NDArray[np.uint8],
    threads: int | None = None,
) -> float:
    """Writes the graph of `write_autoencoder` in "fp16" or "bf16", weights and activations, for a GPU.

    Strongly typed builders take the precision from the graph. It is compared with the float graph in PyTorch's own
    half arithmetic on `frames`, neighbours of real footage; ONNX Runtime computes in float between the casts and would
    flatter it.

    Returns:
        The Spearman correlation of the frames' scores with those of the float graph.

    Raises:
        ModelError: it is below 0.999, or ONNX Runtime is far from PyTorch.
        OutputError: `out` cannot be written.
    """
    graph = ReconstructionGraph(network, stride, REDUCED[precision]).eval()
    agreement = rank_agreement(graph, ReconstructionGraph(network, stride).eval(), frames)
    check_agreement(agreement, precision, out)
    facts, signature = {**_facts(stride), "precision": precision}, frames_signature("window_errors")
    # ONNX Runtime has no bfloat16 on a CPU; half convolutions are slow on one, so few windows must do.
    samples = [] if precision == "bf16" else [frames[:WINDOW], frames[: WINDOW + stride]]
    write_graph(graph, signature, facts, out, samples=samples, threads=threads, tolerance=REDUCED_TOLERANCE)
    return agreement


@torch.no_grad()
def rank_agreement(graph: nn.Module, reference: nn.Module, frames: NDArray[np.uint8]) -> float:
    """Spearman correlation of the errors that two graphs give the frames of each window of u8[N,128,128].

    Not a number where one of them gives none.
    """
    return rank_correlation(
        *(one(torch.from_numpy(frames.copy())).mean(dim=(2, 3)).numpy() for one in (graph, reference))
    )


def _facts(stride: int) -> dict[str, str]:
    return {"kind": "ae", "window": str(WINDOW), "stride": str(stride), "grid": str(GRID)}
