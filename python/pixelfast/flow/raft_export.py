"""RAFT-Large to an ONNX file: where its weights come from, and the graph with what scoring must know about it."""

import re
from http.client import HTTPException
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.models.optical_flow import RAFT, Raft_Large_Weights, raft_large  # type: ignore[import-untyped]

from pixelfast.errors import ModelError, first_line
from pixelfast.files.atomic import file_sha256
from pixelfast.flow.raft import MOST_ERROR_PIXELS
from pixelfast.flow.raft_network import UPDATES, RaftGraph, load_raft, save_raft
from pixelfast.geometry import FLOW_SIZE
from pixelfast.training.made_up import moving_texture
from pixelfast.training.onnx import TOLERANCE, Signature, write_graph
from pixelfast.training.reduced import REDUCED, REDUCED_TOLERANCE, HalfConvolutions
from pixelfast.training.strange_weights import load_state_dict

_CHECKED_LENGTHS: Final = (2, 3)
"""The file is checked with one pair and with two: an exporter can fix a dimension without a word."""

_TRACED_FRAMES: Final = 4  # three pairs: a size of 1 would be taken for one that never changes
_TOLERANCE_PIXELS: Final = 1e-3
"""Pixels of a frame; where it holds still the largest flow is so small that a share of it would be finer than
float32."""


class EndPointError(NamedTuple):
    """How far the ends of the flow's arrows lie from where they should, pixels of a frame."""

    mean: float
    most: float


def export_raft(
    weights: Path | None,
    out: Path,
    height: int,
    width: int,
    *,
    updates: int = UPDATES,
    kept: Path | None = None,
    threads: int | None = None,
) -> float:
    """Writes RAFT-Large with the weights of a file, as of `new_raft`, or with torchvision's own, as `write_raft` does.

    Where `kept` is given, it writes the weights there as well (`raft.safetensors`), before `out`.

    Raises:
        ModelError: there are no such weights, a size cannot be, or ONNX Runtime disagrees with PyTorch.
        OutputError: `out` or `kept` cannot be written.
    """
    path = weights or default_weights()
    graph = RaftGraph(new_raft(path), height, width, updates)
    if kept is not None:
        save_raft(graph.raft, kept, height=height, width=width, updates=updates)
    return write_raft(graph, out, weights_sha256=file_sha256(path), threads=threads)


def export_half_raft(
    weights: Path | None, out: Path, height: int, width: int, precision: str, *, updates: int = UPDATES
) -> EndPointError:
    """`export_raft` in half precision, checked on a made-up scene; returns and raises as `write_reduced_raft`."""
    path = weights or default_weights()
    graph = RaftGraph(new_raft(path), height, width, updates)
    return write_reduced_raft(graph, out, precision, weights_sha256=file_sha256(path))


def export_reduced_raft(
    model: Path, out: Path, precision: str, *, frames: NDArray[np.uint8] | None, threads: int | None = None
) -> EndPointError:
    """`write_reduced_raft` for the `raft.safetensors` of a model folder; returns and raises as that does.

    Raises:
        ModelError: also where there are no such weights.
    """
    path = model / "raft.safetensors"
    graph, sha256 = RaftGraph(*load_raft(path)), file_sha256(path)
    return write_reduced_raft(graph, out, precision, weights_sha256=sha256, frames=frames, threads=threads)


def new_raft(weights: Path) -> RAFT:
    """RAFT-Large in evaluation mode, from a state dict as torchvision names it; nothing in the file is run.

    Raises:
        ModelError: the file is not there or holds something else.
    """
    raft = raft_large(weights=None)
    state = load_state_dict(weights, "feature_encoder.convnormrelu.0.weight")
    try:
        raft.load_state_dict(state)
    except RuntimeError as error:
        first = str(error).splitlines()[:2][-1].strip()
        raise ModelError(f"{weights} does not hold the weights of torchvision's raft_large: {first[:200]}") from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in state.values()):
        raise ModelError(f"{weights} holds weights that are not finite: give another file")
    return raft.eval()


def default_weights() -> Path:
    """The file of torchvision's default weights, downloaded into PyTorch's cache where it is not there yet.

    Raises:
        ModelError: it cannot be downloaded; the sentence says where from.
    """
    url: str = Raft_Large_Weights.DEFAULT.url
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    if path.is_file():
        return path
    # torchvision's names end in the first digits of the file's hash.
    digits = re.search(r"-([0-9a-f]{8,})\.", path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), digits[1] if digits else None, progress=False)
    except (OSError, HTTPException, RuntimeError) as error:
        raise ModelError(
            f"RAFT's weights could not be downloaded from {url} ({first_line(error)}): download that file where there "
            "is a network and give it by --raft-weights (cuda_export/export_raft.py: --weights)"
        ) from None
    return path


def write_raft(
    graph: RaftGraph,
    out: Path,
    *,
    weights_sha256: str | None,
    frames: NDArray[np.uint8] | None = None,
    threads: int | None = None,
) -> float:
    """Writes `frames` u8[N,H,W,3] to `flow` f32[N-1,2,64,64], N dynamic and at least 2.

    Args:
        graph: the network in float32, for frames of a size and with a number of updates, which the file fixes.
        out: the file to write.
        weights_sha256: of the file that the weights came from; None where they came from none.
        frames: u8[N,H,W,3], N at least 2, RGB, neighbours of one video, to check the file on; a made-up texture on the
            move where there are none.
        threads: of ONNX Runtime in the check.

    Returns:
        The largest difference between ONNX Runtime and PyTorch, relative to the largest flow.

    Raises:
        ModelError: the frames do not fit, or ONNX Runtime disagrees with PyTorch: by more than 1e-4 of the largest
            flow and more than 1e-3 pixels of a frame.
        OutputError: `out` cannot be written.
    """
    real = _checked_frames(frames, graph)
    samples = [real[:length] for length in _CHECKED_LENGTHS if length <= len(real)]
    facts, tolerance = _facts(graph, weights_sha256), _tolerance(graph, samples[-1])
    return write_graph(graph, _signature(graph), facts, out, samples=samples, threads=threads, tolerance=tolerance)


def write_reduced_raft(
    graph: RaftGraph,
    out: Path,
    precision: str,
    *,
    weights_sha256: str | None,
    frames: NDArray[np.uint8] | None = None,
    threads: int | None = None,
) -> EndPointError:
    """Writes the graph with convolutions in half precision, "fp16" or "bf16", for a GPU.

    The other arguments are those of `write_raft`; half precision is measured on all pairs of `frames`.

    Returns:
        How far its full-size flow is from that of the float graph, in PyTorch's half arithmetic.

    Raises:
        ModelError: it is 0.05 pixels of a frame or more on average, ONNX Runtime is far from PyTorch, or as of
            `write_raft`.
        OutputError: `out` cannot be written.
    """
    real = _checked_frames(frames, graph)
    half = RaftGraph(graph.raft, graph.height, graph.width, graph.updates, REDUCED[precision])
    error = end_point_error(half, graph, real)
    if not error.mean < MOST_ERROR_PIXELS:  # also where it is not a number
        raise ModelError(
            f"{out} was not written: in {precision} the flow is {error.mean:.3f} pixels from that of float32 on "
            f"average (at most {error.most:.3f}), and must be below {MOST_ERROR_PIXELS}"
        )
    samples = [] if precision == "bf16" else [real[:2]]  # ONNX Runtime has no bfloat16 on a CPU
    facts = {**_facts(graph, weights_sha256), "precision": precision}
    write_graph(half, _signature(graph), facts, out, samples=samples, threads=threads, tolerance=REDUCED_TOLERANCE)
    return error


@torch.no_grad()
def end_point_error(graph: RaftGraph, reference: RaftGraph, frames: NDArray[np.uint8]) -> EndPointError:
    """How far the full-size flow of one graph is from that of another on u8[N,H,W,3], N at least 2."""
    given = torch.from_numpy(frames.copy())
    with HalfConvolutions():
        difference = graph.full_flow(given) - reference.full_flow(given)  # [N-1, 2, H, W]
    distance = difference.square().sum(dim=1).sqrt()
    return EndPointError(float(distance.mean()), float(distance.max()))


def _checked_frames(frames: NDArray[np.uint8] | None, graph: RaftGraph) -> NDArray[np.uint8]:
    """The frames to check with, of the size that they must have; made-up ones where there are none."""
    size = (graph.height, graph.width)
    real = moving_texture(max(_CHECKED_LENGTHS), *size) if frames is None else np.ascontiguousarray(frames)
    if real.dtype != np.uint8 or real.shape[1:] != (*size, 3) or len(real) < 2:
        wanted = f"u8[2 or more,{graph.height},{graph.width},3]"
        raise ModelError(f"the frames to check with must be {wanted}: {real.dtype}{real.shape}")
    return real


def _signature(graph: RaftGraph) -> Signature:
    example = torch.zeros(_TRACED_FRAMES, graph.height, graph.width, 3, dtype=torch.uint8)
    return Signature("frames", "flow", example, least=2)


def _facts(graph: RaftGraph, weights: str | None) -> dict[str, str]:
    sizes = {"updates": graph.updates, "height": graph.height, "width": graph.width}
    facts = {"kind": "flow", "flow": "raft", **{name: str(size) for name, size in sizes.items()}}
    return facts if weights is None else {**facts, "weights_sha256": weights}


@torch.no_grad()
def _tolerance(graph: RaftGraph, sample: NDArray[np.uint8]) -> float:
    """The difference allowed as a share of the largest flow."""
    largest = float(graph(torch.from_numpy(sample.copy())).abs().max())
    pixel = FLOW_SIZE / max(graph.height, graph.width)  # of a frame, in pixels of the grid
    return max(TOLERANCE, _TOLERANCE_PIXELS * pixel / largest) if largest > 0 else TOLERANCE
