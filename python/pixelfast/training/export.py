"""Networks to ONNX files, each checked by ONNX Runtime against PyTorch before it gets its name."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pixelfast.atomic import atomic_path
from pixelfast.errors import ModelError
from pixelfast.networks.autoencoder import TemporalAutoencoder
from pixelfast.networks.flip import FlipClassifier
from pixelfast.networks.geometry import FRAME_SIZE, GRID, WINDOW
from pixelfast.networks.graphs import FlipGraph, ReconstructionGraph
from pixelfast.silent_imports import import_onnxruntime
from pixelfast.training.weights import load_autoencoder

OPSET: Final = 18
FORMAT: Final = "1"
"""Version of what the metadata of an exported file means."""

TOLERANCE: Final = 1e-4
"""How far ONNX Runtime may be from PyTorch, relative to the largest value: float32 in another order gives 1e-6."""

_TRACED_FRAMES: Final = 40
_CHECKED_LENGTHS: Final = (WINDOW, WINDOW + 5, 40)
"""The file is checked with several numbers of frames: an exporter can fix a dimension without a word."""


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


def write_flip_classifier(
    network: FlipClassifier, out: Path, *, frames: NDArray[np.uint8] | None = None, threads: int | None = None
) -> float:
    """Writes `frames` u8[N,128,128] to `flip_probability` f32[N]; returns and raises as `write_autoencoder`."""
    return _write(FlipGraph(network), "flip_probability", {"kind": "flip"}, out, frames=frames, threads=threads)


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
    graph.eval()
    real = made_up_frames() if frames is None else np.ascontiguousarray(frames)
    with atomic_path(out) as temporary:
        program = _export(graph, output)
        _describe(program.model, {"format": FORMAT, **facts})
        program.save(temporary, external_data=False)
        _check_dynamic(temporary, out)
        return _check_parity(graph, temporary, out, real, threads)


def _export(graph: nn.Module, output: str) -> Any:
    example = torch.zeros(_TRACED_FRAMES, FRAME_SIZE, FRAME_SIZE, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own: deprecations between its parts; the file is checked
        return torch.onnx.export(
            graph,
            (example,),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=["frames"],
            output_names=[output],
            dynamic_shapes={"frames": {0: torch.export.Dim("N", min=WINDOW)}},
        )


def _describe(model: Any, facts: dict[str, str]) -> None:
    """Puts our facts into the file and takes the exporter's traces out: they hold paths of the machine it ran on."""
    for node in model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
    for name, value in facts.items():
        model.metadata_props[f"pixelfast.{name}"] = value


def _check_dynamic(path: Path, out: Path) -> None:
    import onnx

    graph = onnx.load(path).graph
    for value in (*graph.input, *graph.output):
        if not value.type.tensor_type.shape.dim[0].dim_param:
            raise ModelError(f"{out} was not written: the exporter fixed the number of frames in {value.name}")


def _check_parity(graph: nn.Module, path: Path, out: Path, frames: NDArray[np.uint8], threads: int | None) -> float:
    session = _session(path, threads)
    lengths = sorted({min(length, len(frames)) for length in _CHECKED_LENGTHS})
    worst = max(_difference(graph, session, frames[:length]) for length in lengths)
    if not worst <= TOLERANCE:  # also where it is not a number
        raise ModelError(
            f"{out} was not written: ONNX Runtime and PyTorch differ by {worst:.1e} of the largest value "
            f"(at most {TOLERANCE:.0e} is allowed)"
        )
    return worst


def _session(path: Path, threads: int | None) -> Any:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@torch.no_grad()
def _difference(graph: nn.Module, session: Any, frames: NDArray[np.uint8]) -> float:
    expected: NDArray[np.float32] = graph(torch.from_numpy(frames.copy())).numpy()
    found: NDArray[np.float32] = session.run(None, {"frames": np.asarray(frames)})[0]
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def checked_frames(frames: NDArray[np.uint8], spans: Sequence[tuple[int, int]]) -> NDArray[np.uint8]:
    """The first up to 40 frames of the longest of the spans (offset, length): neighbouring frames of one video."""
    offset, length = max(spans, key=lambda span: span[1])
    return np.ascontiguousarray(frames[offset : offset + min(length, _TRACED_FRAMES)])
