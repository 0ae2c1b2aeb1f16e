"""Graphs to ONNX files, each checked by ONNX Runtime against PyTorch before it gets its name."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pixelfast.errors import ModelError
from pixelfast.files.atomic import atomic_path
from pixelfast.geometry import FRAME_SIZE, WINDOW
from pixelfast.machine.imports import import_onnxruntime
from pixelfast.training.cache import FrameCache
from pixelfast.training.made_up import made_up_frames
from pixelfast.training.reduced import HalfConvolutions

OPSET: Final = 18
FORMAT: Final = "1"
"""Version of what the metadata of an exported file means."""

TOLERANCE: Final = 1e-4
"""How far ONNX Runtime may be from PyTorch, relative to the largest value: float32 in another order gives 1e-6."""

TRACED_FRAMES: Final = 40
_CHECKED_LENGTHS: Final = (WINDOW, WINDOW + 5, 40)
"""A file of frames is checked with several numbers of them: an exporter can fix a dimension without a word."""


@dataclass(frozen=True, eq=False)
class Signature:
    """The input and the output of a graph; the first dimension of both is dynamic.

    Attributes:
        example: an input to trace the graph with.
        least: the smallest first dimension of the input.
    """

    input: str
    output: str
    example: Tensor
    least: int


def write_graph(
    graph: nn.Module,
    signature: Signature,
    facts: Mapping[str, str],
    out: Path,
    *,
    samples: Sequence[NDArray[Any]],
    threads: int | None = None,
    tolerance: float = TOLERANCE,
) -> float:
    """Writes an ONNX file whose metadata holds `facts`, each as `pixelfast.<name>`.

    ONNX Runtime, with so many `threads`, and PyTorch must agree on the `samples`, inputs of several lengths, as an
    exporter can fix a dimension without a word; there are none where ONNX Runtime cannot run the graph here. The
    `tolerance` is the largest difference allowed, relative to the largest value.

    Returns:
        The largest difference between ONNX Runtime and PyTorch, relative to the largest value.

    Raises:
        ModelError: ONNX Runtime disagrees with PyTorch, or the exporter fixed the first dimension.
        OutputError: `out` cannot be written.
    """
    graph.eval()
    with atomic_path(out) as temporary:
        program = _export(graph, signature)
        for node in program.model.graph.all_nodes():  # the exporter's traces: they hold paths of this machine
            node.metadata_props.clear()
            node.doc_string = None
        known = {"format": FORMAT, **facts}
        program.model.metadata_props.update({f"pixelfast.{name}": value for name, value in known.items()})
        program.save(temporary, external_data=False)
        _check_dynamic(temporary, out)
        worst = _largest_difference(graph, signature, temporary, samples, threads) if samples else 0.0
        if not worst <= tolerance:  # also where it is not a number
            raise ModelError(
                f"{out} was not written: ONNX Runtime and PyTorch differ by {worst:.1e} of the largest value "
                f"(at most {tolerance:.0e} is allowed)"
            )
        return worst


def _export(graph: nn.Module, signature: Signature) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own: deprecations between its parts; the file is checked
        return torch.onnx.export(
            graph,
            (signature.example,),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=[signature.input],
            output_names=[signature.output],
            dynamic_shapes=({0: torch.export.Dim("N", min=signature.least)},),
        )


def _check_dynamic(path: Path, out: Path) -> None:
    import onnx

    graph = onnx.load(path).graph
    for value in (*graph.input, *graph.output):
        if not value.type.tensor_type.shape.dim[0].dim_param:
            raise ModelError(f"{out} was not written: the exporter fixed the first dimension of {value.name}")


@torch.no_grad()
def _largest_difference(
    graph: nn.Module, signature: Signature, path: Path, samples: Sequence[NDArray[Any]], threads: int | None
) -> float:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    differences = []
    for sample in samples:
        with HalfConvolutions():
            expected: NDArray[np.float32] = graph(torch.from_numpy(sample.copy())).numpy()
        found: NDArray[np.float32] = session.run(None, {signature.input: sample})[0]
        same = found.shape == expected.shape
        differences.append(float(np.abs(found - expected).max() / np.abs(expected).max()) if same else float("inf"))
    return max(differences)


def frames_signature(output: str) -> Signature:
    """The signature of a graph of `frames` u8[N,128,128]."""
    example = torch.zeros(TRACED_FRAMES, FRAME_SIZE, FRAME_SIZE, dtype=torch.uint8)
    return Signature("frames", output, example, WINDOW)


def write_checked(
    graph: nn.Module,
    output: str,
    facts: dict[str, str],
    out: Path,
    *,
    frames: NDArray[np.uint8] | None,
    threads: int | None,
) -> float:
    """Writes a graph of frames u8[N,128,128], checked on these frames or on made-up ones; see `write_graph`."""
    real = made_up_frames() if frames is None else np.ascontiguousarray(frames)
    samples = [real[:length] for length in sorted({min(length, len(real)) for length in _CHECKED_LENGTHS})]
    return write_graph(graph, frames_signature(output), facts, out, samples=samples, threads=threads)


def checked_frames(cache: FrameCache) -> NDArray[np.uint8]:
    """Returns the first up to 40 frames of the longest training video."""
    longest = max(cache.videos, key=lambda video: video.length)
    return np.ascontiguousarray(cache.frames[longest.offset : longest.offset + min(longest.length, TRACED_FRAMES)])
