"""The networks of both methods to ONNX files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pixelfast.agreement import rank_correlation
from pixelfast.errors import ModelError
from pixelfast.networks.autoencoder import TemporalAutoencoder
from pixelfast.networks.flip import FlipClassifier
from pixelfast.networks.flow_gru import FlowGru, MotionGraph, PlainGraph, Scale
from pixelfast.networks.geometry import FLOW_SIZE, FRAME_SIZE, GRID, WINDOW
from pixelfast.networks.graphs import FlipGraph, ReconstructionGraph
from pixelfast.networks.weights import load_autoencoder, load_flow_gru
from pixelfast.training.onnx_files import Signature, write_graph

REDUCED: Final = {"fp16": torch.float16, "bf16": torch.bfloat16}
LEAST_AGREEMENT: Final = 0.999
REDUCED_TOLERANCE: Final = 0.1
"""ONNX Runtime rounds half numbers elsewhere than PyTorch: this only tells a broken file from a whole one."""

_TRACED_FRAMES: Final = 40
_TRACED_FLOWS: Final = 24
_CHECKED_FLOWS: Final = (1, 2, _TRACED_FLOWS)
_CHECKED_LENGTHS: Final = (WINDOW, WINDOW + 5, 40)
"""The file is checked with several numbers of frames (or flows): an exporter can fix a dimension without a word."""


def export_onnx(
    model: Path, out: Path, stride: int = 1, *, frames: NDArray[np.uint8] | None = None, threads: int | None = None
) -> Path:
    """Writes the autoencoder of a model folder (or of an `ae.safetensors`) as an ONNX file with this window stride.

    Args:
        model: a folder that holds `ae.safetensors`, or that file.
        out: the file to write.
        stride: frames between the starts of neighbouring windows, 1 to 16: fixed in the file.
        frames: u8[N,128,128], N at least 16, to check the file on; made-up frames where there are none.
        threads: of ONNX Runtime in the check.

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

    Returns:
        The largest difference between ONNX Runtime and PyTorch, relative to the largest value.

    Raises:
        ModelError: `stride` cannot be, or ONNX Runtime disagrees with PyTorch.
        OutputError: `out` cannot be written.
    """
    if not 1 <= stride <= WINDOW:
        raise ModelError(f"stride must be 1 to {WINDOW}, or frames would be in no window: {stride}")
    facts = {"kind": "ae", "window": str(WINDOW), "stride": str(stride), "grid": str(GRID)}
    return _write(ReconstructionGraph(network, stride), "window_errors", facts, out, frames=frames, threads=threads)


def export_reduced(
    model: Path, out: Path, stride: int, precision: str, *, frames: NDArray[np.uint8], threads: int | None = None
) -> float:
    """`write_reduced_autoencoder` for the weights of a model folder; returns and raises as that does.

    Raises:
        ModelError: also where there are no such weights.
    """
    network = load_autoencoder(model / "ae.safetensors")
    return write_reduced_autoencoder(network, out, stride, precision, frames=frames, threads=threads)


def write_reduced_autoencoder(
    network: TemporalAutoencoder,
    out: Path,
    stride: int,
    precision: str,
    *,
    frames: NDArray[np.uint8],
    threads: int | None = None,
) -> float:
    """Writes the graph of `write_autoencoder` with weights and activations in half precision, for a GPU.

    Strongly typed builders take the precision from the graph. It is compared with the float graph in PyTorch's own
    half arithmetic; ONNX Runtime computes in float between the casts and would flatter it.

    Args:
        network: the autoencoder.
        out: the file to write.
        stride: frames between the starts of windows.
        precision: "fp16" or "bf16".
        frames: u8[N,128,128], N at least 16, neighbouring frames of real footage.
        threads: of ONNX Runtime in the check.

    Returns:
        The Spearman correlation of the frames' scores with those of the float graph.

    Raises:
        ModelError: it is below 0.999, or ONNX Runtime is far from PyTorch.
        OutputError: `out` cannot be written.
    """
    graph = ReconstructionGraph(network, stride, REDUCED[precision]).eval()
    agreement = rank_agreement(graph, ReconstructionGraph(network, stride).eval(), frames)
    _check_agreement(agreement, precision, out)
    facts = {"kind": "ae", "window": str(WINDOW), "stride": str(stride), "grid": str(GRID), "precision": precision}
    example = torch.zeros(_TRACED_FRAMES, FRAME_SIZE, FRAME_SIZE, dtype=torch.uint8)
    signature = Signature("frames", "window_errors", example, WINDOW)
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


def _check_agreement(agreement: float, precision: str, out: Path) -> None:
    if not agreement >= LEAST_AGREEMENT:  # also where it is not a number
        raise ModelError(
            f"{out} was not written: in {precision} the scores' rank correlation with float32 is {agreement:.4f}, "
            f"below {LEAST_AGREEMENT}"
        )


def write_flip_classifier(
    network: FlipClassifier, out: Path, *, frames: NDArray[np.uint8] | None = None, threads: int | None = None
) -> float:
    """Writes `frames` u8[N,128,128] to `flip_probability` f32[N]; returns and raises as `write_autoencoder`."""
    return _write(FlipGraph(network), "flip_probability", {"kind": "flip"}, out, frames=frames, threads=threads)


def write_motion(network: FlowGru | None, scale: Scale, past: int, out: Path, *, threads: int | None = None) -> float:
    """Writes `flow` f32[K+M,2,64,64] to `flow_errors` f32[M,8,8]; returns and raises as `write_autoencoder`.

    Without a network no motion is expected: the errors are the flow itself.
    """
    rng = np.random.default_rng(0)
    unit = np.reshape(scale, (-1, 1, 1))
    flows = (unit * rng.standard_normal((past + 24, 2, FLOW_SIZE, FLOW_SIZE))).astype(np.float32)
    samples = [flows[: past + count] for count in _CHECKED_FLOWS]
    graph = PlainGraph(scale, past) if network is None else MotionGraph(network, scale, past)
    signature, facts = _motion_signature(past), _motion_facts(scale, past)
    return write_graph(graph, signature, facts, out, samples=samples, threads=threads)


def export_reduced_motion(
    model: Path, out: Path, precision: str, *, runs: Sequence[NDArray[np.float32]], threads: int | None = None
) -> float:
    """`write_reduced_motion` for the weights of a model folder; returns and raises as that does.

    Raises:
        ModelError: also where there are no such weights.
    """
    network, scale, past = load_flow_gru(model / "motion.safetensors")
    return write_reduced_motion(network, scale, past, out, precision, runs=runs, threads=threads)


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
    """Writes the graph of `write_motion` with weights and activations in half precision, for a GPU.

    Args:
        network: the predictor; it stays as it is.
        scale: what its flows were divided by.
        past: K.
        out: the file to write.
        precision: "fp16" or "bf16".
        runs: flows f32[K+M,2,64,64], M at least 1, of real footage, of one video each.
        threads: of ONNX Runtime in the check.

    Returns:
        The Spearman correlation of the frames' raw scores with those of the float graph, in PyTorch's own half
        arithmetic.

    Raises:
        ModelError: it is below 0.999, or ONNX Runtime is far from PyTorch.
        OutputError: `out` cannot be written.
    """
    graph = MotionGraph(network, scale, past, REDUCED[precision]).eval()
    agreement = motion_agreement(graph, MotionGraph(network, scale, past).eval(), runs)
    _check_agreement(agreement, precision, out)
    # ONNX Runtime has no bfloat16 on a CPU.
    samples = [] if precision == "bf16" else [runs[0][: past + count] for count in _CHECKED_FLOWS]
    signature, facts = _motion_signature(past), {**_motion_facts(scale, past), "precision": precision}
    write_graph(graph, signature, facts, out, samples=samples, threads=threads, tolerance=REDUCED_TOLERANCE)
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


def made_up_flows(past: int, scale: float) -> NDArray[np.float32]:
    """f32[past+240,2,64,64]: waves that wander, rise and fall, with noise, to check an export without footage.

    Args:
        past: K.
        scale: their deviation, about, pixels of the grid.
    """
    rng, count = np.random.default_rng(0), past + 240
    rows, columns = 6.28 * np.mgrid[0:FLOW_SIZE, 0:FLOW_SIZE] / FLOW_SIZE
    time = np.arange(count)[:, None, None, None]
    phases = np.array([0.0, 1.5])[:, None, None]
    waves = np.sin(2 * columns + rows + 0.11 * time + phases) + np.sin(3 * rows - 0.07 * time - phases)
    strength = 1 + 0.8 * np.sin(0.05 * time) + 0.1 * rng.standard_normal((count, 1, 1, 1))
    noise = 0.3 * rng.standard_normal((count, 2, FLOW_SIZE, FLOW_SIZE))
    flows: NDArray[np.float32] = (scale * (strength * waves + noise)).astype(np.float32)
    return flows


def _motion_signature(past: int) -> Signature:
    return Signature("flow", "flow_errors", torch.zeros(past + _TRACED_FLOWS, 2, FLOW_SIZE, FLOW_SIZE), past + 1)


def _motion_facts(scale: Scale, past: int) -> dict[str, str]:
    return {"kind": "motion", "past": str(past), "scale": json.dumps(scale), "grid": str(GRID)}


def made_up_frames() -> NDArray[np.uint8]:
    """u8[40,128,128]: a smooth texture under changing light with some noise, to check an export without footage."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:FRAME_SIZE, 0:FRAME_SIZE] / FRAME_SIZE
    texture = 0.5 + 0.2 * np.sin(9 * columns + 4 * rows) + 0.2 * np.sin(13 * rows)
    light = 0.8 + 0.2 * np.sin(np.arange(_TRACED_FRAMES) / 5)[:, None, None]
    noisy = light * texture + 0.03 * rng.standard_normal((_TRACED_FRAMES, FRAME_SIZE, FRAME_SIZE))
    levels: NDArray[np.uint8] = np.round(255 * noisy.clip(0, 1)).astype(np.uint8)
    return levels


def _write(
    graph: nn.Module,
    output: str,
    facts: dict[str, str],
    out: Path,
    *,
    frames: NDArray[np.uint8] | None,
    threads: int | None,
) -> float:
    example = torch.zeros(_TRACED_FRAMES, FRAME_SIZE, FRAME_SIZE, dtype=torch.uint8)
    real = made_up_frames() if frames is None else np.ascontiguousarray(frames)
    lengths = sorted({min(length, len(real)) for length in _CHECKED_LENGTHS})
    samples = [real[:length] for length in lengths]
    return write_graph(
        graph, Signature("frames", output, example, WINDOW), facts, out, samples=samples, threads=threads
    )


def checked_frames(frames: NDArray[np.uint8], spans: Sequence[tuple[int, int]]) -> NDArray[np.uint8]:
    """The first up to 40 frames of the longest of the spans (offset, length): neighbouring frames of one video."""
    offset, length = max(spans, key=lambda span: span[1])
    return np.ascontiguousarray(frames[offset : offset + min(length, _TRACED_FRAMES)])
